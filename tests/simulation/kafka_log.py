"""A partition of the simulated Kafka: records, transactions, control markers, the last stable offset."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from worker.model import OutRecord, Partition, Record
from worker.ports import Committed, Isolation


class TxnState(Enum):
    OPEN = "open"
    COMMITTED = "committed"
    ABORTED = "aborted"


class Txn:
    """A transaction. `logs`: the partitions that it may write to; `offsets`: what it commits for each group."""

    __slots__ = ("epoch", "logs", "offsets", "state")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.state = TxnState.OPEN
        self.logs: dict[Partition, Log] = {}
        self.offsets: dict[tuple[str, Partition], Committed] = {}


class Entry(NamedTuple):
    """`record` is None for a control marker, `txn` for a record outside of any transaction."""

    record: OutRecord | None
    txn: Txn | None
    timestamp_ms: int


class Chunk(NamedTuple):
    """What one fetch brought: records, and the position after all that was looked at."""

    records: list[Record]
    position: int


class Log:
    """One partition. Nothing is ever removed from `entries`: `start` says what still can be read."""

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.entries: list[Entry] = []
        self.start = 0
        self.open: dict[Txn, int] = {}
        self.epochs: dict[str, int] = {}
        """The latest producer epoch that this partition has seen, by transactional id."""
        self.listeners: list[Callable[[], None]] = []

    @property
    def end(self) -> int:
        """The high watermark."""
        return len(self.entries)

    @property
    def stable(self) -> int:
        """The last stable offset: the first of any open transaction, else the end."""
        return min(self.open.values(), default=len(self.entries))

    def limit(self, isolation: Isolation) -> int:
        return self.stable if isolation is Isolation.COMMITTED else self.end

    def append(self, records: Sequence[OutRecord], txn: Txn | None, timestamp_ms: int) -> tuple[int, ...]:
        """Write; the offsets."""
        first = len(self.entries)
        if txn is not None:
            self.open.setdefault(txn, first)
        self.entries += [Entry(record, txn, timestamp_ms) for record in records]
        self._changed()
        return tuple(range(first, len(self.entries)))

    def mark(self, name: str, epoch: int, txn: Txn, timestamp_ms: int) -> None:
        """Write the marker that ends a transaction here, and fence older epochs of its producer."""
        self.epochs[name] = max(self.epochs.get(name, -1), epoch)
        self.open.pop(txn, None)
        self.entries.append(Entry(None, txn, timestamp_ms))
        self._changed()

    def _changed(self) -> None:
        for listener in self.listeners:
            listener()

    def read(self, position: int, isolation: Isolation, most: int) -> Chunk:
        """At most `most` entries from `position` on, without what the isolation hides."""
        end = min(self.limit(isolation), position + most)
        records = []
        for offset in range(position, end):
            record, txn, timestamp_ms = self.entries[offset]
            if record is None:
                continue
            if isolation is Isolation.COMMITTED and txn is not None and txn.state is not TxnState.COMMITTED:
                continue
            records.append(
                Record(
                    self.partition.topic,
                    self.partition.number,
                    offset,
                    timestamp_ms,
                    record.key,
                    record.value,
                    record.headers,
                )
            )
        return Chunk(records, max(position, end))

    def committed(self) -> list[Record]:
        """All that was ever committed, trimmed or not: for the checker."""
        return self.read(0, Isolation.COMMITTED, len(self.entries)).records
