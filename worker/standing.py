"""The ledger's records, version 1: how an identity stands, and the header of a ledger partition. Pure.

Entry: key = identity (or `topic/partition/offset` of a record without one), value = JSON. Header: key = `HEADER_KEY`.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from worker.facts import Progress, UnreadableRecordError, versioned
from worker.model import (
    Call,
    Discarded,
    Ending,
    Event,
    Failed,
    Reason,
    Refusal,
    Rejected,
    Repeated,
    Resolved,
    Scheduled,
    TopicNames,
)

VERSION = 1
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
"""Made once: `json.dumps` with options makes one for every call."""
HEADER_KEY = b"!header"
"""No identity begins with `!`: identities begin with creditorId's digits, coordinates with a topic name."""
PARTITIONER = "murmur2"
MAX_CALLS = 16
_CERTAINLY_NOT = "not_carried_out"
MAX_COMMANDS = 32


class State(StrEnum):
    """How an identity stands."""

    ABSENT = "absent"
    """Certainly not registered."""
    SCHEDULED = "scheduled"
    REGISTERED = "registered"
    """Registered, and failed later."""
    IN_DOUBT = "in_doubt"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger holds of one identity.

    `settled`: the last settled offset of requests and of replays, -1 for none. `outcome`: the id of the outcome
    event that holds (what a repeat points to). `folded` counts the register calls that are too old to be listed,
    by answer.
    """

    state: State = State.ABSENT
    settled: tuple[int, int] = (-1, -1)
    invoice_id: str | None = None
    doubt: int | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    amount: str | None = None
    currency: str | None = None
    outcome: str | None = None
    calls: tuple[Call, ...] = ()
    folded: Mapping[str, int] = field(default_factory=dict)
    replays: int = 0
    commands: tuple[str, ...] = ()

    def with_calls(self, more: Sequence[Call]) -> "Entry":
        """Append register calls; the oldest beyond `MAX_CALLS` are folded into counts."""
        calls, folded = [*self.calls, *more], dict(self.folded)
        while len(calls) > MAX_CALLS:
            answer = calls.pop(0).answer
            folded[answer] = folded.get(answer, 0) + 1
        return replace(self, calls=tuple(calls), folded=folded)

    @property
    def possible_double(self) -> bool:
        """Whether more than one register call may have been carried out, as far as no one resolved it."""
        answers = [*(call.answer for call in self.calls)]
        may = sum(not answer.startswith(_CERTAINLY_NOT) for answer in answers)
        may += sum(count for answer, count in self.folded.items() if not answer.startswith(_CERTAINLY_NOT))
        return may > 1

    def with_settled(self, inputs: tuple[str, str], topic: str, offset: int) -> "Entry":
        """Move the settled offset of `topic` (one of `inputs`) up to `offset`."""
        requests, replays = self.settled
        settled = (max(requests, offset), replays) if topic == inputs[0] else (requests, max(replays, offset))
        return replace(self, settled=settled)


def encode_entry(entry: Entry) -> bytes:
    """The ledger record's value; what is empty is left out."""
    data: dict[str, Any] = {"v": VERSION, "state": entry.state.value, "settled": list(entry.settled)}
    optional = {
        "id": entry.invoice_id,
        "digests": dict(entry.digests),
        "attached": list(entry.attached),
        "amount": entry.amount,
        "currency": entry.currency,
        "outcome": entry.outcome,
        "calls": [[call.at.isoformat(), call.answer, call.owner, call.intent] for call in entry.calls],
        "folded": dict(entry.folded),
        "replays": entry.replays,
        "commands": list(entry.commands),
    }
    data |= {name: value for name, value in optional.items() if value}
    if entry.doubt is not None:
        data["doubt"] = entry.doubt
    return _ENCODER.encode(data).encode()


def decode_entry(value: bytes) -> Entry:
    """The entry in a ledger record's value. Raises UnreadableRecordError."""
    data = versioned(value, "ledger", VERSION)
    try:
        requests, replays = data["settled"]
        return Entry(
            state=State(data["state"]),
            settled=(requests, replays),
            invoice_id=data.get("id"),
            doubt=data.get("doubt"),
            digests=data.get("digests", {}),
            attached=tuple(data.get("attached", ())),
            amount=data.get("amount"),
            currency=data.get("currency"),
            outcome=data.get("outcome"),
            calls=tuple(
                Call(datetime.fromisoformat(at), answer, owner, intent)
                for at, answer, owner, intent in data.get("calls", ())
            ),
            folded=data.get("folded", {}),
            replays=data.get("replays", 0),
            commands=tuple(data.get("commands", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRecordError(f"ledger record lacks or garbles a field: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Header:
    """What a ledger partition says of the worker that it belongs to. `digest_key`: 32 random bytes."""

    group: str
    topics: TopicNames
    partitions: int
    partitioner: str
    digest_key: bytes

    def differences(self, group: str, topics: TopicNames, partitions: int) -> list[str]:
        """What the configuration says otherwise, a sentence each; empty when they agree."""
        pairs = [("consumer group (KAFKA_GROUP_ID)", self.group, group)]
        pairs += [
            (f"topic TOPIC_{name.upper()}", getattr(self.topics, name), getattr(topics, name))
            for name in TopicNames.__dataclass_fields__
        ]
        pairs += [
            ("partition count", str(self.partitions), str(partitions)),
            ("partitioner", self.partitioner, PARTITIONER),
        ]
        return [f"{what}: the ledger says {was!r}, this worker {now!r}" for what, was, now in pairs if was != now]


def encode_header(header: Header) -> bytes:
    """The header record's value."""
    topics = {name: getattr(header.topics, name) for name in TopicNames.__dataclass_fields__}
    data = {
        "v": VERSION,
        "group": header.group,
        "topics": topics,
        "partitions": header.partitions,
        "partitioner": header.partitioner,
        "digestKey": header.digest_key.hex(),
    }
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def decode_header(value: bytes) -> Header:
    """The header in a record's value. Raises UnreadableRecordError."""
    data = versioned(value, "ledger header", VERSION)
    try:
        return Header(
            group=data["group"],
            topics=TopicNames(**data["topics"]),
            partitions=data["partitions"],
            partitioner=data["partitioner"],
            digest_key=bytes.fromhex(data["digestKey"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRecordError(f"ledger header lacks or garbles a field: {error!r}") from error


def digests(key: bytes, fields: Mapping[str, str]) -> dict[str, str]:
    """Keyed digests of canonical field texts: HMAC-SHA256, first 8 bytes, hex."""
    return {name: hmac.digest(key, text.encode(), hashlib.sha256)[:8].hex() for name, text in sorted(fields.items())}


def differing(known: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names of the fields whose digests differ, or that only one side has."""
    return sorted(name for name in known.keys() | now.keys() if known.get(name) != now.get(name))


def standing_after(
    entry: Entry | None, event: Event, ending: Ending, *, digests: Mapping[str, str], progress: Progress, outcome: str
) -> Entry:
    """The ledger entry of an identity after this event ended so. The settled offset is the caller's to move.

    An ending that changes nothing in the world (repeat, conflict, blocked, never registered) leaves the state alone.
    """
    after = (entry or Entry()).with_calls([attempt.as_call() for attempt in progress.attempts])
    if after.state is State.ABSENT and not isinstance(ending, Repeated):  # a command seen twice changes nothing
        after = replace(after, amount=f"{event.amount:f}", currency=event.currency)
    state, doubt, invoice_id = after.state, None, ending_id(ending)
    match ending:
        case Repeated() | Discarded() | Resolved() | Rejected(reason=Refusal.CONFLICT) | Failed(reason=Reason.BLOCKED):
            return after
        case Scheduled():
            state = State.SCHEDULED
        case Failed(reason=Reason.IN_DOUBT):
            state, doubt = State.IN_DOUBT, ending.doubt
        case Rejected() | Failed():
            if invoice_id is None:
                return after
            state = State.REGISTERED
        case _ as unreachable:
            assert_never(unreachable)
    return replace(
        after,
        state=state,
        invoice_id=invoice_id,
        doubt=doubt,
        digests=digests,
        attached=tuple(sorted(set(after.attached) | progress.attached)),
        amount=f"{event.amount:f}",
        currency=event.currency,
        outcome=outcome,
    )


def ending_id(ending: Ending) -> str | None:
    """The invoice id that an ending carries."""
    return None if isinstance(ending, Discarded) else ending.invoice_id
