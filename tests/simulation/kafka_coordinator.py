"""The transaction coordinator of the simulated Kafka: epochs, fencing, commits whose markers come later.

As Apache Kafka does it for a client without server-side defence (protocol of aiokafka 0.14): InitProducerId aborts what
is open and waits for what is being ended; EndTxn is answered when the decision is written, the markers follow;
partitions learn a new epoch from the markers.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.simulation.kafka_log import Log, Txn, TxnState
from tests.simulation.trace import Trace
from tests.simulation.wire import Reply
from worker.model import OutRecord, Partition
from worker.ports import Acked, Committed, Lost, LostWhy

FENCED = Lost(LostWhy.FENCED, "simulated: a newer producer has this transactional id")
TOO_LARGE = Lost(LostWhy.REFUSED, "simulated: the broker refuses the record")
MAX_MESSAGE = 1_048_588
"""Kafka's default `max.message.bytes`."""
INVALID = Lost(LostWhy.BROKEN, "simulated: no such transaction is open")


@dataclass(slots=True)
class TransactionalId:
    """`ending`: markers of its last transaction are still to be written; `waiting` goes on when they are."""

    name: str
    epoch: int = -1
    timeout: float = 60.0
    txn: Txn | None = None
    ending: int = 0
    waiting: list[Callable[[], None]] = field(default_factory=list)


class Coordinator:
    """Of all transactional ids. `offsets`: what each group has committed."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rng: random.Random, logs: Mapping[Partition, Log], trace: Trace
    ) -> None:
        self._loop = loop
        self._random = rng
        self._logs = logs
        self._trace = trace
        self._ids: dict[str, TransactionalId] = {}
        self.offsets: dict[str, dict[Partition, Committed]] = {}
        self.furthest: dict[tuple[str, Partition], int] = {}
        """The highest offset that a transaction ever committed: a member's proof of membership may rewind it late."""
        self.marker_delay = 0.02
        """Markers take at most so many seconds, a few of them a hundred times as long."""

    def now_ms(self) -> int:
        return 1_700_000_000_000 + int(self._loop.time() * 1000)

    def init(self, name: str, timeout: float, reply: Reply[int]) -> None:
        """InitProducerId: the new epoch, once the former holder's transaction is ended."""
        known = self._ids.setdefault(name, TransactionalId(name))
        if known.txn is not None and not known.ending:
            known.epoch += 1
            self._end(known, TxnState.ABORTED)
        if known.ending:
            known.waiting.append(lambda: self.init(name, timeout, reply))
            return
        known.epoch += 1
        known.timeout = timeout
        reply(known.epoch)

    def produce(
        self,
        name: str,
        epoch: int,
        added: dict[Partition, Txn],
        partition: Partition,
        records: Sequence[OutRecord],
        reply: Reply[Acked],
    ) -> None:
        """AddPartitionsToTxn where it is the transaction's first write to the partition, then Produce.

        `added`: the partitions of the client's transaction so far. These it writes to without asking the coordinator:
        a fenced producer is acknowledged there until the marker that ends its transaction is written.
        """
        known, log = self._ids[name], self._logs[partition]
        if any(len(record.value or b"") > MAX_MESSAGE for record in records):
            reply(TOO_LARGE)
            return
        txn = added.get(partition)
        if log.epochs.get(name, -1) > epoch:
            reply(FENCED)
            return
        if txn is None:
            if known.epoch != epoch:
                reply(FENCED)
                return
            if known.ending:
                known.waiting.append(lambda: self.produce(name, epoch, added, partition, records, reply))
                return
            txn = added[partition] = self._open(known)
            txn.logs[partition] = log
            log.epochs[name] = epoch
        elif txn not in log.open:
            reply(INVALID)
            return
        reply(Acked(log.append(records, txn, self.now_ms())))

    def add_offsets(
        self, name: str, epoch: int, group: str, offsets: Mapping[Partition, Committed], reply: Reply[None]
    ) -> None:
        """AddOffsetsToTxn and TxnOffsetCommit."""
        known = self._ids[name]
        if known.epoch != epoch:
            reply(FENCED)
        elif known.ending:
            known.waiting.append(lambda: self.add_offsets(name, epoch, group, offsets, reply))
        else:
            self._open(known).offsets |= {(group, partition): known for partition, known in offsets.items()}
            reply(None)

    def end(self, name: str, epoch: int, state: TxnState, reply: Reply[None]) -> None:
        """EndTxn: answered when the decision is made, before the markers are written."""
        known = self._ids[name]
        if known.epoch != epoch:
            reply(FENCED)
        elif known.txn is None or (known.ending and known.txn.state is not state):
            reply(INVALID)
        else:
            if not known.ending:
                self._end(known, state)
            reply(None)

    def _open(self, known: TransactionalId) -> Txn:
        if known.txn is None:
            known.txn = Txn(known.epoch)
            self._loop.call_later(known.timeout, self._expire, known, known.txn)
        return known.txn

    def _expire(self, known: TransactionalId, txn: Txn) -> None:
        if known.txn is txn and not known.ending:
            self._trace.add(f"broker: the transaction of {known.name} timed out")
            known.epoch += 1
            self._end(known, TxnState.ABORTED)

    def _end(self, known: TransactionalId, state: TxnState) -> None:
        txn = known.txn
        assert txn is not None, "only what is open is ended"
        txn.state = state
        known.ending = len(txn.logs) + 1
        for log in txn.logs.values():
            self._loop.call_later(self._delay(), self._mark, known, txn, log)
        self._loop.call_later(self._delay(), self._mark, known, txn, None)

    def _delay(self) -> float:
        span = self.marker_delay * self._random.random()
        return span * 100 if self._random.random() < 0.02 else span

    def _mark(self, known: TransactionalId, txn: Txn, log: Log | None) -> None:
        """Write one marker; `log` None: that of the offsets."""
        if log is not None:
            log.mark(known.name, known.epoch, txn, self.now_ms())
        elif txn.state is TxnState.COMMITTED:
            for (group, partition), committed in txn.offsets.items():
                self.offsets.setdefault(group, {})[partition] = committed
                self.furthest[group, partition] = max(committed.offset, self.furthest.get((group, partition), 0))
        known.ending -= 1
        if known.ending:
            return
        known.txn = None
        waiting, known.waiting = known.waiting, []
        for go_on in waiting:
            go_on()
