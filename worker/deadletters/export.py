"""Dead letters as JSON Lines, to keep or to hand on: records as they are, or masked. Pure."""

import base64
from typing import Final

from schemas.dead_letters import read_headers
from schemas.jsontext import JsonValue, dumps
from worker.deadletters.board import Summary
from worker.deadletters.masking import masked, masked_attributes, shown_headers, shown_key
from worker.deadletters.payload import Json, Opaque, payload_of
from worker.model import Record

VERSION: Final = 1
"""Of the lines."""


def line(summary: Summary, record: Record, *, mask: bool) -> bytes:
    """One dead letter, with a line break at its end.

    As it is: `key`, `value` and each header's value are base64, null where there is none. Masked: `value` is absent,
    `masked` has what may be shown of it, and headers and key are texts.
    """
    shown: dict[str, JsonValue] = {
        "version": VERSION,
        "at": str(summary.at),
        "origin": str(summary.origin),
        "identity": summary.identity,
        "state": summary.state.value,
        "outcome": summary.outcome,
        "reason": summary.reason,
        "fingerprint": summary.fingerprint,
        "message": summary.message,
        "timestampMs": record.timestamp_ms,
    }
    if mask:
        shown["key"] = shown_key(record.key, show=False)
        cause = read_headers(record.headers)
        replayed = not isinstance(cause, list) and cause.replay_count > 0
        shown["headers"] = [[*pair] for pair in shown_headers(record.headers, replayed=replayed, show=False)]
        shown["masked"] = _masked(record)
    else:
        shown["key"] = _base64(record.key)
        shown["headers"] = [[name, _base64(value)] for name, value in record.headers]
        shown["value"] = _base64(record.value)
    return dumps(shown) + b"\n"


def _masked(record: Record) -> JsonValue:
    match payload_of(record):
        case Json(data, None):
            return {"data": masked(data)}
        case Json(data, attributes):
            return {"attributes": masked_attributes(attributes or {}), "data": masked(data)}
        case Opaque(value, why) as opaque:
            return {"bytes": len(value or b""), "sha256": opaque.sha256, "why": why}


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
