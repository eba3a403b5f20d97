"""Reads whole partitions outside of any group, record by record, however long they are."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from worker.kafka.failures import CLIENT_ERRORS, lost
from worker.kafka.reader import to_record
from worker.kafka.security import Connection
from worker.model import Record
from worker.ports import Isolation, Lost, LostWhy

_PARTITION_BYTES: Final = 1024 * 1024
_FETCH_BYTES: Final = 16 * 1024 * 1024
_BATCH: Final = 500
_STALL: Final = 30.0
"""Seconds without progress after which a scan is given up."""


async def scan(
    connection: Connection,
    topic: str,
    partitions: Iterable[int],
    isolation: Isolation,
    *,
    start: Mapping[int, int] | None = None,
    end: Mapping[int, int] | None = None,
) -> AsyncGenerator[Record | Lost, None]:
    """Every record of these partitions, up to where they end when this is called; each partition's in its order.

    `start`, `end`: offsets by partition, where not all is wanted; `end` is not read any more. What was trimmed is
    passed over. A `Lost` is the last that comes. Memory holds one fetch: 1 MiB of each partition, 16 MiB together.
    Whoever breaks off early should close the iterator (`contextlib.aclosing`).

    Asked for committed records, don't `start` in the middle on the embedded broker: behind an abort's marker it hides
    what the same producer commits later (docs/explanation/measurements.md).
    """
    consumer = AIOKafkaConsumer(
        **connection.options,
        group_id=None,
        enable_auto_commit=False,
        isolation_level=isolation.value,
        auto_offset_reset="earliest",  # what is trimmed while it is read is passed over
        max_partition_fetch_bytes=_PARTITION_BYTES,
        fetch_max_bytes=_FETCH_BYTES,
        fetch_max_wait_ms=100,
    )
    try:
        await consumer.start()
        ends = await _begin(consumer, topic, partitions, start or {}, end or {})
        moved = asyncio.get_running_loop().time()
        while ends:
            batch = await consumer.getmany(*ends, timeout_ms=200, max_records=_BATCH)
            for tp, messages in batch.items():
                for message in messages:
                    if message.offset < ends[tp]:
                        yield to_record(message)
            now = asyncio.get_running_loop().time()
            if await _drop_finished(consumer, ends) or batch:
                moved = now
            elif now - moved > _STALL:
                yield Lost(LostWhy.TIMEOUT, f"read {topic}: no progress, {len(ends)} partitions are not at their ends")
                return
    except CLIENT_ERRORS as error:
        yield lost(error, f"read {topic}")
    finally:
        await consumer.stop()


async def _begin(
    consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int], start: Mapping[int, int], end: Mapping[int, int]
) -> dict[TopicPartition, int]:
    """Assign and seek; the ends of those partitions that have something to read."""
    tps = [TopicPartition(topic, number) for number in partitions]
    consumer.assign(tps)
    first = await consumer.beginning_offsets(tps)
    last = await consumer.end_offsets(tps)
    ends: dict[TopicPartition, int] = {}
    for tp in tps:
        begin = max(first[tp], start.get(tp.partition, 0))
        stop = min(last[tp], end.get(tp.partition, last[tp]))
        if begin < stop:
            consumer.seek(tp, begin)
            ends[tp] = stop
        else:
            consumer.pause(tp)
    return ends


async def _drop_finished(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> bool:
    """Drop the partitions whose position reached the end: behind a control record no record's offset ever does."""
    done = [tp for tp, stop in ends.items() if await consumer.position(tp) >= stop]
    for tp in done:
        del ends[tp]
        consumer.pause(tp)
    return bool(done)
