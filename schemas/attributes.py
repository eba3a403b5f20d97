"""CloudEvents attributes as a producer gives them: checked before they are sent, as the worker checks them after.

Source: CloudEvents 1.0.2 with its Kafka protocol binding, and W3C Trace Context for `traceparent`.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, PlainValidator
from pydantic_core import PydanticCustomError

from schemas.fields import strict_text

SPECVERSION: Final = "1.0"
STRUCTURED: Final = "application/cloudevents+json"
"""Content type of a record whose value holds attributes and data."""
JSON: Final = "application/json"
MAX_ATTRIBUTE: Final = 1024
"""UTF-8 bytes of an attribute: it travels on in the headers of outcomes. Ours."""

# CloudEvents, "Type System": strings hold no control characters.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_TRACEPARENT: Final = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def _attribute(value: object) -> str:
    text = strict_text(value)
    if not text or text.isspace():
        raise PydanticCustomError(
            "empty", "This attribute is empty: give a text, or leave it out where it is optional."
        )
    if len(text.encode()) > MAX_ATTRIBUTE:
        raise PydanticCustomError(
            "text_too_long", "This attribute has more than {limit} bytes in UTF-8.", {"limit": MAX_ATTRIBUTE}
        )
    if _CONTROLS.search(text):
        raise PydanticCustomError("control_character", "This attribute must not hold control characters.")
    return text


def _traceparent(value: object) -> str:
    text = strict_text(value)
    if not _TRACEPARENT.fullmatch(text):
        raise PydanticCustomError(
            "bad_format", "This must be a W3C traceparent in lower case: version-trace_id-parent_id-flags."
        )
    return text


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("bad_time", "This time is outside the years 1 to 9999 in UTC.") from None


Attribute = Annotated[str, PlainValidator(_attribute)]
"""Text of an attribute: not blank, at most 1024 bytes, without control characters."""

Traceparent = Annotated[str, PlainValidator(_traceparent)]
"""A W3C trace context."""

UtcTime = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A time with its zone, brought to UTC."""


def rfc3339(time: datetime) -> str:
    """`time` (UTC) as RFC 3339 writes it, with microseconds where it has some."""
    return time.isoformat().replace("+00:00", "Z")
