"""A transactional producer on aiokafka, behind `ports.LogProducer`."""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata, RecordMetadata

from worker.kafka.failures import CLIENT_ERRORS, lost
from worker.kafka.security import Connection
from worker.model import OutRecord, Partition
from worker.ports import Acked, Committed, Lost, LostWhy

_BATCH_BYTES = 256 * 1024
"""One batch for a flush instead of a future for each record: a fifth less CPU (docs/explanation/measurements.md)."""
_CLOSE_TIMEOUT = 5.0


class KafkaProducer:
    """One transactional id. Any failure is final: close it and make another."""

    def __init__(self, connection: Connection, transactional_id: str, transaction_timeout: float) -> None:
        """`transaction_timeout` in seconds: how long the broker lets a transaction stay open."""
        self._id = transactional_id
        self._connection = connection
        self._timeout_ms = int(transaction_timeout * 1000)
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> Lost | None:
        """InitProducerId: ends the open transaction of the former holder of this id, and fences it."""
        try:
            # Compressed, so that a dead letter from a compressed batch fits where its source did.
            self._producer = AIOKafkaProducer(
                **self._connection.options,
                transactional_id=self._id,
                transaction_timeout_ms=self._timeout_ms,
                acks="all",
                compression_type="zstd",
                max_batch_size=_BATCH_BYTES,
                max_request_size=2**31 - 1,  # the broker's limits decide, not the client's
                metadata_max_age_ms=60_000,
            )
            await self._producer.start()
        except CLIENT_ERRORS as error:
            return lost(error, "start a producer")
        return None

    async def begin(self) -> Lost | None:
        """Open a transaction; local until the first record."""
        assert self._producer is not None, "started"
        try:
            await self._producer.begin_transaction()
        except CLIENT_ERRORS as error:
            return lost(error, "begin a transaction")
        return None

    async def send(self, records: Sequence[OutRecord]) -> Acked | Lost:
        """Write and wait for every acknowledgement."""
        try:
            if len(records) == 1:
                return await self._send_one(records[0])
            return await self._send_batches(records)
        except CLIENT_ERRORS as error:
            return lost(error, "write")

    async def _send_one(self, record: OutRecord) -> Acked | Lost:
        assert self._producer is not None, "started"
        future = await self._producer.send(
            record.topic,
            value=record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers),
        )
        return _acked([((0,), await future)], 1)

    async def _send_batches(self, records: Sequence[OutRecord]) -> Acked | Lost:
        """One batch for each partition (more where one gets too large), all sent before any is awaited."""
        assert self._producer is not None, "started"
        by_partition: dict[Partition, list[int]] = {}
        for index, record in enumerate(records):
            by_partition.setdefault(Partition(record.topic, record.partition), []).append(index)
        sent: list[tuple[tuple[int, ...], asyncio.Future[RecordMetadata]]] = []
        try:
            for partition, indexes in by_partition.items():
                left = tuple(indexes)
                while left:
                    batch = self._producer.create_batch()
                    taken = 0
                    for index in left:
                        record = records[index]
                        headers = list(record.headers)
                        if batch.append(timestamp=None, key=record.key, value=record.value, headers=headers) is None:
                            break
                        taken += 1
                    future = await self._producer.send_batch(batch, partition.topic, partition=partition.number)
                    sent.append((left[:taken], future))
                    left = left[taken:]
        finally:
            # All are awaited, also when one failed: none may end as an exception that nobody saw.
            results = await asyncio.gather(*(future for _, future in sent), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        pairs = [(indexes, result) for (indexes, _), result in zip(sent, results, strict=True)]
        return _acked(
            [(indexes, result) for indexes, result in pairs if isinstance(result, RecordMetadata)], len(records)
        )

    async def send_offsets(self, group: str, offsets: Mapping[Partition, Committed]) -> Lost | None:
        """Commit input offsets, and what stands beside them, with the transaction."""
        assert self._producer is not None, "started"
        try:
            await self._producer.send_offsets_to_transaction(
                {
                    TopicPartition(*partition): OffsetAndMetadata(committed.offset, committed.metadata)
                    for partition, committed in offsets.items()
                },
                group,
            )
        except CLIENT_ERRORS as error:
            return lost(error, "add offsets")
        return None

    async def commit(self) -> Lost | None:
        """End the transaction; the caller bounds the time."""
        assert self._producer is not None, "started"
        try:
            await self._producer.commit_transaction()
        except CLIENT_ERRORS as error:
            return lost(error, "commit")
        return None

    async def close(self) -> None:
        """Abort what is open, where the broker still lets us, and disconnect. Never raises, never hangs."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                if producer._txn_manager.is_in_transaction():  # noqa: SLF001  (there is no public way to ask)
                    await producer.abort_transaction()
        except CLIENT_ERRORS:
            pass  # fenced or unreachable: the next owner's start aborts it
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await producer.stop()
        except CLIENT_ERRORS:
            # stop() waits for batches that can't be delivered any more; its connections are what must go.
            await producer.client.close()


def _acked(sent: Sequence[tuple[tuple[int, ...], RecordMetadata]], count: int) -> Acked | Lost:
    """The records' offsets in their order; `Lost` when the broker did not tell one (a duplicate sequence number)."""
    offsets = [-1] * count
    for indexes, metadata in sent:
        if metadata.offset is None or metadata.offset < 0:
            return Lost(LostWhy.UNCLEAR, "write: acknowledged without an offset")
        for distance, index in enumerate(indexes):
            offsets[index] = metadata.offset + distance
    return Acked(tuple(offsets))
