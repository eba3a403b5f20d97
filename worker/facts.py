"""The journal's records, version 1, and what they add up to for one event. Pure.

A fact is about the world (*I am about to register*, *Kravia answered id 4711*): it counts as soon as the broker has
acknowledged it. JSON, one object; the record's key is the identity. A reader refuses a newer version by name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from worker.model import Call, Coordinates

VERSION = 1
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
"""Made once: `json.dumps` with options makes one for every call."""


class UnreadableRecordError(ValueError):
    """A journal or ledger record that this version can't read; the message names what was found."""


class Kind(StrEnum):
    CLAIM = "claim"
    INTENT = "intent"
    REGISTERED = "registered"
    NOT_CARRIED_OUT = "not_carried_out"
    UNCLEAR = "unclear"
    ATTACHED = "attached"
    STARTED = "started"
    RENEW = "renew"


@dataclass(frozen=True, slots=True)
class Fact:
    """One journal record.

    `owner` is the random id of an ownership, `at` wall time. `intent` is the journal offset of the intent that the
    fact is about (claim, intent and renew have none; a fact of an invoice registered by an earlier event may lack it).
    """

    kind: Kind
    owner: str
    at: datetime
    input: Coordinates | None = None
    identity: str | None = None
    intent: int | None = None
    invoice_id: str | None = None
    answer_class: str | None = None
    sha256: str | None = None


def encode(fact: Fact) -> bytes:
    """The journal record's value."""
    data: dict[str, Any] = {"v": VERSION, "kind": fact.kind.value, "owner": fact.owner, "at": fact.at.isoformat()}
    if fact.input is not None:
        data["input"] = [fact.input.topic, fact.input.partition, fact.input.offset]
    optional = {
        "identity": fact.identity,
        "intent": fact.intent,
        "id": fact.invoice_id,
        "class": fact.answer_class,
        "sha256": fact.sha256,
    }
    data |= {name: value for name, value in optional.items() if value is not None}
    return _ENCODER.encode(data).encode()


def decode(value: bytes) -> Fact:
    """The fact in a journal record's value. Raises UnreadableRecordError."""
    data = versioned(value, "journal", VERSION)
    try:
        origin = data.get("input")
        return Fact(
            kind=Kind(data["kind"]),
            owner=data["owner"],
            at=datetime.fromisoformat(data["at"]),
            input=None if origin is None else Coordinates(*origin),
            identity=data.get("identity"),
            intent=data.get("intent"),
            invoice_id=data.get("id"),
            answer_class=data.get("class"),
            sha256=data.get("sha256"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRecordError(f"journal record lacks or garbles a field: {error!r}") from error


def versioned(value: bytes, what: str, version: int) -> Mapping[str, Any]:
    """The JSON object in `value` when its `v` is at most `version`. Raises UnreadableRecordError."""
    try:
        data = json.loads(value)
    except ValueError as error:
        raise UnreadableRecordError(f"{what} record is not JSON") from error
    if not isinstance(data, dict) or not isinstance(data.get("v"), int):
        raise UnreadableRecordError(f"{what} record has no version")
    if data["v"] > version:
        raise UnreadableRecordError(
            f"{what} record has version {data['v']}, this worker reads up to {version}: run the newer worker"
        )
    return data


@dataclass(slots=True)
class Attempt:
    """One register call: its intent and what came of it."""

    intent: int
    at: datetime
    owner: str
    answer: Kind | None = None
    answer_class: str | None = None

    def as_call(self) -> Call:
        answer = "unknown" if self.answer is None else self.answer.value
        return Call(self.at, f"{answer}:{self.answer_class}" if self.answer_class else answer, self.owner, self.intent)


@dataclass(slots=True)
class Progress:
    """What the journal says of one event. `first` is the smallest journal offset of its facts, for the trim."""

    first: int | None = None
    attempts: list[Attempt] = field(default_factory=list)
    invoice_id: str | None = None
    attached: set[str] = field(default_factory=set)
    started: bool = False
    identity: str | None = None
    since: datetime | None = field(default=None, compare=False)
    """When its first fact was written, by the clock of who wrote it."""

    def add(self, offset: int, fact: Fact) -> None:
        """Take in a fact that stands at `offset` of the journal; facts come in the journal's order."""
        if self.first is None:
            self.first, self.identity, self.since = offset, fact.identity, fact.at
        match fact.kind:
            case Kind.INTENT:
                self.attempts.append(Attempt(offset, fact.at, fact.owner))
            case Kind.REGISTERED | Kind.NOT_CARRIED_OUT | Kind.UNCLEAR:
                self._answer(fact)
            case Kind.ATTACHED:
                if fact.sha256 is not None:
                    self.attached.add(fact.sha256)
            case Kind.STARTED:
                self.started = True
            case Kind.CLAIM | Kind.RENEW:
                pass

    def _answer(self, fact: Fact) -> None:
        if fact.kind is Kind.REGISTERED:
            self.invoice_id = fact.invoice_id
        for attempt in reversed(self.attempts):
            if attempt.intent == fact.intent:
                attempt.answer, attempt.answer_class = fact.kind, fact.answer_class
                return

    @property
    def doubt(self) -> int | None:
        """The intent whose call may have been carried out, if there is one (the latest)."""
        if self.invoice_id is not None:
            return None
        for attempt in reversed(self.attempts):
            if attempt.answer is None or attempt.answer is Kind.UNCLEAR:
                return attempt.intent
        return None
