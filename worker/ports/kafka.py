"""Kafka, as the core needs it: a transactional producer, readers, and the consumer that feeds partitions' owners.

A transactional producer that failed in any way is lost for good (`Lost`): its owner starts over.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from worker.model import OutRecord, Partition, Record


class LostWhy(StrEnum):
    """Why a producer, a read or a partition was lost."""

    FENCED = "fenced"
    REFUSED = "refused"
    """The broker refused a record (too large, not authorised): nothing of the transaction may become visible."""
    TIMEOUT = "timeout"
    UNCLEAR = "unclear"
    """An acknowledgement without an offset, or a commit whose result is not known."""
    BROKEN = "broken"
    """Any other failure of the client or the broker."""
    NOT_MEMBER = "not_member"
    CLOSED = "closed"
    """Not a failure: the partition was released."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A failure that ends an ownership. `detail` is for logs: no payload, no personal data."""

    why: LostWhy
    detail: str


@dataclass(frozen=True, slots=True)
class Acked:
    """Every record of a send was acknowledged; their offsets, in the order of the records."""

    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """An input's offset as a group holds it, and the text that was committed with it."""

    offset: int
    metadata: str = ""


class Isolation(StrEnum):
    COMMITTED = "read_committed"
    UNCOMMITTED = "read_uncommitted"


class LogProducer(Protocol):
    """A transactional producer. `start` fences every other one with the same transactional id."""

    async def start(self) -> Lost | None: ...

    async def begin(self) -> Lost | None: ...

    async def send(self, records: Sequence[OutRecord]) -> Acked | Lost:
        """Write into the open transaction and wait until every record is acknowledged with an offset."""

    async def send_offsets(self, group: str, offsets: Mapping[Partition, Committed]) -> Lost | None: ...

    async def commit(self) -> Lost | None:
        """End the transaction. `Lost` also when the result is not known within the commit time-out."""

    async def close(self) -> None:
        """Let go of connections; an open transaction is aborted where that is still possible. Never raises."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The last records of a partition. `whole`: nothing stands before them."""

    records: Sequence[Record]
    whole: bool


class LogReader(Protocol):
    """Reads partitions outside of any consumer group."""

    async def read_to_end(
        self, partition: Partition, isolation: Isolation, sink: Callable[[Sequence[Record]], None]
    ) -> int | Lost:
        """Give every record from the start to the end (as it is when called) to `sink`.

        Returns the position after the last record, control records included. Goes on at a new start when the
        beginning is trimmed meanwhile.
        """

    async def read_one(self, partition: Partition, offset: int) -> Record | None | Lost:
        """The record at exactly this offset, which the caller knows to be committed; None when it is gone."""

    async def read_tail(self, partition: Partition, count: int) -> Tail | Lost:
        """Committed records of the last `count` offsets (fewer records where compaction took some)."""


class Scan(Protocol):
    """Reads whole partitions, record by record: `worker.kafka.scan.scan`, connected."""

    def __call__(
        self,
        topic: str,
        partitions: Iterable[int],
        isolation: Isolation,
        *,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> AsyncGenerator[Record | Lost, None]: ...


class LogAdmin(Protocol):
    async def delete_before(self, offsets: Mapping[Partition, int]) -> Lost | None:
        """DeleteRecords: everything before each offset goes."""

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, Committed | None] | Lost:
        """What the group has committed now, asked from the broker."""

    async def earliest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """The offset of the first record that each log still has."""

    async def latest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """The offset that the next record of each log will get, open transactions counted."""


class Intake(Protocol):
    """The consumer, as a partition's owner sees it. Called from the event loop that polls."""

    def release(self, partition: Partition, offset: int) -> bool:
        """Go to `offset` and let records flow; False when it is not assigned any more."""

    def hold(self, partition: Partition) -> None:
        """Stop the flow of a partition's records."""

    async def prove_membership(self, partitions: Sequence[Partition]) -> Lost | None:
        """Commit what is committed, its text too, under this member's generation: a zombie's commit is refused."""


class Sink(Protocol):
    """Whoever takes what the group gives: `partitions.Partitions`."""

    async def revoked(self) -> None: ...

    def assigned(self, partitions: Sequence[Partition]) -> None: ...

    def refuse(self, partition: Partition, why: str) -> None: ...

    def with_room(self) -> list[Partition]: ...

    def offer(self, batch: dict[Partition, list[Record]]) -> None: ...

    def advance(self, partition: Partition, position: int) -> None: ...
