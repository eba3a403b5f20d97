"""What a dead letter's record holds: JSON where it is that, else bytes. Pure; never raises, whatever the bytes are."""

import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from schemas.jsontext import JsonError, JsonValue, loads
from worker.model import Record

_STRUCTURED: Final = b"application/cloudevents+json"
_CURRENCY: Final = re.compile("[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Json:
    """A value that is JSON. `data`: the event's own; `attributes`: those of a structured CloudEvent, else None."""

    data: JsonValue
    attributes: Mapping[str, JsonValue] | None


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value that is not JSON that the worker takes, or no value at all: `why` is a sentence without any of it."""

    value: bytes | None
    why: str

    @property
    def sha256(self) -> str:
        """Hex, over the bytes."""
        return hashlib.sha256(self.value or b"").hexdigest()


Payload = Json | Opaque


def payload_of(record: Record) -> Payload:
    """What the record's value is."""
    if record.value is None:
        return Opaque(None, "The record has no value: a tombstone.")
    body = loads(record.value)
    if isinstance(body, JsonError):
        return Opaque(record.value, body.message)
    if not _is_structured(record) or not isinstance(body, dict):
        return Json(body, None)
    attributes = {name: value for name, value in body.items() if name not in {"data", "data_base64"}}
    encoded = body.get("data_base64")
    if encoded is None:
        return Json(body.get("data"), attributes)
    try:
        inner = loads(binascii.a2b_base64(encoded if isinstance(encoded, str) else "=", strict_mode=True))
    except ValueError:
        return Opaque(record.value, "The CloudEvent's data_base64 is not base64.")
    return Opaque(record.value, inner.message) if isinstance(inner, JsonError) else Json(inner, attributes)


def amount_of(record: Record) -> tuple[Decimal, str] | tuple[None, None]:
    """What the event claims, and its currency, where both are legal by themselves; the rest may be wrong."""
    payload = payload_of(record)
    data = payload.data if isinstance(payload, Json) else None
    invoice = data.get("invoice") if isinstance(data, dict) else None
    if not isinstance(invoice, dict):
        return None, None
    amount, currency = invoice.get("originalAmount"), invoice.get("currencyCode")
    if isinstance(amount, bool) or not isinstance(amount, int | Decimal):
        return None, None
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        return None, None
    return Decimal(amount), currency


def _is_structured(record: Record) -> bool:
    headers = {name.lower(): value or b"" for name, value in record.headers}
    return headers.get("content-type", b"").strip().lower().startswith(_STRUCTURED)
