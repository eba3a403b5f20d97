"""The simulated Kafka, and `ports.LogProducer` on it."""

import asyncio
import random
from collections.abc import Mapping, Sequence

from tests.simulation.kafka_coordinator import Coordinator
from tests.simulation.kafka_log import Log, Txn, TxnState
from tests.simulation.trace import Trace
from tests.simulation.wire import Channel, Reply, Wire
from worker.model import OutRecord, Partition
from worker.ports import Acked, Committed, Lost, LostWhy

_CLOSED = Lost(LostWhy.BROKEN, "simulated: the producer is not started, or closed")
_OUT_OF_RANGE = Lost(LostWhy.BROKEN, "simulated: OffsetOutOfRange")


class Broker:
    """All partitions, the transaction coordinator, what groups have committed."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rng: random.Random, trace: Trace, topics: Mapping[str, int]
    ) -> None:
        """`topics`: partitions of each."""
        self.logs = {
            Partition(topic, number): Log(Partition(topic, number))
            for topic, count in topics.items()
            for number in range(count)
        }
        self.coordinator = Coordinator(loop, rng, self.logs, trace)

    def committed(self, group: str, partition: Partition) -> Committed | None:
        return self.coordinator.offsets.get(group, {}).get(partition)

    def append(self, record: OutRecord) -> int:
        """What an upstream producer writes, outside of any transaction."""
        log = self.logs[Partition(record.topic, record.partition)]
        return log.append([record], None, self.coordinator.now_ms())[0]

    def delete_before(self, offsets: Mapping[Partition, int]) -> Lost | None:
        """DeleteRecords; each partition by itself, as on Kafka."""
        failed = None
        for partition, offset in offsets.items():
            log = self.logs[partition]
            if offset > log.end:
                failed = _OUT_OF_RANGE
            else:
                log.start = max(log.start, offset)
        return failed


class SimProducer:
    """`ports.LogProducer`. Each partition, and the coordinator, has a connection of its own."""

    def __init__(self, broker: Broker, wire: Wire, name: str, timeout: float) -> None:
        self._broker = broker
        self._wire = wire
        self._name = name
        self._timeout = timeout
        self._epoch = -1
        self._channels: dict[Partition | None, Channel] = {}
        self._used = False
        self._added: dict[Partition, Txn] = {}
        self._outstanding: set[asyncio.Future[Acked | Lost]] = set()

    def _channel(self, partition: Partition | None) -> Channel:
        return self._channels.setdefault(partition, Channel())

    async def start(self) -> Lost | None:
        """See `ports.LogProducer`."""

        def effect(reply: Reply[int]) -> None:
            self._broker.coordinator.init(self._name, self._timeout, reply)

        epoch = await self._wire.ask(f"init {self._name}", effect, self._channel(None))
        if isinstance(epoch, Lost):
            return epoch
        self._epoch = epoch
        return None

    async def begin(self) -> Lost | None:
        """Open a transaction; local until the first record."""
        self._used = False
        self._added = {}
        return _CLOSED if self._epoch < 0 else None

    async def send(self, records: Sequence[OutRecord]) -> Acked | Lost:
        """Write and wait for every acknowledgement."""
        if self._epoch < 0:
            return _CLOSED
        self._used = True
        by_partition: dict[Partition, list[int]] = {}
        for index, record in enumerate(records):
            by_partition.setdefault(Partition(record.topic, record.partition), []).append(index)
        futures = [
            self._produce(partition, [records[index] for index in indexes])
            for partition, indexes in by_partition.items()
        ]
        await asyncio.wait(futures)
        offsets = [-1] * len(records)
        for indexes, future in zip(by_partition.values(), futures, strict=True):
            answer = future.result()
            if isinstance(answer, Lost):
                return answer
            for index, offset in zip(indexes, answer.offsets, strict=True):
                offsets[index] = offset
        return Acked(tuple(offsets))

    def _produce(self, partition: Partition, records: list[OutRecord]) -> "asyncio.Future[Acked | Lost]":
        epoch, added = self._epoch, self._added

        def effect(reply: Reply[Acked]) -> None:
            self._broker.coordinator.produce(self._name, epoch, added, partition, records, reply)

        what = f"produce {partition.topic}/{partition.number} {len(records)} by {self._name}@{epoch}"
        future = self._wire.ask(what, effect, self._channel(partition), write=True)
        self._outstanding.add(future)
        future.add_done_callback(self._outstanding.discard)
        return future

    async def send_offsets(self, group: str, offsets: Mapping[Partition, Committed]) -> Lost | None:
        """See `ports.LogProducer`."""
        epoch = self._epoch
        self._used = True
        told = {partition: committed.offset for partition, committed in offsets.items()}

        def effect(reply: Reply[None]) -> None:
            self._broker.coordinator.add_offsets(self._name, epoch, group, offsets, reply)

        return await self._wire.ask(f"offsets {told} by {self._name}@{epoch}", effect, self._channel(None))

    async def commit(self) -> Lost | None:
        """End the transaction; like aiokafka it waits for what is on its way, and does not ask how that ended."""
        return await self._end(TxnState.COMMITTED)

    async def _end(self, state: TxnState) -> Lost | None:
        if self._epoch < 0:
            return _CLOSED
        if self._outstanding:
            await asyncio.wait(list(self._outstanding))
        if not self._used:
            return None
        epoch = self._epoch

        def effect(reply: Reply[None]) -> None:
            self._broker.coordinator.end(self._name, epoch, state, reply)

        self._used = False
        return await self._wire.ask(f"end {state.value} by {self._name}@{epoch}", effect, self._channel(None))

    async def close(self) -> None:
        """Abort what is open. Never raises."""
        if self._used:
            try:
                async with asyncio.timeout(5.0):
                    await self._end(TxnState.ABORTED)
            except TimeoutError:
                pass
        self._epoch = -1
