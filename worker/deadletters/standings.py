"""How invoices stand: read from ledger and journal, for those that are asked for only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from worker.deadletters.predict import Standing
from worker.facts import Kind, UnreadableRecordError
from worker.facts import decode as decode_fact
from worker.model import Coordinates, Partition, Record, TopicNames
from worker.ports import Committed, Isolation, LogAdmin, LogReader, Lost, LostWhy
from worker.standing import HEADER_KEY, decode_entry, decode_header


@dataclass(slots=True)
class Standings:
    """Entries are kept as bytes until one is asked for: a hundred thousand take tens of megabytes so."""

    entries: dict[str, bytes] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)
    """Identities of which the journal shows an unsettled event."""
    digest_keys: dict[int, bytes] = field(default_factory=dict)
    """By partition of the ledger."""

    def of(self, identity: str | None) -> Standing:
        """How an invoice stands. Raises UnreadableRecordError for an entry of a newer version."""
        if identity is None:
            return Standing()
        value = self.entries.get(identity)
        return Standing(None if value is None else decode_entry(value), identity in self.waiting)


async def read_standings(
    reader: LogReader, admin: LogAdmin, topics: TopicNames, group: str, wanted: Mapping[int, Collection[str]]
) -> Standings | Lost:
    """Read ledger and journal of those partitions that have something that is wanted: identities by partition."""
    found = Standings()
    for partition, identities in sorted(wanted.items()):
        lost = await _read(reader, admin, topics, group, partition, frozenset(identities), found)
        if lost is not None:
            return lost
    return found


async def _read(
    reader: LogReader,
    admin: LogAdmin,
    topics: TopicNames,
    group: str,
    partition: int,
    identities: frozenset[str],
    found: Standings,
) -> Lost | None:
    keys = {identity.encode() for identity in identities}
    facts: dict[str, set[Coordinates]] = {}

    def take_ledger(records: Sequence[Record]) -> None:
        for record in records:
            if record.value is None:
                continue
            if record.key == HEADER_KEY:
                found.digest_keys[partition] = decode_header(record.value).digest_key
            elif record.key in keys:
                found.entries[record.key.decode()] = record.value

    def take_journal(records: Sequence[Record]) -> None:
        for record in records:
            if record.key not in keys:
                continue
            fact = decode_fact(record.value or b"")
            if fact.input is not None and fact.identity is not None and fact.kind not in {Kind.CLAIM, Kind.RENEW}:
                facts.setdefault(fact.identity, set()).add(fact.input)

    try:
        end = await reader.read_to_end(Partition(topics.ledger, partition), Isolation.COMMITTED, take_ledger)
        if not isinstance(end, Lost):
            # A fact counts as soon as it is acknowledged, committed or not.
            end = await reader.read_to_end(Partition(topics.journal, partition), Isolation.UNCOMMITTED, take_journal)
        if isinstance(end, Lost):
            return end
        inputs = [Partition(topic, partition) for topic in topics.inputs]
        floors = await admin.committed(group, inputs)
        if isinstance(floors, Lost):
            return floors
        for identity, origins in facts.items():
            entry = found.of(identity).entry
            settled = (-1, -1) if entry is None else entry.settled
            if any(_unsettled(origin, topics, floors, settled) for origin in origins):
                found.waiting.add(identity)
    except UnreadableRecordError as error:
        return Lost(LostWhy.REFUSED, f"partition {partition}: {error}")
    return None


def _unsettled(
    origin: Coordinates, topics: TopicNames, floors: Mapping[Partition, Committed | None], settled: tuple[int, int]
) -> bool:
    """Whether a record that left facts has no committed outcome yet, as its owner would find (ownership, lane)."""
    if origin.topic not in topics.inputs:
        return False
    committed = floors.get(Partition(origin.topic, origin.partition))
    floor = 0 if committed is None else committed.offset
    return origin.offset >= floor and origin.offset > settled[topics.inputs.index(origin.topic)]
