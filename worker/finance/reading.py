"""Reads what a statement needs from Kafka into its store, in bounded memory and in no consumer group.

The order matters: committed offsets first, the outcomes after them, then the inputs, Kravia's search, and the ledger
last, so that what is settled meanwhile never looks as if it were not.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from pydantic import ValidationError

from schemas.commands import COMMAND_TYPE
from schemas.identity import identity_parts
from schemas.outcomes import OUTCOME
from worker.facts import UnreadableRecordError
from worker.finance.findings import Bounds
from worker.finance.period import micros, stamp
from worker.finance.store import Store
from worker.model import Coordinates, Partition, Record, TopicNames
from worker.ports import Committed, Isolation, Lost, Scan
from worker.standing import HEADER_KEY, decode_entry

_BATCH: Final = 1000


class Offsets(Protocol):
    """The part of `ports.LogAdmin` that is needed, and offsets by time."""

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, Committed | None] | Lost: ...

    async def earliest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost: ...

    async def since(
        self, partitions: Sequence[Partition], moment: datetime
    ) -> Mapping[Partition, tuple[int, datetime] | None] | Lost:
        """The first record that is not older than `moment`, and its time; None where there is none."""


@dataclass(frozen=True, slots=True)
class Topics:
    """Where everything is. `counts`: partitions of each topic."""

    scan: Scan
    offsets: Offsets
    group: str
    names: TopicNames
    counts: Mapping[str, int]

    def of(self, topic: str) -> list[Partition]:
        """All partitions of a topic."""
        return [Partition(topic, number) for number in range(self.counts[topic])]


@dataclass(slots=True)
class Kept:
    """What of the period the topics still hold: for the statement's notes."""

    bounds: Bounds = field(default_factory=Bounds)
    notes: list[str] = field(default_factory=list)


async def read_records(topics: Topics, store: Store, since: datetime) -> Kept | Lost:
    """Committed offsets, outcomes and inputs since the period's begin."""
    kept = Kept()
    inputs = [partition for topic in topics.names.inputs for partition in topics.of(topic)]
    committed = await topics.offsets.committed(topics.group, inputs)
    if isinstance(committed, Lost):
        return committed
    kept.bounds.settled = {
        (one.topic, one.number): 0 if known is None else known.offset for one, known in committed.items()
    }
    lost = await _outcomes(topics, store, since, kept)
    if lost is None:
        lost = await _inputs(topics, store, since, kept)
    return lost or kept


async def read_ledger(topics: Topics, store: Store) -> Lost | None:
    """How each invoice stands, as far as it matters to the statement. After the search's rows."""

    def take(record: Record) -> None:
        key = (record.key or b"").decode("utf-8", "replace")
        if record.key == HEADER_KEY or record.value is None or identity_parts(key) is None:
            return
        try:
            store.add_entry(key, decode_entry(record.value))
        except UnreadableRecordError as error:
            store.blame("unreadable", str(record.coordinates), str(error), identity=False)

    return await _each(topics.scan(topics.names.ledger, range(topics.counts[topics.names.ledger]), _COMMITTED), take)


_COMMITTED: Final = Isolation.COMMITTED


async def _outcomes(topics: Topics, store: Store, since: datetime, kept: Kept) -> Lost | None:
    topic = topics.names.outcomes
    partitions = topics.of(topic)
    starts = await _starts(topics, partitions, since, kept)
    if isinstance(starts, Lost):
        return starts

    def take(record: Record) -> None:
        try:
            store.add_outcome(OUTCOME.validate_json(record.value or b""))
        except ValidationError as error:
            why = f"this outcome is of another version, or none: {error.error_count()} things in it are not known"
            store.blame("unreadable", str(record.coordinates), why, identity=False)

    return await _each(topics.scan(topic, range(len(partitions)), _COMMITTED, start=starts), take)


async def _inputs(topics: Topics, store: Store, since: datetime, kept: Kept) -> Lost | None:
    for topic in topics.names.inputs:
        partitions = topics.of(topic)
        starts = await _starts(topics, partitions, since, kept)
        if isinstance(starts, Lost):
            return starts
        # What was settled in the period may have come before it.
        for number, first in store.ask(
            "SELECT part, MIN(place) FROM outcome WHERE topic = :topic AND at >= :start AND at < :end GROUP BY part",
            topic=topic,
        ):
            starts[number] = min(first, starts.get(number, first))
        batch: list[tuple[Coordinates, int, str]] = []

        def take(record: Record, batch: list[tuple[Coordinates, int, str]] = batch) -> None:
            command = any(name.lower() == "ce_type" and value == _COMMAND for name, value in record.headers)
            kind = "command" if command else "event"
            batch.append((record.coordinates, record.timestamp_ms * 1000, kind))
            if len(batch) >= _BATCH:
                store.add_inputs(batch)
                batch.clear()

        lost = await _each(topics.scan(topic, range(len(partitions)), _COMMITTED, start=starts), take)
        if lost is not None:
            return lost
        store.add_inputs(batch)
        # Asked again: what retention took while it was read is not missing.
        earliest = await topics.offsets.earliest(partitions)
        if isinstance(earliest, Lost):
            return earliest
        kept.bounds.earliest |= {(one.topic, one.number): offset for one, offset in earliest.items()}
    return None


_COMMAND: Final = COMMAND_TYPE.encode()


async def _starts(
    topics: Topics, partitions: Sequence[Partition], since: datetime, kept: Kept
) -> dict[int, int] | Lost:
    """Where each partition's part of the period begins; says what of it retention has taken."""
    earliest = await topics.offsets.earliest(partitions)
    if isinstance(earliest, Lost):
        return earliest
    first = await topics.offsets.since(partitions, datetime(1970, 1, 1, tzinfo=UTC))
    if isinstance(first, Lost):
        return first
    found = await topics.offsets.since(partitions, since)
    if isinstance(found, Lost):
        return found
    gone = [
        (held[1], partition.number)
        for partition in partitions
        if earliest[partition] > 0 and (held := first[partition]) is not None and held[1] > since
    ]
    if gone:
        topic = partitions[0].topic
        note = f"{topic} holds all records only from {stamp(max(gone)[0])} on"
        kept.notes.append(f"{note}: older ones are missing among the events in")
        if topic == topics.names.outcomes:
            kept.notes[-1] = note
            kept.bounds.outcomes_since = {number: micros(held) for held, number in gone}
    return {partition.number: start[0] for partition, start in found.items() if start is not None} | {
        partition.number: _NONE for partition, start in found.items() if start is None
    }


_NONE: Final = 2**62
"""Beyond every end: nothing of this partition is read."""


async def _each(records: AsyncIterator[Record | Lost], take: Callable[[Record], None]) -> Lost | None:
    async with aclosing(records) as closing:  # type: ignore[type-var]
        async for record in closing:
            if isinstance(record, Lost):
                return record
            take(record)
    return None
