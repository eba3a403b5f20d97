"""Reads from Kafka what a question needs, and no more.

Of an invoice only its partition is read; an event's id needs all outcomes. The order matters: committed offsets and
input first, ledger and outcomes last, so that what is settled meanwhile shows as settled.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.dead_letters import DeadLetterHeaders, read_headers
from schemas.identity import identity_parts, partition_for
from schemas.outcomes import outcome_id
from worker.decode import decode
from worker.inquiry.evidence import Evidence
from worker.inquiry.subject import OfEvent, OfInvoice, OfRecord, Subject, Target
from worker.model import Coordinates, Partition, Record, TopicNames
from worker.ports import Committed, Isolation, Lost, Scan

TOLD: Final = 20
"""The latest targets that an event's id leads to; more are named by none of our producers."""


class Offsets(Protocol):
    """The part of `ports.LogAdmin` that is needed."""

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, Committed | None] | Lost: ...


@dataclass(frozen=True, slots=True)
class Library:
    """Where everything is. `partitions`: how many each topic has, of all six."""

    scan: Scan
    offsets: Offsets
    group: str
    topics: TopicNames
    partitions: Mapping[str, int]

    @property
    def inputs(self) -> int:
        """Partitions of the input topics."""
        return self.partitions[self.topics.requests]


async def find(library: Library, subject: Subject) -> list[Target] | Lost:
    """Whose stories answer the question: none where nothing names an event's id."""
    match subject:
        case OfInvoice(identity):
            return [Target(identity, partition_for(identity.encode(), library.inputs))]
        case OfRecord(record) if record.topic in library.topics.inputs:
            return await _of_input(library, record)
        case OfRecord(record):
            return await _of_product(library, record)
        case OfEvent(event_id):
            return await _of_event(library, event_id)


async def read(library: Library, target: Target) -> Evidence | Lost:
    """Everything about a target."""
    topics, number = library.topics, target.partition % library.inputs  # whoever asks may name one that is not there
    evidence = Evidence(target, topics, library.inputs)
    starts = await _committed(library, [number])
    if isinstance(starts, Lost):
        return starts
    steps: list[tuple[str, int, Isolation, Callable[[Record], None], Mapping[int, int] | None]] = [
        *((topic, number, Isolation.COMMITTED, evidence.take_input, starts[topic]) for topic in topics.inputs),
        (topics.journal, number, Isolation.UNCOMMITTED, evidence.take_fact, None),
        (topics.ledger, number, Isolation.COMMITTED, evidence.take_entry, None),
        # From their beginning: see `worker.kafka.scan`.
        (topics.outcomes, number, Isolation.COMMITTED, evidence.take_outcome, None),
        (topics.dead_letters, number, Isolation.COMMITTED, evidence.take_letter, None),
    ]
    for topic, wanted, isolation, take, start in steps:
        count = library.partitions[topic]
        lost = await _each(library.scan(topic, [wanted % count], isolation, start=start), take)
        if lost is not None:
            return lost
    return evidence


async def _each(records: AsyncGenerator[Record | Lost, None], take: Callable[[Record], None]) -> Lost | None:
    async with aclosing(records) as closing:
        async for record in closing:
            if isinstance(record, Lost):
                return record
            take(record)
    return None


async def _committed(library: Library, numbers: Sequence[int]) -> dict[str, dict[int, int]] | Lost:
    """What the group has committed, by input topic and partition; 0 where nothing is."""
    wanted = [Partition(topic, number) for topic in library.topics.inputs for number in numbers]
    found = await library.offsets.committed(library.group, wanted)
    if isinstance(found, Lost):
        return found
    offsets = {partition: 0 if known is None else known.offset for partition, known in found.items()}
    return {topic: {number: offsets[Partition(topic, number)] for number in numbers} for topic in library.topics.inputs}


async def _at(library: Library, where: Coordinates) -> Record | None | Lost:
    """The record that stands there, committed or not."""
    if where.partition >= library.partitions[where.topic]:
        return None
    found: list[Record] = []
    start, end = {where.partition: where.offset}, {where.partition: where.offset + 1}
    records = library.scan(where.topic, [where.partition], Isolation.UNCOMMITTED, start=start, end=end)
    lost = await _each(records, found.append)
    return lost or next((record for record in found if record.offset == where.offset), None)


async def _of_input(library: Library, where: Coordinates) -> list[Target] | Lost:
    wanted = str(outcome_id(*where)).encode()
    found: list[Target] = []

    def take(record: Record) -> None:
        if _header(record, "ce_id") == wanted:
            found.append(_target_of_key(library, record, where))

    topic = library.topics.outcomes
    outcome_partition = where.partition % library.partitions[topic]
    lost = await _each(library.scan(topic, [outcome_partition], Isolation.COMMITTED), take)
    if lost is not None or found:
        return lost or found[-1:]
    record = await _at(library, where)
    if isinstance(record, Lost):
        return record
    identity = None
    if record is not None:
        commands = record.topic == library.topics.replays
        identity = decode(record, partition_count=library.inputs, commands=commands).identity
    return [Target(identity, where.partition, where)]


async def _of_product(library: Library, where: Coordinates) -> list[Target] | Lost:
    """Of an outcome or a dead letter."""
    record = await _at(library, where)
    if record is None or isinstance(record, Lost):
        return record or [Target(None, where.partition, where)]
    if where.topic == library.topics.outcomes:
        return [_target_of_key(library, record, where)]
    headers = read_headers((name, value or b"") for name, value in record.headers)
    if not isinstance(headers, DeadLetterHeaders):
        return [Target(None, where.partition, where)]
    origin = Coordinates(headers.topic, headers.partition, headers.offset)
    if headers.identity is None:
        return [Target(None, origin.partition, origin)]
    return [Target(headers.identity, partition_for(headers.identity.encode(), library.inputs), origin)]


async def _of_event(library: Library, event_id: str) -> list[Target] | Lost:
    found: OrderedDict[bytes, Target] = OrderedDict()

    def add(target: Target) -> None:
        found[target.key] = target
        found.move_to_end(target.key)
        while len(found) > TOLD:
            found.popitem(last=False)

    def take_input(record: Record) -> None:
        decoded = decode(record, partition_count=library.inputs, commands=record.topic == library.topics.replays)
        if decoded.envelope.event_id == event_id:
            add(Target(decoded.identity, record.partition, record.coordinates))

    def take_outcome(record: Record) -> None:
        if _header(record, "ce_causationid") == event_id.encode():
            add(_target_of_key(library, record, None))

    numbers = range(library.inputs)
    starts = await _committed(library, numbers)
    if isinstance(starts, Lost):
        return starts
    for topic in library.topics.inputs:
        records = library.scan(topic, numbers, Isolation.COMMITTED, start=starts[topic])
        if (lost := await _each(records, take_input)) is not None:
            return lost
    outcomes = library.topics.outcomes
    records = library.scan(outcomes, range(library.partitions[outcomes]), Isolation.COMMITTED)
    if (lost := await _each(records, take_outcome)) is not None:
        return lost
    return list(found.values())


def _target_of_key(library: Library, outcome: Record, asked: Coordinates | None) -> Target:
    """Whose outcome this is: its key is the identity, or the coordinates of a record that had none."""
    key = (outcome.key or b"").decode("utf-8", "replace")
    if identity_parts(key) is not None:
        return Target(key, partition_for(key.encode(), library.inputs), asked)
    topic, _, rest = key.partition("/")
    partition, _, offset = rest.partition("/")
    if not (partition.isdecimal() and offset.isdecimal()):
        return Target(None, outcome.partition, asked or outcome.coordinates)
    return Target(None, int(partition), Coordinates(topic, int(partition), int(offset)))


def _header(record: Record, name: str) -> bytes | None:
    return next((value for known, value in reversed(record.headers) if known == name), None)
