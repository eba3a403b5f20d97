"""What a new owner reads before it takes records: the ledger as far as committed, the journal as far as written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.facts import Kind, Progress, UnreadableRecordError, decode
from worker.model import Coordinates, Partition, Record, TopicNames
from worker.ownership.table import LedgerTable
from worker.ports import Isolation, LogReader, Lost, LostWhy
from worker.standing import HEADER_KEY, Header, decode_entry, decode_header

_TAIL = 4096


@dataclass(slots=True)
class Restored:
    """The partition's state: the ledger's table and header, and what the journal says of each event.

    `ledger_end`, `journal_end`: the position after the last record that was read.
    """

    table: LedgerTable
    header: Header | None = None
    progress: dict[Coordinates, Progress] = field(default_factory=dict)
    ledger_end: int = 0
    journal_end: int = 0
    ledger_records: int = 0
    journal_records: int = 0


async def restore(reader: LogReader, topics: TopicNames, partition: int, floors: tuple[int, int]) -> Restored | Lost:
    """Read ledger and journal of `partition` to their ends.

    `floors`: the committed offsets of requests and replays. A record of a newer version is `Lost`, by name.
    """
    restored = Restored(LedgerTable(topics.inputs, floors))

    def take_ledger(records: Sequence[Record]) -> None:
        for record in records:
            restored.ledger_records += 1
            if record.key == HEADER_KEY and record.value is not None:
                restored.header = decode_header(record.value)
            elif record.key is not None and record.value is not None:
                restored.table.load(record.key, decode_entry(record.value), record.offset)

    def take_journal(records: Sequence[Record]) -> None:
        for record in records:
            restored.journal_records += 1
            fact = decode(record.value or b"")
            if fact.input is not None and fact.kind not in (Kind.CLAIM, Kind.RENEW):
                restored.progress.setdefault(fact.input, Progress()).add(record.offset, fact)

    try:
        # The ledger first, the journal second or the reverse: both come after the claim, so the order is free.
        end = await reader.read_to_end(Partition(topics.ledger, partition), Isolation.COMMITTED, take_ledger)
        if isinstance(end, Lost):
            return end
        restored.ledger_end = end
        end = await reader.read_to_end(Partition(topics.journal, partition), Isolation.UNCOMMITTED, take_journal)
        if isinstance(end, Lost):
            return end
    except UnreadableRecordError as error:
        return Lost(LostWhy.REFUSED, f"partition {partition}: {error}")
    restored.journal_end = end
    return restored


async def find_header(reader: LogReader, topics: TopicNames, partition: int) -> Header | None | Lost:
    """The header of a ledger partition; None in an empty one. Looked for from the end, where owners keep a copy."""
    ledger = Partition(topics.ledger, partition)
    count = _TAIL
    while True:
        tail = await reader.read_tail(ledger, count)
        if isinstance(tail, Lost):
            return tail
        for record in reversed(tail.records):
            if record.key == HEADER_KEY and record.value is not None:
                try:
                    return decode_header(record.value)
                except UnreadableRecordError as error:
                    return Lost(LostWhy.REFUSED, f"ledger partition {partition}: {error}")
        if tail.whole:
            return None
        count *= 8
