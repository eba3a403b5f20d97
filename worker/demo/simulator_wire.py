"""What the simulated Kravia accepts on the wire: register bodies, multipart forms, identities. Pure.

Strict where a mistake of the client would otherwise stay unseen. Known is only what the guides print
(docs/reference/kravia-api.md); that wrong types are refused with 422 and which fields are required is ASSUMPTION.
"""

import binascii
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn
from unicodedata import normalize
from urllib.parse import quote

CLAIM_TYPES = ("Invoice", "CreditNote", "CollectionCase")

_TEXT = "a string"
_INTEGER = "an integer"
_NUMBER = "a number"
_OBJECT = "an object"
_LIST = "a list"

_REGISTER = {
    "claimType": _TEXT,
    "creditorId": _INTEGER,
    "accountingInvoiceId": _TEXT,
    "debtorName": _TEXT,
    "debtorNumber": _TEXT,
    "email": _TEXT,
    "ssn": _TEXT,
    "organizationNumber": _TEXT,
    "isPrivateIndividual": _TEXT,  # the guide prints the string "true", not a boolean
    "postalAddress": _OBJECT,
    "invoiceNo": _TEXT,
    "invoiceDate": _TEXT,
    "dueDate": _TEXT,
    "originalAmount": _NUMBER,
    "currencyCode": _TEXT,
    "description": _TEXT,
    "orderLines": _LIST,
    "bookkeepingDetails": _LIST,
}
_REQUIRED = ("claimType", "creditorId", "invoiceNo", "originalAmount", "currencyCode")
_NESTED = {
    "postalAddress": dict.fromkeys(
        ("addressAddressLine1", "addressAddressLine2", "addressPostalCode", "addressCity", "addressCountryCode"), _TEXT
    ),
    "orderLines": {
        "description": _TEXT,
        "unitPrice": _NUMBER,
        "count": _NUMBER,
        "vatInPercent": _NUMBER,
        "unit": _TEXT,
        "total": _NUMBER,
        "discountInPercent": _NUMBER,
    },
    "bookkeepingDetails": {
        "amount": _NUMBER,
        "description": _TEXT,
        "bookingDate": _TEXT,
        "ledgerAccount": _NUMBER,
        "vatCode": _NUMBER,
    },
}

_BOUNDARY = re.compile(r'multipart/form-data;\s*boundary="?([0-9A-Za-z\'()+_,./:=?-]{1,70})"?', re.IGNORECASE)
_DISPOSITION = re.compile(r'form-data; name="([^"\r\n]*)"(?:; filename="([^"\r\n]*)")?')


@dataclass(frozen=True, slots=True)
class Registration:
    """A register body that was accepted. `row` holds its identity fields as a search shows them."""

    identity: str
    row: dict[str, object]


@dataclass(frozen=True, slots=True)
class Faulty:
    """Names of wrong fields, each with the rule that it breaks."""

    errors: dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """The one field of a form. `file_name` None: a plain field."""

    name: str
    file_name: str | None
    media_type: str | None
    content: bytes


def identity_of(creditor_id: int, claim_type: str, invoice_no: str, accounting_invoice_id: str | None) -> str:
    """The invoice's identity, as docs/explanation/architecture.md writes it; computed apart from the worker's own."""
    parts = [str(creditor_id), claim_type, quote(normalize("NFC", invoice_no), safe="")]
    if claim_type == "CreditNote" and accounting_invoice_id:
        parts.append(quote(normalize("NFC", accounting_invoice_id), safe=""))
    return "/".join(parts)


def read_registration(body: bytes) -> Registration | Faulty:
    """Checks a register body: UTF-8 JSON without duplicate names, known fields, right types."""
    try:
        document = json.loads(
            body.decode("utf-8"), parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:  # encoding, syntax, duplicate names, NaN, nesting
        return Faulty({"": f"not a JSON object ({type(error).__name__})"})
    if not isinstance(document, dict):
        return Faulty({"": "not a JSON object"})
    errors = _check(document, _REGISTER, "")
    for name in _REQUIRED:
        if document.get(name) is None:
            errors.setdefault(name, "required")
    for name, fields in _NESTED.items():
        value = document.get(name)
        rows = value if isinstance(value, list) else [value] if isinstance(value, dict) else []
        for number, row in enumerate(rows):
            where = f"{name}[{number}]." if isinstance(value, list) else f"{name}."
            errors |= _check(row, fields, where) if isinstance(row, dict) else {where[:-1]: f"must be {_OBJECT}"}
    if "claimType" not in errors and document["claimType"] not in CLAIM_TYPES:
        errors["claimType"] = f"one of {', '.join(CLAIM_TYPES)}"
    if document.get("isPrivateIndividual") not in (None, "true", "false"):
        errors.setdefault("isPrivateIndividual", 'the string "true" or "false"')
    if errors:
        return Faulty(errors)
    row = {name: document.get(name) for name in ("creditorId", "claimType", "invoiceNo", "accountingInvoiceId")}
    identity = identity_of(
        document["creditorId"], document["claimType"], document["invoiceNo"], document.get("accountingInvoiceId")
    )
    return Registration(identity, row)


def _check(document: dict[str, object], fields: dict[str, str], where: str) -> dict[str, str]:
    errors: dict[str, str] = {}
    for name, value in document.items():
        kind = fields.get(name)
        if kind is None:
            errors[where + name] = "unknown"
        elif value is not None and not _is(value, kind):
            errors[where + name] = f"must be {kind}"
    return errors


def _is(value: object, kind: str) -> bool:
    match kind:
        case "a string":
            return isinstance(value, str)
        case "an integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "a number":
            return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        case "an object":
            return isinstance(value, dict)
        case _:
            return isinstance(value, list)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("duplicate names")
    return document


def read_form(content_type: str, body: bytes) -> Part | None:
    """The single field of a multipart form; None for anything that is not exactly that."""
    found = _BOUNDARY.fullmatch(content_type.strip())
    if found is None:
        return None
    delimiter = b"--" + found[1].encode("ascii")
    start, end = delimiter + b"\r\n", b"\r\n" + delimiter + b"--"
    inner = body.removesuffix(b"\r\n")
    if not inner.startswith(start) or not inner.endswith(end):
        return None
    inner = inner[len(start) : -len(end)]
    if b"\r\n" + delimiter in inner:
        return None  # several fields
    head, separator, content = inner.partition(b"\r\n\r\n")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or name.lower() in headers:
            return None
        headers[name.lower()] = value.strip()
    disposition = _DISPOSITION.fullmatch(headers.pop("content-disposition", ""))
    media_type = headers.pop("content-type", None)
    if not separator or disposition is None or headers:
        return None
    return Part(disposition[1], disposition[2], media_type, content)


def decode_base64(content: bytes) -> bytes | None:
    """What base64 text stands for; None: it is none. Line breaks are ignored."""
    try:
        return binascii.a2b_base64(b"".join(content.split()), strict_mode=True)
    except binascii.Error:
        return None
