"""Reading partitions outside of any group, behind `ports.LogReader`, and the offsets behind `ports.LogAdmin`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from worker.kafka.failures import CLIENT_ERRORS, lost
from worker.kafka.security import Connection
from worker.model import Partition, Record
from worker.ports import Committed, Isolation, Lost, LostWhy, Tail

_FETCH_BYTES = 8 * 1024 * 1024
_STALL = 30.0
"""Seconds without progress after which a read is given up."""


def to_record(message: ConsumerRecord) -> Record:
    """aiokafka's record as ours."""
    return Record(
        message.topic,
        message.partition,
        message.offset,
        message.timestamp,
        message.key,
        message.value,
        tuple((name, value) for name, value in message.headers),
    )


class KafkaReader:
    """Makes a short-lived consumer for each read; the reads of one entry share a lasting one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._one: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def read_to_end(
        self, partition: Partition, isolation: Isolation, sink: Callable[[Sequence[Record]], None]
    ) -> int | Lost:
        """See `ports.LogReader`."""
        try:
            async with _consumer(self._connection, isolation) as consumer:
                tp = TopicPartition(*partition)
                consumer.assign([tp])
                end = (await consumer.end_offsets([tp]))[tp]
                await consumer.seek_to_beginning(tp)
                return await _read_up_to(consumer, tp, end, sink)
        except CLIENT_ERRORS as error:
            return lost(error, f"read {partition.topic}")

    async def read_tail(self, partition: Partition, count: int) -> Tail | Lost:
        """See `ports.LogReader`."""
        records: list[Record] = []
        try:
            async with _consumer(self._connection, Isolation.COMMITTED) as consumer:
                tp = TopicPartition(*partition)
                consumer.assign([tp])
                start = (await consumer.beginning_offsets([tp]))[tp]
                end = (await consumer.end_offsets([tp]))[tp]
                first = max(start, end - count)
                consumer.seek(tp, first)
                position = await _read_up_to(consumer, tp, end, records.extend)
        except CLIENT_ERRORS as error:
            return lost(error, f"read {partition.topic}")
        return position if isinstance(position, Lost) else Tail(records, whole=first <= start)

    async def read_one(self, partition: Partition, offset: int) -> Record | None | Lost:
        """See `ports.LogReader`."""
        async with self._turn:
            try:
                if self._one is None:
                    # The caller knows that this offset is committed. Asked for committed records, it might have to
                    # wait: behind a commit Apache Kafka writes its markers late.
                    self._one = _make(self._connection, Isolation.UNCOMMITTED)
                    await self._one.start()
                tp = TopicPartition(*partition)
                self._one.assign([tp])
                self._one.seek(tp, offset)
                message = await asyncio.wait_for(self._one.getone(tp), _STALL)
            except CLIENT_ERRORS as error:
                await self._drop_one()
                return lost(error, f"read {partition.topic}")
        return to_record(message) if message.offset == offset else None

    async def _drop_one(self) -> None:
        consumer, self._one = self._one, None
        if consumer is not None:
            await consumer.stop()

    async def close(self) -> None:
        """Disconnect."""
        await self._drop_one()


class KafkaAdmin:
    """`ports.LogAdmin`: trims the journals, asks for offsets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._admin: AIOKafkaAdminClient | None = None
        self._turn = asyncio.Lock()

    async def _client(self) -> AIOKafkaAdminClient:
        async with self._turn:
            if self._admin is None:
                client = AIOKafkaAdminClient(**self._connection.options)
                await client.start()
                self._admin = client
            return self._admin

    async def delete_before(self, offsets: Mapping[Partition, int]) -> Lost | None:
        """DeleteRecords, one call for all partitions."""
        try:
            client = await self._client()
            await client.delete_records(
                {TopicPartition(*partition): RecordsToDelete(offset) for partition, offset in offsets.items()}
            )
        except CLIENT_ERRORS as error:
            await self.close()
            return lost(error, "trim the journal")
        return None

    async def committed(
        self, group: str, partitions: Sequence[Partition]
    ) -> Mapping[Partition, Committed | None] | Lost:
        """See `ports.LogAdmin`."""
        try:
            client = await self._client()
            found = await client.list_consumer_group_offsets(
                group, partitions=[TopicPartition(*partition) for partition in partitions]
            )
        except CLIENT_ERRORS as error:
            await self.close()
            return lost(error, "ask for committed offsets")
        offsets = {partition: found.get(TopicPartition(*partition)) for partition in partitions}
        return {
            partition: None if known is None or known.offset < 0 else Committed(known.offset, known.metadata or "")
            for partition, known in offsets.items()
        }

    async def earliest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """See `ports.LogAdmin`."""
        return await self._bounds(partitions, AIOKafkaConsumer.beginning_offsets, "ask for the earliest offsets")

    async def latest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """See `ports.LogAdmin`."""
        return await self._bounds(partitions, AIOKafkaConsumer.end_offsets, "ask for the latest offsets")

    async def _bounds(
        self, partitions: Sequence[Partition], ask: Callable[..., Awaitable[dict[TopicPartition, int]]], doing: str
    ) -> Mapping[Partition, int] | Lost:
        tps = [TopicPartition(*partition) for partition in partitions]
        try:
            async with _consumer(self._connection, Isolation.UNCOMMITTED) as consumer:
                consumer.assign(tps)
                found = await ask(consumer, tps)
        except CLIENT_ERRORS as error:
            return lost(error, doing)
        return {partition: found[TopicPartition(*partition)] for partition in partitions}

    async def close(self) -> None:
        """Disconnect."""
        client, self._admin = self._admin, None
        if client is not None:
            await client.close()


def _make(connection: Connection, isolation: Isolation) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **connection.options,
        group_id=None,
        enable_auto_commit=False,
        isolation_level=isolation.value,
        # A trim that comes late moves the start while it is read: go on at the new one.
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
        fetch_max_wait_ms=100,
    )


@asynccontextmanager
async def _consumer(connection: Connection, isolation: Isolation) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = _make(connection, isolation)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _read_up_to(
    consumer: AIOKafkaConsumer, tp: TopicPartition, end: int, sink: Callable[[Sequence[Record]], None]
) -> int | Lost:
    """Read until the position reaches `end`: after a control record no record's offset ever does."""
    position: int = await consumer.position(tp)
    moved = asyncio.get_running_loop().time()
    while position < end:
        batch = await consumer.getmany(tp, timeout_ms=200)
        for messages in batch.values():
            sink([to_record(message) for message in messages])
        before, position = position, await consumer.position(tp)
        now = asyncio.get_running_loop().time()
        if position > before:
            moved = now
        elif now - moved > _STALL:
            return Lost(LostWhy.TIMEOUT, f"read {tp.topic}: no progress at {position}, the end is {end}")
    return position
