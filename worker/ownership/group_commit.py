"""Settling: the group commit of a partition. All events that are ready end in one Kafka transaction."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from worker.exemplar import Exemplar, MeasuredFor, current
from worker.model import Coordinates, OutRecord, Partition
from worker.offsets import Prefix
from worker.ownership.mark import Mark, encode_mark, ledger_id
from worker.ownership.table import LedgerTable
from worker.ports import Acked, Clock, Committed, Faults, LogProducer, Lost, LostWhy, Observer
from worker.standing import HEADER_KEY, Entry, Header, encode_entry, encode_header

_MOST = 500
"""Settlements in one transaction."""
_MOST_BYTES = 8 * 1024 * 1024
_IDLE = 5.0
"""Seconds after which offsets that moved without a settlement are committed."""
_HEADER_EVERY = 1000
"""Entries between two copies of the header: whoever looks for it finds it near the end of the partition."""


@dataclass(slots=True)
class Settlement:
    """One event's end, ready to be committed. `committed` is done when its transaction is known to be committed."""

    origin: Coordinates
    key: bytes
    entry: Entry
    outcome: OutRecord
    dead_letter: OutRecord | None
    committed: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    exemplar: Exemplar | None = field(default_factory=current)


@dataclass(frozen=True, slots=True)
class CommitConfig:
    """`settle_interval` and `commit_timeout` in seconds; `partition`: the ledger's."""

    partition: Partition
    group: str
    header: Header
    settle_interval: float
    commit_timeout: float


class GroupCommit:
    """Commits at once when the partition was quiet, else paced. Any failure ends the ownership."""

    def __init__(
        self,
        config: CommitConfig,
        producer: LogProducer,
        prefixes: Mapping[str, Prefix],
        table: LedgerTable,
        journal_end: Callable[[], int],
        clock: Clock,
        faults: Faults,
        observer: Observer,
    ) -> None:
        """`prefixes`: by input topic; `journal_end`: one past the last journal record that is known to be there."""
        self._config = config
        self._producer = producer
        self._prefixes = prefixes
        self._table = table
        self._journal_end = journal_end
        self._ledger_end = 0
        self._clock = clock
        self._faults = faults
        self._observer = observer
        self._queue: list[Settlement] = []
        self._ready = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._sent_offsets: dict[str, int] = {}
        self._since_header = 0
        self._closing = False

    def add(self, settlement: Settlement) -> None:
        """Queue it for the next commit."""
        self._queue.append(settlement)
        self._ready.set()
        self._quiet.clear()

    async def flush(self) -> None:
        """Wait until nothing is queued or being committed. Endless when the ownership was lost: race it."""
        await self._quiet.wait()

    def close(self) -> None:
        """End `run` when all is committed, offsets that moved without a settlement included."""
        self._closing = True
        self._ready.set()

    async def run(self) -> Lost:
        """Commit what comes, until a failure or `close`."""
        last = float("-inf")
        while True:
            try:
                async with asyncio.timeout(_IDLE):
                    await self._ready.wait()
            except TimeoutError:
                # Records that needed no outcome (settled before, control records) move the offsets on all the same.
                if self._offsets() == self._sent_offsets:
                    continue
            if self._closing and not self._queue:
                moved = self._offsets() != self._sent_offsets
                return (await self.commit([]) if moved else None) or Lost(LostWhy.CLOSED, "released")
            pause = last + self._config.settle_interval - self._clock.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            batch = self._take()
            if not self._queue and not self._closing:
                self._ready.clear()
            began = self._clock.monotonic()
            lost = await self.commit(batch)
            if lost is not None:
                return lost
            last = self._clock.monotonic()
            # The event that waited longest stands for all.
            with MeasuredFor(batch[0].exemplar if batch else None):
                self._observer.committed(self._config.partition.number, len(batch), last - began)
            if not self._queue:
                self._quiet.set()

    def _take(self) -> list[Settlement]:
        """The next transaction's settlements: bounded in number and in bytes of dead letters, at least one."""
        taken, size = 0, 0
        for settlement in self._queue[:_MOST]:
            dead_letter = settlement.dead_letter
            size += len(dead_letter.value or b"") if dead_letter is not None else 0
            if taken and size > _MOST_BYTES:
                break
            taken += 1
        batch, self._queue = self._queue[:taken], self._queue[taken:]
        return batch

    async def commit(self, batch: list[Settlement], *, with_header: bool = False) -> Lost | None:
        """One transaction: ledger entries, outcomes, dead letters, and last the input offsets."""
        for settlement in batch:
            self._prefixes[settlement.origin.topic].settle(settlement.origin.offset)
        ledger = [self._record(settlement.key, encode_entry(settlement.entry)) for settlement in batch]
        self._since_header += len(batch)
        if self._since_header >= _HEADER_EVERY or with_header:
            ledger.append(self._record(HEADER_KEY, encode_header(self._config.header)))
            self._since_header = 0
        outcomes = [settlement.outcome for settlement in batch]
        dead_letters = [settlement.dead_letter for settlement in batch if settlement.dead_letter is not None]
        try:
            async with asyncio.timeout(self._config.commit_timeout):
                done = await self._transaction(ledger, [*outcomes, *dead_letters])
        except TimeoutError:
            done = Lost(LostWhy.TIMEOUT, "a settlement took longer than the commit time-out")
        if isinstance(done, Lost):
            self._observer.commit_failed(done.why)
            return done
        for settlement, offset in zip(batch, done.offsets, strict=False):
            self._table.load(settlement.key, settlement.entry, offset)
            self._table.remember(settlement.key, settlement.entry)
        requests, replays = (prefix.next for prefix in self._prefixes.values())
        self._table.forget_below(requests, replays)
        self._faults.hit("committed")
        for settlement in batch:
            if not settlement.committed.done():
                settlement.committed.set_result(None)
        return None

    async def _transaction(self, ledger: list[OutRecord], results: list[OutRecord]) -> Acked | Lost:
        if (lost := await self._producer.begin()) is not None:
            return lost
        self._faults.hit("before-commit")
        # Every record's acknowledgement comes before the commit: aiokafka commits a transaction in which a send
        # failed. Offsets come last: earlier they cost 80 ms more (docs/explanation/measurements.md).
        sent = await self._producer.send([*ledger, *results]) if ledger else Acked(())
        if isinstance(sent, Lost):
            return sent
        if ledger:
            self._ledger_end = sent.offsets[len(ledger) - 1] + 1
        offsets = self._offsets()
        if offsets != self._sent_offsets:
            mark = self._mark()
            moved = {
                Partition(topic, self._config.partition.number): Committed(offset, mark)
                for topic, offset in offsets.items()
                if self._sent_offsets.get(topic) != offset
            }
            if (lost := await self._producer.send_offsets(self._config.group, moved)) is not None:
                return lost
        self._faults.hit("offsets-sent")
        if (lost := await self._producer.commit()) is not None:
            return lost
        self._sent_offsets = offsets
        return sent

    def _mark(self) -> str:
        return encode_mark(Mark(ledger_id(self._config.header), self._ledger_end, self._journal_end()))

    def _offsets(self) -> dict[str, int]:
        return {topic: prefix.next for topic, prefix in self._prefixes.items()}

    def _record(self, key: bytes, value: bytes) -> OutRecord:
        return OutRecord(self._config.partition.topic, self._config.partition.number, key, value)
