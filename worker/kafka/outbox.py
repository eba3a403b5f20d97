"""Writing the replay topic, and following the outcomes: behind `worker.deadletters.outbox`."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from worker.kafka.failures import CLIENT_ERRORS, lost
from worker.kafka.reader import to_record
from worker.kafka.security import Connection
from worker.model import Coordinates, OutRecord, Record
from worker.ports import Isolation, Lost


class KafkaOutbox:
    """No transaction: each record stands for itself, and one that comes twice has no effect."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None

    async def send(self, records: Sequence[OutRecord]) -> Sequence[Coordinates] | Lost:
        """See `Outbox`."""
        try:
            if self._producer is None:
                self._producer = AIOKafkaProducer(
                    **self._connection.options,
                    enable_idempotence=True,
                    acks="all",
                    compression_type="zstd",
                    max_request_size=2**31 - 1,  # the broker's limits decide, not the client's
                )
                await self._producer.start()
            futures = [
                await self._producer.send(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                )
                for record in records
            ]
            results = await asyncio.gather(*futures, return_exceptions=True)
        except CLIENT_ERRORS as error:
            return lost(error, "write")
        where: list[Coordinates] = []
        for result in results:
            if isinstance(result, CLIENT_ERRORS):
                return lost(result, "write")
            if isinstance(result, BaseException):
                raise result
            where.append(Coordinates(result.topic, result.partition, result.offset))
        return where

    async def close(self) -> None:
        """Wait for what is on its way, disconnect. Never raises."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await producer.stop()
            except CLIENT_ERRORS:
                await producer.client.close()


class KafkaFollowed:
    """The outcome topic from its end on."""

    def __init__(self, connection: Connection, topic: str, partitions: int) -> None:
        self._connection = connection
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._consumer: AIOKafkaConsumer | None = None

    async def start(self) -> Lost | None:
        """See `Followed`."""
        consumer = AIOKafkaConsumer(
            **self._connection.options,
            group_id=None,
            enable_auto_commit=False,
            isolation_level=Isolation.COMMITTED.value,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=100,
        )
        self._consumer = consumer
        try:
            await consumer.start()
            consumer.assign(self._partitions)
            for partition, end in (await consumer.end_offsets(self._partitions)).items():
                consumer.seek(partition, end)
        except CLIENT_ERRORS as error:
            return lost(error, "follow the outcomes")
        return None

    async def poll(self, seconds: float) -> Sequence[Record] | Lost:
        """See `Followed`."""
        assert self._consumer is not None, "started"
        try:
            batches = await self._consumer.getmany(timeout_ms=int(seconds * 1000))
        except CLIENT_ERRORS as error:
            return lost(error, "follow the outcomes")
        return [to_record(message) for messages in batches.values() for message in messages]

    async def close(self) -> None:
        """Disconnect."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
