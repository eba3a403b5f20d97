"""CloudEvents 1.0 in Kafka, as JSON Schemas: the headers of binary mode, the value of structured mode.

Source: the CloudEvents 1.0.2 specification, its JSON format and its Kafka protocol binding.
"""

from collections.abc import Mapping
from typing import Any, Final

from schemas.attributes import MAX_ATTRIBUTE, STRUCTURED

COORDINATES: Final = r"^[A-Za-z0-9._-]{1,249}/\d{1,10}/\d{1,19}$"
"""`topic/partition/offset`."""

Schema = dict[str, Any]

REPLAY_OF: Final[Schema] = {
    "type": "string",
    "pattern": COORDINATES,
    "description": "topic/partition/offset of the record that this one replays.",
    "examples": ["invoice.requests/11/7"],
}
"""The header `replay-of`."""

_TRACEPARENT: Final[Schema] = {
    "type": "string",
    "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
    "description": "W3C Trace Context. Passed on into the outcome; a malformed one is ignored.",
    "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
}
_CONTENT_TYPE: Final[Schema] = {
    "type": "string",
    "description": "Media type of the value. Header names are compared without regard to case.",
    "examples": ["application/json"],
}


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": MAX_ATTRIBUTE, "description": description, **more}


def _attributes(kind: str) -> dict[str, Schema]:
    return {
        "specversion": {"type": "string", "const": "1.0", "description": "Of CloudEvents."},
        "id": _text("With source it names the event; comes back in the outcome as causationid and eventId."),
        "source": _text("Who says so.", format="uri-reference", examples=["/erp/oslo"]),
        "type": {"type": "string", "const": kind, "description": "What it is."},
        "time": {
            "type": "string",
            "format": "date-time",
            "description": "When it happened, RFC 3339; else the record's timestamp counts.",
        },
        "correlationid": _text("Extension: comes back in the outcome; else the event's id does."),
    }


_REQUIRED: Final = ("specversion", "id", "source", "type")


def binary_headers(kind: str, more: Mapping[str, Schema] | None = None) -> Schema:
    """Headers of an event of this type in binary mode. `more`: further headers."""
    return {
        "type": "object",
        "required": [f"ce_{name}" for name in _REQUIRED],
        "properties": {
            **{f"ce_{name}": schema for name, schema in _attributes(kind).items()},
            "traceparent": _TRACEPARENT,
            "content-type": _CONTENT_TYPE,
            **(more or {}),
        },
    }


def structured_headers(more: Mapping[str, Schema] | None = None) -> Schema:
    """Headers of a structured event."""
    content_type = {
        "type": "string",
        "pattern": r"^application/cloudevents\+json *(;.*)?$",
        "description": "Says that the value is a whole CloudEvent. Header names are compared without regard to case.",
        "examples": [STRUCTURED],
    }
    return {
        "type": "object",
        "required": ["content-type"],
        "properties": {"content-type": content_type, "traceparent": _TRACEPARENT, **(more or {})},
    }


def structured_value(kind: str, data: Schema) -> Schema:
    """Value of an event of this type in structured mode."""
    encoded = {"type": "string", "contentEncoding": "base64", "description": "The data in base64, in place of data."}
    return {
        "type": "object",
        "required": list(_REQUIRED),
        "properties": {
            **_attributes(kind),
            "datacontenttype": {"type": "string", "description": "Media type of data; it is JSON."},
            "traceparent": _TRACEPARENT,
            "data": data,
            "data_base64": encoded,
        },
        "oneOf": [{"required": ["data"]}, {"required": ["data_base64"]}],
    }


def outcome_headers(kind: str) -> Schema:
    """Headers of an outcome event of this type."""
    text: Schema = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "required": [
            *(f"ce_{name}" for name in (*_REQUIRED, "time", "subject", "correlationid", "causationid")),
            "content-type",
        ],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0", "description": "Of CloudEvents."},
            "ce_id": {
                "type": "string",
                "format": "uuid",
                "description": "UUIDv5 of the input's topic/partition/offset: drop what you have seen.",
            },
            "ce_type": {"type": "string", "const": kind, "description": "How the input ended."},
            "ce_source": text | {"description": "The worker: /kravia-invoice-worker/ and its group."},
            "ce_time": {"type": "string", "format": "date-time", "description": "When it was settled."},
            "ce_subject": text | {"description": "The invoice's identity, else the input's topic/partition/offset."},
            "ce_correlationid": text | {"description": "The input's correlationid, else its id, else where it stands."},
            "ce_causationid": text | {"description": "The input's id, else where it stands."},
            "traceparent": _TRACEPARENT,
            "replay-of": REPLAY_OF,
            "content-type": {"type": "string", "const": "application/json"},
        },
    }
