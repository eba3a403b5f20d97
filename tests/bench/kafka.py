"""Both ends of the worker: records in, as fast as possible or paced, and committed outcomes out."""

import asyncio
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.bench.load import Message
from worker.model import TopicNames

_BATCH_BYTES = 512 * 1024
_STALL = 60.0


class Ends:
    """A producer of requests and a reader of committed outcomes. `async with Ends(…) as ends`."""

    def __init__(self, bootstrap: str, topics: TopicNames, partitions: int) -> None:
        self._topics = topics
        self._outcomes = [TopicPartition(topics.outcomes, number) for number in range(partitions)]
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=_BATCH_BYTES
        )
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self._read = 0

    async def __aenter__(self) -> Self:
        await self._producer.start()
        await self._consumer.start()
        self._consumer.assign(self._outcomes)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._producer.stop()
        await self._consumer.stop()

    def batches(self, load: Iterable[Message]) -> list[tuple[int, Any]]:
        """Whole batches with their partition, made beforehand so that producing costs next to nothing in the round."""
        full: list[tuple[int, Any]] = []
        filling: dict[int, Any] = {}
        for message in load:
            while True:
                batch = filling.get(message.partition)
                if batch is None:
                    batch = filling[message.partition] = self._producer.create_batch()
                headers = list(message.headers)
                if batch.append(timestamp=None, key=message.key, value=message.value, headers=headers) is not None:
                    break
                full.append((message.partition, filling.pop(message.partition)))
        return [*full, *filling.items()]

    async def send(self, batches: list[tuple[int, Any]]) -> None:
        """Send them all and wait until they are acknowledged."""
        sent = [
            await self._producer.send_batch(batch, self._topics.requests, partition=partition)
            for partition, batch in batches
        ]
        await asyncio.gather(*sent)

    async def pace(self, load: list[Message], rate: float) -> dict[str, float]:
        """Send `rate` records per second: when each was handed to the producer, in seconds since the epoch."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        at: dict[str, float] = {}
        waiting = []
        for number, message in enumerate(load):
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            at[message.identity] = time.time()
            future = await self._producer.send(
                self._topics.requests,
                value=message.value,
                key=message.key,
                partition=message.partition,
                headers=list(message.headers),
            )
            waiting.append(future)
        await asyncio.gather(*waiting)
        return at

    async def outcomes(self, count: int) -> dict[str, float]:
        """Read `count` more committed outcomes: when each identity's was seen, in seconds since the epoch.

        Raises TimeoutError when none comes for a minute.
        """
        seen: dict[str, float] = {}
        found = 0
        while found < count:
            async with asyncio.timeout(_STALL):
                while not (batch := await self._consumer.getmany(timeout_ms=1000)):
                    pass
            now = time.time()
            for records in batch.values():
                found += len(records)
                seen |= dict.fromkeys((record.key.decode() for record in records), now)
        return seen
