"""What a record says of its event before anybody looks at the data: CloudEvents 1.0 in Kafka's bindings. Pure.

Binary mode: attributes are headers `ce_<name>`, the value is the data. Structured mode: content type
`application/cloudevents+json`, everything is in the value. Neither: bare JSON, without id and source. Source: the
CloudEvents 1.0.2 specification and its Kafka protocol binding; header names are compared without regard to case, and
of a repeated header the last counts, as Kafka's `lastHeader` has it.
"""

import binascii
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.attributes import MAX_ATTRIBUTE, STRUCTURED
from schemas.events import REQUESTED_TYPE
from schemas.jsontext import JsonError, JsonValue, loads
from worker import replayed
from worker.model import Envelope, Problem, Record

_REQUIRED: Final = ("specversion", "id", "source", "type")
_TEXTS: Final = (*_REQUIRED, "time", "correlationid")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# CloudEvents, "Type System": strings hold no control characters.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_TYPE: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope in order, and the JSON that it holds."""

    envelope: Envelope
    data: JsonValue
    type: str | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No envelope or no JSON; `envelope` has what could be read all the same."""

    envelope: Envelope
    problems: tuple[Problem, ...]


def open_record(
    record: Record, types: Sequence[str] = (REQUESTED_TYPE,), *, by_person: bool = False
) -> Opened | Unreadable:
    """The envelope and the data of `record`, or everything that is wrong with either. Never raises.

    `types`: the CloudEvents types that this topic may hold. `by_person`: it is the operators' own topic, so its headers
    are believed when they say what they replay and who sent it again.
    """
    headers = {name.lower(): value or b"" for name, value in record.headers}
    found: list[Problem] = []
    traceparent: JsonValue = None
    if _media_type(headers, found) == STRUCTURED:
        event = _structured(record, found)
        texts = {name: _json_text(name, event, found) for name in _TEXTS}
        present = {name for name in _TEXTS if event.get(name) is not None}
        is_event = bool(event)
        traceparent = event.get("traceparent")
        data = _structured_data(event, found) if event else None
    else:
        texts = {name: _header_text(f"ce_{name}", headers, found) for name in _TEXTS}
        present = {name for name in _TEXTS if f"ce_{name}" in headers}
        is_event = any(name.startswith("ce_") for name in headers)
        data = _parsed(record.value, found)
    if is_event:
        _check_attributes(texts, present, types, found)
    envelope = Envelope(
        origin=record.coordinates,
        event_id=texts["id"],
        source=texts["source"],
        correlation_id=texts["correlationid"],
        traceparent=_traceparent(traceparent, headers),
        time=_time(texts["time"], record.timestamp_ms, found),
        replay_of=replayed.replay_of(headers, found) if by_person else None,
        audit=replayed.audit(headers, found) if by_person else None,
    )
    return Unreadable(envelope, tuple(found)) if found else Opened(envelope, data, texts["type"])


def _media_type(headers: Mapping[str, bytes], found: list[Problem]) -> str:
    # Anything but CloudEvents' own types is left to the JSON parser: producers of bare JSON write all sorts of things.
    value = headers.get("content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    if value.startswith("application/cloudevents") and value != STRUCTURED:
        found.append(
            Problem("", "unknown_format", f"Of CloudEvents' structured formats only {STRUCTURED} is understood.")
        )
    return value


def _parsed(value: bytes | None, found: list[Problem]) -> JsonValue:
    if value is None:
        found.append(Problem("", "tombstone", "The record has no value: a tombstone is not an invoice event."))
        return None
    match loads(value):
        case JsonError(code, message):
            found.append(Problem("", code, message))
            return None
        case data:
            return data


def _structured(record: Record, found: list[Problem]) -> dict[str, JsonValue]:
    before = len(found)
    body = _parsed(record.value, found)
    if isinstance(body, dict) and body:
        return body
    if len(found) == before:
        found.append(Problem("", "not_an_event", "A structured CloudEvent must be a JSON object with its attributes."))
    return {}


def _structured_data(body: dict[str, JsonValue], found: list[Problem]) -> JsonValue:
    encoded = body.get("data_base64")
    if encoded is None:
        if body.get("data") is None:
            found.append(Problem("", "no_data", "The CloudEvent has no data."))
        return body.get("data")
    if body.get("data") is not None:
        found.append(Problem("", "data_twice", "The CloudEvent has both data and data_base64: leave one out."))
        return None
    try:
        return _parsed(binascii.a2b_base64(encoded if isinstance(encoded, str) else "=", strict_mode=True), found)
    except ValueError:
        found.append(Problem("", "bad_base64", "The CloudEvent's data_base64 is not base64 (RFC 4648, padded)."))
        return None


def _json_text(name: str, body: dict[str, JsonValue], found: list[Problem]) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        found.append(Problem("", "wrong_type", f"The CloudEvents attribute {name} must be a string."))
        return None
    return _checked(name, value, found)


def _header_text(name: str, headers: Mapping[str, bytes], found: list[Problem]) -> str | None:
    value = headers.get(name)
    if value is None:
        return None
    try:
        return _checked(name, value.decode(), found)
    except UnicodeDecodeError:
        found.append(Problem("", "wrong_encoding", f"The header {name} must be UTF-8."))
        return None


def _checked(name: str, text: str, found: list[Problem]) -> str | None:
    if not text or text.isspace():
        found.append(Problem("", "empty", f"The CloudEvents attribute {name} is empty."))
    elif len(text.encode()) > MAX_ATTRIBUTE:
        found.append(
            Problem("", "text_too_long", f"The CloudEvents attribute {name} has more than {MAX_ATTRIBUTE} bytes.")
        )
    elif _CONTROLS.search(text):
        found.append(Problem("", "control_character", f"The CloudEvents attribute {name} holds control characters."))
    else:
        return text
    return None


def _check_attributes(
    texts: Mapping[str, str | None], present: Container[str], types: Sequence[str], found: list[Problem]
) -> None:
    found += [
        Problem("", f"missing_{name}", f"The CloudEvents attribute {name} is missing.")
        for name in _REQUIRED
        if name not in present
    ]
    if texts["specversion"] not in {None, "1.0"}:
        found.append(Problem("", "unknown_specversion", "The CloudEvents specversion must be 1.0."))
    kind = texts["type"]
    if kind is not None and kind not in types:
        got = f", not {kind}" if kind and _TYPE.fullmatch(kind) else ""
        known = " or ".join(types)
        found.append(Problem("", "unknown_type", f"The CloudEvents type must be {known}{got}."))


def _time(text: str | None, timestamp_ms: int, found: list[Problem]) -> datetime:
    if text is not None:
        if _RFC3339.fullmatch(text):
            try:
                return datetime.fromisoformat(text.upper()).astimezone(UTC)
            except (ValueError, OverflowError):
                pass  # reported below: no such day, or out of range once it is in UTC
        found.append(Problem("", "bad_time", "The CloudEvents time must be a timestamp as RFC 3339 has it."))
    try:
        return _EPOCH + timedelta(milliseconds=max(timestamp_ms, 0))
    except OverflowError:
        return _EPOCH


def _traceparent(attribute: JsonValue, headers: Mapping[str, bytes]) -> str | None:
    # W3C Trace Context: a malformed one is ignored. The extension attribute comes first, as the producer meant it.
    for value in (attribute, headers.get("ce_traceparent"), headers.get("traceparent")):
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if isinstance(text, str) and _TRACEPARENT.fullmatch(text):
            return text
    return None
