"""The sample producer: sends the samples as an upstream system would, and tells where each record landed."""

import asyncio
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer

from worker.demo.samples import Sample
from worker.model import Coordinates

Sent = Callable[[Coordinates, Sample], None]


async def produce(bootstrap: str, topic: str, samples: Sequence[Sample], rate: float, sent: Sent) -> None:
    """Send every sample in order, `rate` per second (0: as fast as it goes); `sent` hears of each when acknowledged.

    Raises aiokafka's KafkaError when the broker refuses a record.
    """
    # The explicit partition is the sample's: what a misrouted one needs, and the same as by its key for the others.
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5)
    await producer.start()
    loop = asyncio.get_running_loop()
    begin = loop.time()
    try:
        async with asyncio.TaskGroup() as waiting:
            for number, sample in enumerate(samples):
                if rate:
                    await asyncio.sleep(begin + number / rate - loop.time())
                future = await producer.send(
                    topic,
                    value=sample.value,
                    key=sample.key,
                    partition=sample.partition,
                    headers=list(sample.headers),
                )
                waiting.create_task(_acknowledged(future, sample, sent))
    finally:
        await producer.stop()


async def _acknowledged(future: "asyncio.Future[object]", sample: Sample, sent: Sent) -> None:
    metadata = await future
    sent(Coordinates(metadata.topic, metadata.partition, metadata.offset), sample)  # type: ignore[attr-defined]
