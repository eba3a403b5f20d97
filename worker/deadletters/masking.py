"""What of an event may be shown. Pure.

What is not known to be harmless is masked: fields by a list of those that may be shown, and those only where their
value is of the kind that it should be, since a broken producer puts anything anywhere. Documents' contents and the
query of a URL, which may hold a signature, are never shown, whoever asks.
"""

import binascii
import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from schemas.commands import COMMAND_HEADERS, REPLAY_OF
from schemas.dead_letters import NAMES
from schemas.identity import CLAIM_TYPES, identity_parts
from schemas.jsontext import JsonValue

MASK: Final = "***"
MAX_TEXT: Final = 2000
"""Characters of one text that is shown."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ORGANIZATION: Final = re.compile(r"(?:NO ?)?\d[\d ]{2,14}(?: ?MVA)?", re.ASCII)
_SHA256: Final = re.compile("[0-9a-f]{64}")
_QUERY: Final = re.compile(r"(?i)(https?://[^\s\"'<>?#]*)[?#][^\s\"'<>]*")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{200,}={0,2}")
_HARMLESS_HEADERS: Final = frozenset(
    f"ce_{name}" for name in ("specversion", "id", "source", "type", "time", "correlationid", "causationid")
) | {"traceparent", "content-type"}
_MEDIA_TYPES: Final = frozenset(mimetypes.MimeTypes(filenames=()).types_map[True].values()) | {
    "application/cloudevents+json"
}

Rule = Callable[[JsonValue], JsonValue]


def masked(data: JsonValue) -> JsonValue:
    """An event's data with what may be shown to anybody; names stay, values are masked."""
    if not isinstance(data, dict):
        return _mask(data)
    private = True
    invoice = data.get("invoice")
    if isinstance(invoice, dict):
        private = invoice.get("isPrivateIndividual") not in (False, "false")
    return _object(data, {"invoice": lambda value: _invoice(value, private=private), "attachments": _attachments})


def disclosed(value: JsonValue, name: str = "") -> JsonValue:
    """The same with personal data; documents are described, queries cut off, long texts cut."""
    if isinstance(value, dict):
        return {key: disclosed(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [disclosed(item) for item in value]
    if not isinstance(value, str):
        return value
    return _document(value) if name == "content" else scrubbed(value, MAX_TEXT)


def scrubbed(text: str, limit: int) -> str:
    """A text without what looks like a document or a URL's query, and not longer than `limit` characters."""
    text = _QUERY.sub(rf"\1?{MASK}", text)
    text = _BASE64.sub(lambda found: f"({len(found[0])} characters of base64)", text)
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text)} characters)"


def masked_attributes(attributes: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The attributes of a structured CloudEvent."""
    return {
        shown_name(name): value if f"ce_{name}" in _HARMLESS_HEADERS and isinstance(value, str) else _mask(value)
        for name, value in attributes.items()
    }


def shown_headers(headers: Iterable[tuple[str, bytes | None]], *, replayed: bool, show: bool) -> list[tuple[str, str]]:
    """Headers as text. `replayed`: those that say who sent it again are ours. `show`: personal data, too.

    Of the headers of the cause only the last of a name is ours.
    """
    given = [(name, value or b"") for name, value in headers]
    last = {name: index for index, (name, _) in enumerate(given)}
    ours = {REPLAY_OF, *COMMAND_HEADERS} if replayed else set()
    result = []
    for index, (name, value) in enumerate(given):
        text = value.decode("utf-8", "backslashreplace")
        known = (name in NAMES and last[name] == index) or name in ours or _is_harmless(name, text)
        if show:
            result.append((name, scrubbed(text, MAX_TEXT)))
        else:
            result.append((shown_name(name, "._-"), text if known else MASK))
    return result


def shown_key(key: bytes | None, *, show: bool) -> str | None:
    """The record's key: an identity, or masked."""
    if key is None:
        return None
    text = key.decode("utf-8", "backslashreplace")
    if show:
        return scrubbed(text, MAX_TEXT)
    return text if identity_parts(text) is not None else f"{MASK} ({len(key)} bytes)"


def _is_harmless(name: str, text: str) -> bool:
    if name == "content-type":
        return text.partition(";")[0].strip().lower() in _MEDIA_TYPES and ";" not in text
    return name in _HARMLESS_HEADERS


def _mask(value: JsonValue) -> JsonValue:
    """Nothing stays but whether there is something."""
    return value if value is None or value in ("", [], {}) else MASK


def _object(value: JsonValue, rules: Mapping[str, Rule]) -> JsonValue:
    if not isinstance(value, dict):
        return _mask(value)
    return {shown_name(name): rules.get(name, _mask)(item) for name, item in value.items()}


def shown_name(name: str, more: str = "") -> str:
    """A name that a programmer wrote: letters, digits and `more`. Else it could be anything: a digest."""
    if _NAME.fullmatch("".join("_" if letter in more else letter for letter in name)):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"(a name of {len(name)} characters, sha256 {digest[:8]})"


def _list(rules: Mapping[str, Rule]) -> Rule:
    def each(value: JsonValue) -> JsonValue:
        return [_object(item, rules) for item in value] if isinstance(value, list) else _mask(value)

    return each


def _only(good: Callable[[JsonValue], bool]) -> Rule:
    return lambda value: value if good(value) else _mask(value)


def _text(pattern: re.Pattern[str]) -> Rule:
    return _only(lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None)


def _url(value: JsonValue) -> JsonValue:
    if not isinstance(value, str):
        return _mask(value)
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return MASK
    return f"{parts.scheme}://{host}/{MASK}" if parts.scheme in {"http", "https"} and host else MASK


def _document(value: JsonValue) -> JsonValue:
    if not isinstance(value, str) or not value:
        return _mask(value)
    try:
        content = binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        return f"({len(value)} characters, not base64)"
    return f"({len(content)} bytes, sha256 {hashlib.sha256(content).hexdigest()})"


_number: Final = _only(lambda value: isinstance(value, int | Decimal) and not isinstance(value, bool))
_date: Final = _text(_DATE)
_currency: Final = _text(re.compile("[A-Z]{3}"))
_reference: Final = _only(lambda value: isinstance(value, str) and len(value) <= 255)
_ADDRESS: Final[Mapping[str, Rule]] = {}
_LINE: Final[Mapping[str, Rule]] = dict.fromkeys(
    ("unitPrice", "count", "vatInPercent", "total", "discountInPercent"), _number
)
_POSTING: Final[Mapping[str, Rule]] = {
    "amount": _number,
    "bookingDate": _date,
    "ledgerAccount": _number,
    "vatCode": _number,
}
_INVOICE: Final[Mapping[str, Rule]] = {
    "claimType": _only(lambda value: value in CLAIM_TYPES),
    "creditorId": _number,
    "accountingInvoiceId": _reference,
    "isPrivateIndividual": _only(lambda value: isinstance(value, bool) or value in ("true", "false")),
    "postalAddress": lambda value: _object(value, _ADDRESS),
    "invoiceNo": _reference,
    "invoiceDate": _date,
    "dueDate": _date,
    "originalAmount": _number,
    "currencyCode": _currency,
    "orderLines": _list(_LINE),
    "bookkeepingDetails": _list(_POSTING),
}
_attachments: Final = _list(
    {
        "mediaType": _only(lambda value: isinstance(value, str) and value in _MEDIA_TYPES),
        "content": _document,
        "url": _url,
        "sha256": _text(_SHA256),
        "size": _number,
    }
)


def _invoice(value: JsonValue, *, private: bool) -> JsonValue:
    organization = {} if private else {"organizationNumber": _text(_ORGANIZATION)}
    return _object(value, {**_INVOICE, **organization})
