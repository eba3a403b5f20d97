"""The upstream producer: sample events in bursts, and a trickle that never ends by itself."""

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, count

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from tests.chaos.terms import PARTITIONS
from worker.demo.samples import Sample, samples
from worker.model import Coordinates

KIND = "sample-kind"
"""Header of each record: what kind of sample it is (`samples.Kind`). Not the worker's business."""
_BURSTS = (5, 60)
_TRICKLE = 0.4
"""Seconds between two events of the trickle."""


class Feed:
    """Sends what `samples` makes, in its order. What stands in the topic is the truth, not what was acknowledged."""

    def __init__(self, bootstrap: str, topic: str, seed: int) -> None:
        self.given = 0
        """Records handed to the producer."""
        self.delivered: list[Coordinates] = []
        self.unclear = 0
        """Records of which the producer does not know whether they were written."""
        self._topic = topic
        self._seed = seed
        self._rng = random.Random(seed)
        # Long: a broker's death must not make it give up a record that may have been written.
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", request_timeout_ms=180_000
        )
        self._start = datetime.now(UTC)

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        """Wait until everything is delivered, and disconnect."""
        await self._producer.stop()

    async def burst_by_burst(self, events: int, seconds: float) -> None:
        """`events` of all kinds, spread over `seconds`."""
        made = samples(events, PARTITIONS, self._seed, self._start)
        clock = asyncio.get_running_loop().time
        began = clock()
        while self.given < events:
            burst = made[self.given : self.given + self._rng.randint(*_BURSTS)]
            for sample in burst:
                await self._send(sample)
            await asyncio.sleep(began + seconds * self.given / events - clock())

    async def trickle(self) -> None:
        """One event after another, until cancelled: a doubt needs a witness that was registered after it."""
        for sample in self._endless():
            await self._send(sample)
            await asyncio.sleep(_TRICKLE)

    def _endless(self) -> Iterator[Sample]:
        # Another seed, other invoices.
        return chain.from_iterable(samples(200, PARTITIONS, self._seed + more, self._start) for more in count(1))

    async def _send(self, sample: Sample) -> None:
        headers = [*sample.headers, (KIND, sample.kind.value.encode())]
        self.given += 1
        sent = await self._producer.send(
            self._topic, sample.value, key=sample.key, partition=sample.partition, headers=headers
        )
        sent.add_done_callback(self._sent)

    def _sent(self, future: asyncio.Future[RecordMetadata]) -> None:
        if future.cancelled() or isinstance(future.exception(), KafkaError):
            self.unclear += 1
            return
        found = future.result()
        self.delivered.append(Coordinates(found.topic, found.partition, found.offset))
