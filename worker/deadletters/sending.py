"""The records that a person's decisions are: replays, edits, verdicts, discards, for the replay topic. Pure.

A command's id is made of its run's name and its dead letter's origin: a run that sends one twice, because it was
interrupted and could not know, sends the same id, which has no effect the second time.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from schemas.attributes import STRUCTURED
from schemas.commands import (
    COMMAND_CHANGED,
    COMMAND_HEADERS,
    COMMAND_ID,
    COMMAND_RUN,
    COMMAND_TYPE,
    COMMAND_VERB,
    COMMAND_WHEN,
    COMMAND_WHO,
    COMMAND_WHY,
    REPLAY_OF,
    DiscardCommand,
    NotRegisteredVerdict,
    RegisteredVerdict,
)
from schemas.events import InvoiceRequest, check, identity_of, readable_identity
from schemas.identity import partition_for
from schemas.jsontext import JsonValue, dumps, loads
from worker.deadletters.changes import changed_header
from worker.envelope import Unreadable, open_record
from worker.model import Coordinates, OutRecord, Record
from worker.replayed import EDIT, MAX_WORDS, REPLAY

NAMESPACE: Final = uuid.UUID("0b0f9a52-3a0e-4c35-9d0f-6f1f7f6f9a11")
"""Namespace of all command ids. Never to change: an interrupted run could not be resumed."""
_AUDIT: Final = frozenset({REPLAY_OF, *COMMAND_HEADERS})


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose decision it is. `run` names the run of the tool; `who` and `why` stay in the outcomes for good."""

    run: str
    who: str
    when: datetime
    why: str

    def problem(self) -> str | None:
        """What the worker would refuse, in words for who typed it."""
        for name, text in (("who", self.who), ("why", self.why)):
            if not text.strip():
                return f"--{name} is empty: say {name}, for the audit"
            if len(text) > MAX_WORDS:
                return f"--{name} has {len(text)} characters, at most {MAX_WORDS} are kept"
        return None


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go: the replay topic, and how many partitions the inputs have."""

    topic: str
    partitions: int


@dataclass(frozen=True, slots=True)
class Letter:
    """The dead letter that is decided about: its record, the origin that names it, and whether it was misrouted."""

    record: Record
    origin: Coordinates
    misrouted: bool = False


def command_id(run: str, origin: Coordinates | str, verb: str) -> str:
    """UUIDv5 of the run, what it does, and the dead letter's origin (the invoice, where nothing is dead)."""
    return str(uuid.uuid5(NAMESPACE, f"{run}\n{verb}\n{origin}"))


def identity_in(record: Record) -> str | None:
    """The invoice that the record is about, as the worker reads it; None where it can't be read."""
    opened = open_record(record)
    if isinstance(opened, Unreadable):
        return None
    checked = check(opened.data)
    return identity_of(checked) if isinstance(checked, InvoiceRequest) else readable_identity(opened.data)


def replay(letter: Letter, decision: Decision, target: Target) -> OutRecord:
    """The dead letter's record once more: key, value and own headers as they were, for the partition that is right."""
    record = letter.record
    identity = identity_in(record)
    key = identity.encode() if letter.misrouted and identity is not None else record.key
    return OutRecord(
        target.topic,
        partition_of(identity, letter.origin, target),
        key,
        record.value,
        (*_own(record.headers), *_audit(REPLAY, letter.origin, decision)),
    )


def edit(
    letter: Letter,
    value: bytes,
    headers: Iterable[tuple[str, bytes]],
    changed: Iterable[str],
    decision: Decision,
    target: Target,
) -> OutRecord:
    """The corrected record; `value` and `headers` as `corrected` gives them, `changed`: pointers into the data."""
    headers = _own(headers)
    identity = identity_in(as_replay(OutRecord(target.topic, 0, None, value, headers)))
    return OutRecord(
        target.topic,
        partition_of(identity, letter.origin, target),
        letter.record.key if identity is None else identity.encode(),
        value,
        (*headers, *_audit(EDIT, letter.origin, decision), (COMMAND_CHANGED, changed_header(changed).encode())),
    )


def corrected(record: Record, data: JsonValue, *, bare: bool = False) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
    """Value and headers of the record with other data, in the envelope that it had.

    `bare`: without its CloudEvents envelope, for one that is broken. Data with a `specversion` is a whole structured
    event, which replaces the envelope.
    """
    if isinstance(data, dict) and "specversion" in data:
        return dumps(data), (*_without_envelope(record.headers), ("content-type", STRUCTURED.encode()))
    if bare:
        return dumps(data), (*_without_envelope(record.headers), ("content-type", b"application/json"))
    if _is_structured(record):
        event = loads(record.value or b"")
        if isinstance(event, dict):
            return dumps({name: item for name, item in event.items() if name != "data_base64"} | {"data": data}), (
                record.headers
            )
    return dumps(data), record.headers


def verdict(
    origin: Coordinates | None, identity: str, doubt: int, invoice_id: str | None, decision: Decision, target: Target
) -> OutRecord:
    """What became of a doubt: registered under this id, or not where there is none. `origin` None: nothing is dead."""
    who, when, why = decision.who, decision.when, decision.why
    command = (
        NotRegisteredVerdict(verb="not_registered", identity=identity, doubt=doubt, who=who, when=when, why=why)
        if invoice_id is None
        else RegisteredVerdict(
            verb="registered", identity=identity, doubt=doubt, invoiceId=invoice_id, who=who, when=when, why=why
        )
    )
    return _command(command, identity, origin, decision, target)


def discard(
    origin: Coordinates, identity: str | None, decision: Decision, target: Target, *, for_good: bool
) -> OutRecord:
    """The dead letter shall not be processed; `for_good`: nor later events of its invoice."""
    command = DiscardCommand(
        verb="discard",
        identity=identity,
        forGood=for_good and identity is not None,
        who=decision.who,
        when=decision.when,
        why=decision.why,
    )
    return _command(command, identity, origin, decision, target)


def partition_of(identity: str | None, origin: Coordinates | None, target: Target) -> int:
    """Where a record about this invoice belongs; without an identity, where its origin stands."""
    if identity is not None:
        return partition_for(identity.encode(), target.partitions)
    return 0 if origin is None else origin.partition


def as_replay(record: OutRecord, *, timestamp_ms: int = 0) -> Record:
    """A record to send, as the worker will read it; its offset is not known yet."""
    return Record(record.topic, record.partition, 0, timestamp_ms, record.key, record.value, record.headers)


def _command(
    command: RegisteredVerdict | NotRegisteredVerdict | DiscardCommand,
    identity: str | None,
    origin: Coordinates | None,
    decision: Decision,
    target: Target,
) -> OutRecord:
    texts = {
        "ce_specversion": "1.0",
        "ce_id": command_id(decision.run, origin or identity or "", command.verb),
        "ce_source": "/kravia-invoice-worker/dead-letters",
        "ce_type": COMMAND_TYPE,
        "ce_time": _time(decision.when),
        "content-type": "application/json",
        COMMAND_RUN: decision.run,
        **({} if origin is None else {REPLAY_OF: str(origin)}),
    }
    return OutRecord(
        target.topic,
        partition_of(identity, origin, target),
        (identity or str(origin)).encode(),
        command.model_dump_json(exclude_none=True).encode(),
        tuple((name, text.encode()) for name, text in texts.items()),
    )


def _audit(verb: str, origin: Coordinates, decision: Decision) -> tuple[tuple[str, bytes], ...]:
    texts = {
        REPLAY_OF: str(origin),
        COMMAND_ID: command_id(decision.run, origin, verb),
        COMMAND_VERB: verb,
        COMMAND_WHO: decision.who,
        COMMAND_WHEN: _time(decision.when),
        COMMAND_WHY: decision.why,
        COMMAND_RUN: decision.run,
    }
    return tuple((name, text.encode()) for name, text in texts.items())


def _own(headers: Iterable[tuple[str, bytes]]) -> tuple[tuple[str, bytes], ...]:
    """Without what an earlier replay said of itself; what the worker said of the failure goes along."""
    return tuple((name, value) for name, value in headers if name.lower() not in _AUDIT)


def _without_envelope(headers: Iterable[tuple[str, bytes]]) -> tuple[tuple[str, bytes], ...]:
    return tuple(
        (name, value)
        for name, value in headers
        if not name.lower().startswith("ce_") and name.lower() != "content-type"
    )


def _is_structured(record: Record) -> bool:
    kinds = [value for name, value in record.headers if name.lower() == "content-type"]
    return bool(kinds) and (kinds[-1] or b"").partition(b";")[0].strip().lower() == STRUCTURED.encode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
