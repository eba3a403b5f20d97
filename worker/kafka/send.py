"""An idempotent producer for commands that write records: no transaction, so nothing of it fences a worker."""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from worker.kafka.failures import CLIENT_ERRORS, lost
from worker.kafka.security import Connection
from worker.model import Coordinates, OutRecord
from worker.ports import Lost

_START_TIMEOUT = 30.0


class Sender:
    """`async with Sender(connection) as sender`; its `failure` says why when it could not connect."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self.failure: Lost | None = None

    async def __aenter__(self) -> Self:
        producer = AIOKafkaProducer(
            **self._connection.options,
            enable_idempotence=True,
            acks="all",
            linger_ms=5,
            max_request_size=2**31 - 1,  # the broker's limits decide, not the client's
        )
        try:
            await asyncio.wait_for(producer.start(), _START_TIMEOUT)
        except CLIENT_ERRORS as error:
            self.failure = lost(error, "connect")
            await producer.stop()
        else:
            self._producer = producer
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, record: OutRecord) -> Awaitable[Coordinates | Lost]:
        """Hand a record over; what is returned ends when the broker acknowledged it, or did not.

        Records of a partition stay in order. Waits while the client's own buffer is full.
        """
        assert self._producer is not None, "it is connected"
        try:
            future = await self._producer.send(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=list(record.headers),
            )
        except CLIENT_ERRORS as error:
            return _failed(lost(error, f"write to {record.topic}"))
        return _acknowledged(future, record.topic)


async def _failed(failure: Lost) -> Lost:
    return failure


async def _acknowledged(future: "asyncio.Future[RecordMetadata]", topic: str) -> Coordinates | Lost:
    try:
        metadata = await future
    except CLIENT_ERRORS as error:
        return lost(error, f"write to {topic}")
    return Coordinates(metadata.topic, metadata.partition, metadata.offset)
