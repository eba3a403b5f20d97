"""Kafka clients for a test: started on demand, stopped with the test, with the options that the worker uses too."""

from contextlib import AsyncExitStack
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


class Clients:
    """Clients of one broker. The stack that stops them belongs to the fixture `clients`."""

    def __init__(self, bootstrap: str, stack: AsyncExitStack):
        self.bootstrap = bootstrap
        self._stack = stack

    async def producer(self, transactional_id: str, **options: Any) -> AIOKafkaProducer:
        """A transactional producer: its start fences every other one with this id."""
        client = AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=transactional_id, **options)
        await client.start()
        self._stack.push_async_callback(client.stop)
        return client

    async def consumer(self, isolation_level: str = "read_committed", **options: Any) -> AIOKafkaConsumer:
        """A consumer that is assigned nothing yet and commits nothing by itself."""
        client = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level=isolation_level,
            auto_offset_reset="none",
            enable_auto_commit=False,
            **options,
        )
        await client.start()
        self._stack.push_async_callback(client.stop)
        return client

    async def admin(self) -> AIOKafkaAdminClient:
        client = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await client.start()
        self._stack.push_async_callback(client.close)
        return client


async def read_to_end(client: AIOKafkaConsumer, partition: TopicPartition) -> list[tuple[int, bytes | None]]:
    """Offsets and values from the start to the end as it is now.

    By position(): behind a control record the last record's offset + 1 never equals the end.
    """
    client.assign([partition])
    start = (await client.beginning_offsets([partition]))[partition]
    end = (await client.end_offsets([partition]))[partition]
    client.seek(partition, start)
    found: list[tuple[int, bytes | None]] = []
    while await client.position(partition) < end:
        for records in (await client.getmany(partition, timeout_ms=200)).values():
            found.extend((record.offset, record.value) for record in records)
    return found


async def write(client: AIOKafkaProducer, topic: str, *values: bytes) -> list[int]:
    """Write into partition 0, with a key as compacted topics want it, and return the acknowledged offsets."""
    return [(await client.send_and_wait(topic, value, key=b"key", partition=0)).offset for value in values]
