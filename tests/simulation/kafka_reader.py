"""`ports.LogReader` and `ports.LogAdmin` on the simulated Kafka."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence

from tests.simulation.kafka import Broker
from tests.simulation.kafka_log import Chunk, Log
from tests.simulation.wire import Reply, Wire
from worker.model import Partition, Record
from worker.ports import Committed, Isolation, Lost, LostWhy, Tail

_STALL = Lost(LostWhy.TIMEOUT, "simulated: no record came")


class SimReader:
    """`ports.LogReader`."""

    def __init__(self, broker: Broker, wire: Wire, rng: random.Random) -> None:
        self._broker = broker
        self._wire = wire
        self._random = rng

    def _ask(self, what: str, partition: Partition, read: Callable[[Log], Chunk]) -> "asyncio.Future[Chunk | Lost]":
        log = self._broker.logs[partition]
        return self._wire.ask(f"{what} {partition.topic}/{partition.number}", lambda reply: reply(read(log)))

    async def _limit(self, partition: Partition, isolation: Isolation) -> int | Lost:
        chunk = await self._ask("end of", partition, lambda log: Chunk([], log.limit(isolation)))
        return chunk if isinstance(chunk, Lost) else chunk.position

    async def read_to_end(
        self, partition: Partition, isolation: Isolation, sink: Callable[[Sequence[Record]], None]
    ) -> int | Lost:
        """See `ports.LogReader`. Reads in pieces, so that a trim may come in between."""
        end = await self._limit(partition, isolation)
        if isinstance(end, Lost):
            return end
        position = 0
        while True:
            chunk = await self._piece(partition, position, isolation)
            if isinstance(chunk, Lost):
                return chunk
            sink(chunk.records)
            position = chunk.position
            if position >= end:
                return position

    async def _piece(self, partition: Partition, position: int, isolation: Isolation) -> Chunk | Lost:
        most = 1 + int(40 * self._random.random() ** 2)
        return await self._ask(
            f"read from {position}", partition, lambda log: log.read(max(position, log.start), isolation, most)
        )

    async def read_one(self, partition: Partition, offset: int) -> Record | None | Lost:
        """See `ports.LogReader`. Like the real one it leaves it to the caller to know that the offset is committed."""
        for _ in range(60):
            chunk = await self._ask(
                f"read {offset}", partition, lambda log: log.read(max(offset, log.start), Isolation.UNCOMMITTED, 1)
            )
            if isinstance(chunk, Lost):
                return chunk
            if chunk.position > offset:
                return next((record for record in chunk.records if record.offset == offset), None)
            await asyncio.sleep(0.5)  # not written yet
        return _STALL

    async def read_tail(self, partition: Partition, count: int) -> Tail | Lost:
        """See `ports.LogReader`."""
        end = await self._limit(partition, Isolation.COMMITTED)
        if isinstance(end, Lost):
            return end
        first = max(0, end - count)
        start = 0

        def read(log: Log) -> Chunk:
            nonlocal start
            start = log.start
            return log.read(max(first, start), Isolation.COMMITTED, count)

        chunk = await self._ask("read the tail of", partition, read)
        return chunk if isinstance(chunk, Lost) else Tail(chunk.records, whole=first <= start)


class SimAdmin:
    """`ports.LogAdmin`."""

    def __init__(self, broker: Broker, wire: Wire) -> None:
        self._broker = broker
        self._wire = wire

    async def delete_before(self, offsets: Mapping[Partition, int]) -> Lost | None:
        """See `ports.LogAdmin`."""
        wanted = dict(offsets)

        def effect(reply: Reply[None]) -> None:
            reply(self._broker.delete_before(wanted))

        return await self._wire.ask(f"delete {wanted}", effect)

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, Committed | None] | Lost:
        """See `ports.LogAdmin`."""

        def effect(reply: Reply[Mapping[Partition, Committed | None]]) -> None:
            reply({partition: self._broker.committed(group, partition) for partition in partitions})

        return await self._wire.ask("committed", effect)

    async def earliest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """See `ports.LogAdmin`."""

        def effect(reply: Reply[Mapping[Partition, int]]) -> None:
            reply({partition: self._broker.logs[partition].start for partition in partitions})

        return await self._wire.ask("earliest", effect)

    async def latest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """See `ports.LogAdmin`."""

        def effect(reply: Reply[Mapping[Partition, int]]) -> None:
            reply({partition: self._broker.logs[partition].end for partition in partitions})

        return await self._wire.ask("latest", effect)
