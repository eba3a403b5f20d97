"""A case as plain data for a terminal, a browser or a program: what may be shown of it, and no more. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from schemas.jsontext import JsonValue
from schemas.outcomes import CommandEcho, FailedOutcome, Outcome, RejectedOutcome, outcome_id
from worker.deadletters.differences import ABSENT, Absent, Difference, Path, pointer
from worker.deadletters.groups import ADVICE, UNKNOWN_REASON
from worker.deadletters.history import Case, Edit, Failure
from worker.deadletters.masking import (
    MASK,
    disclosed,
    masked,
    masked_attributes,
    scrubbed,
    shown_headers,
    shown_key,
    shown_name,
)
from worker.deadletters.payload import Json, Opaque, payload_of
from worker.model import Record
from worker.outcome_data import called_at

MAX_DIFFERENCES: Final = 200
MAX_OPAQUE: Final = 16_384
"""Bytes that are shown of a value that is not JSON."""


def told(case: Case, *, show: bool) -> dict[str, Any]:
    """Everything about a case, by name; what is not known is None. `show`: personal data, too."""
    one = case.summary
    return {
        "origin": str(one.origin),
        "identity": one.identity,
        "state": one.state.value,
        "stateSince": one.since,
        "deadLetter": str(one.at),
        "cause": {
            "outcome": one.outcome,
            "reason": one.reason,
            "step": one.step,
            "httpStatus": one.http_status,
            "message": one.message,
            "fingerprint": one.fingerprint,
            "invoiceId": one.invoice_id,
            "doubt": one.doubt,
            "attempts": one.attempts,
            "replays": one.replays,
            "firstFailure": one.first_failure,
            "lastFailure": one.last_failure,
            "do": ADVICE.get(one.reason, UNKNOWN_REASON),
        },
        "event": None if case.record is None else _event(case.record, replayed=_is_replayed(case), show=show),
        "history": _history(case),
        "omitted": case.omitted,
        "calls": _calls(case.outcomes),
        "edits": [_edit(edit, show=show) for edit in case.edits],
    }


def _is_replayed(case: Case) -> bool:
    """Whether the latest dead letter is of a record on the replay topic, whose headers a person's tool wrote."""
    return any(failure.at == case.summary.at and failure.cause.replay_count > 0 for failure in case.failures)


def _event(record: Record, *, replayed: bool, show: bool) -> dict[str, Any]:
    event: dict[str, Any] = {
        "key": shown_key(record.key, show=show),
        "headers": [{"name": n, "value": v} for n, v in shown_headers(record.headers, replayed=replayed, show=show)],
    }
    match payload_of(record):
        case Json(data, attributes):
            if attributes is not None:
                event["attributes"] = disclosed(dict(attributes)) if show else masked_attributes(attributes)
            event["data"] = disclosed(data) if show else masked(data)
        case Opaque(value, why) as opaque:
            event["opaque"] = {"why": why, "bytes": len(value or b""), "sha256": opaque.sha256}
            if show and value is not None:
                event["opaque"]["shown"] = legible(value)
    return event


def legible(value: bytes) -> list[str]:
    """Bytes that are not JSON, for people: lines of text where it is UTF-8, else a hexdump; the beginning of it."""
    try:
        # No character of the end may be torn: all of it is decoded before it is cut.
        lines = scrubbed(value.decode(), MAX_OPAQUE).splitlines()
    except UnicodeDecodeError:
        shown = value[:MAX_OPAQUE]
        lines = [_hex_line(shown, start) for start in range(0, len(shown), 16)]
        if len(value) > MAX_OPAQUE:
            lines.append(f"({len(value) - MAX_OPAQUE} more bytes)")
    return lines


def _hex_line(value: bytes, start: int) -> str:
    part = value[start : start + 16]
    letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return f"{start:08x}  {part.hex(' '):<47}  {letters}"


def _history(case: Case) -> list[dict[str, Any]]:
    """Failures and outcomes in the order of time: an outcome and its dead letter are one entry."""
    letters = {failure.cause.outcome_id: failure for failure in case.failures}
    entries: list[tuple[datetime, dict[str, Any]]] = []
    for outcome in case.outcomes:
        origin = outcome.origin
        letter = letters.pop(str(outcome_id(origin.topic, origin.partition, origin.offset)), None)
        entries.append((outcome.settledAt, _outcome(outcome, letter)))
    # Retention took the outcomes of these.
    entries += [(letter.cause.last_failure, _failure(letter)) for letter in letters.values()]
    return [entry for _, entry in sorted(entries, key=lambda pair: pair[0])]


def _outcome(outcome: Outcome, letter: Failure | None) -> dict[str, Any]:
    origin = outcome.origin
    ill = outcome if isinstance(outcome, RejectedOutcome | FailedOutcome) else None
    errors = outcome.errors if isinstance(outcome, RejectedOutcome) else []
    return {
        "at": outcome.settledAt,
        "record": f"{origin.topic}/{origin.partition}/{origin.offset}",
        "outcome": outcome.outcome,
        "reason": None if ill is None else ill.reason,
        "step": None if ill is None else called_at(ill.reason, ill.step, ill.attempts, calls=bool(ill.calls)),
        "httpStatus": None if ill is None else ill.httpStatus,
        "errors": [{"pointer": one.pointer, "code": one.code, "message": one.message} for one in errors],
        "attempts": outcome.attempts,
        "amount": outcome.amount,
        "currency": outcome.currency,
        "command": None if outcome.command is None else _command(outcome.command),
        "deadLetter": None if letter is None else str(letter.at),
    }


def _failure(letter: Failure) -> dict[str, Any]:
    cause = letter.cause
    return {
        "at": cause.last_failure,
        "record": None,
        "outcome": cause.outcome,
        "reason": cause.reason,
        "step": called_at(cause.reason, cause.step, cause.attempts),
        "httpStatus": cause.http_status,
        "errors": [],
        "attempts": cause.attempts,
        "amount": None,
        "currency": None,
        "command": None,
        "deadLetter": str(letter.at),
    }


def _command(command: CommandEcho) -> dict[str, Any]:
    return {
        "id": command.id,
        "verb": command.verb,
        "who": command.who,
        "when": command.when,
        "why": command.why,
        "changed": command.changed or [],
        "seen": bool(command.seen),
    }


def _calls(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Every register call that any outcome tells of, once; the latest outcome knows best what came of it."""
    calls = {(call.intent, call.owner): call for outcome in outcomes for call in outcome.calls}
    return [
        {"at": call.at, "answer": call.answer, "owner": call.owner, "intent": call.intent}
        for call in sorted(calls.values(), key=lambda call: call.at)
    ]


def _edit(edit: Edit, *, show: bool) -> dict[str, Any]:
    command = edit.outcome.command
    assert command is not None
    shown: dict[str, Any] = {"command": _command(command), "changes": None, "more": 0}
    if edit.differences is None or edit.before is None or edit.after is None:
        return shown
    before, after = (disclosed(one.data) if show else masked(one.data) for one in (edit.before, edit.after))
    listed = edit.differences[:MAX_DIFFERENCES]
    shown["changes"] = [_difference(one, before, after, show=show) for one in listed]
    shown["more"] = len(edit.differences) - len(listed)
    return shown


def _difference(one: Difference, before: JsonValue, after: JsonValue, *, show: bool) -> dict[str, Any]:
    """`before` and `after` are absent where nothing stood there."""
    path = one.path if show else tuple(shown_name(part) if isinstance(part, str) else part for part in one.path)
    sides = {"before": (one.before, before), "after": (one.after, after)}
    return {
        "pointer": pointer(path),
        **{name: _find(shown, path) for name, (raw, shown) in sides.items() if raw is not ABSENT},
    }


def _find(value: JsonValue | Absent, path: Path) -> JsonValue:
    """What may be shown of what stands there: masked as a whole where something above it is."""
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return MASK
    return MASK if isinstance(value, Absent) else value
