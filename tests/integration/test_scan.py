"""Reading whole partitions: to where they ended, in their order, committed or not, and what is gone."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from tests.brokers.base import Broker
from tests.brokers.clients import Clients
from worker.kafka.scan import scan
from worker.kafka.security import Connection
from worker.model import Record, TopicNames
from worker.ports import Isolation, Lost


@pytest.fixture
def connection(broker: Broker) -> Connection:
    return Connection(broker.bootstrap, "scan", 40.0, {})


async def read(
    connection: Connection, topic: str, partitions: Any, isolation: Isolation, **bounds: Any
) -> list[Record]:
    found = []
    async with aclosing(scan(connection, topic, partitions, isolation, **bounds)) as records:
        async for record in records:
            assert isinstance(record, Record), record
            found.append(record)
    return found


async def fill(broker: Broker, topic: str, count: int, partitions: int = 4, size: int = 10) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True, linger_ms=5)
    await producer.start()
    try:
        futures = [
            await producer.send(topic, key=b"%d" % n, value=b"x" * size, partition=n % partitions) for n in range(count)
        ]
        await asyncio.gather(*futures)
    finally:
        await producer.stop()


async def test_every_record_of_every_partition_in_order(broker: Broker, topics: TopicNames, connection: Connection):
    await fill(broker, topics.requests, 20_000, size=400)
    found = await read(connection, topics.requests, range(4), Isolation.COMMITTED)
    assert len(found) == 20_000
    for number in range(4):
        mine = [record for record in found if record.partition == number]
        assert [record.offset for record in mine] == list(range(5_000))
        assert [int(record.key or b"") for record in mine] == list(range(number, 20_000, 4))


async def test_only_some_partitions_and_only_between_offsets(
    broker: Broker, topics: TopicNames, connection: Connection
):
    await fill(broker, topics.requests, 400)
    found = await read(
        connection, topics.requests, [1, 2, 3], Isolation.COMMITTED, start={1: 90, 3: 100}, end={1: 95, 2: 3}
    )
    assert sorted((record.partition, record.offset) for record in found) == [
        *((1, offset) for offset in range(90, 95)),
        *((2, offset) for offset in range(3)),
    ]
    assert await read(connection, topics.replays, range(4), Isolation.COMMITTED) == []


async def test_it_ends_where_the_log_ended_when_it_began(broker: Broker, topics: TopicNames, connection: Connection):
    await fill(broker, topics.requests, 40)
    found = []
    async with aclosing(scan(connection, topics.requests, range(4), Isolation.COMMITTED)) as records:
        async for record in records:
            if not found:
                await fill(broker, topics.requests, 40)
            found.append(record)
    assert len(found) == 40


async def test_what_was_aborted_is_only_there_for_who_asks_for_it(
    clients: Clients, topics: TopicNames, connection: Connection
):
    producer = await clients.producer("scan-test")
    for keep, value in ((True, b"1"), (False, b"2"), (True, b"3"), (False, b"4")):
        await producer.begin_transaction()
        await producer.send_and_wait(topics.requests, value, key=b"k", partition=0)
        await (producer.commit_transaction() if keep else producer.abort_transaction())
    committed = await read(connection, topics.requests, range(4), Isolation.COMMITTED)
    assert [record.value for record in committed] == [b"1", b"3"]
    everything = await read(connection, topics.requests, [0], Isolation.UNCOMMITTED)
    assert [record.value for record in everything] == [b"1", b"2", b"3", b"4"]


async def test_what_was_trimmed_is_passed_over(
    broker: Broker, clients: Clients, topics: TopicNames, connection: Connection
):
    await fill(broker, topics.journal, 40)
    admin = await clients.admin()
    await admin.delete_records({TopicPartition(topics.journal, 0): RecordsToDelete(7)})
    found = await read(connection, topics.journal, [0], Isolation.UNCOMMITTED, start={0: 2})
    assert [record.offset for record in found] == [7, 8, 9]


async def test_a_broker_that_is_away_is_told_as_the_last_thing():
    away = Connection("127.0.0.1:1", "scan", 1.0, {})
    async with aclosing(scan(away, "t", [0], Isolation.COMMITTED)) as records:
        told = [one async for one in records]
    assert len(told) == 1
    assert isinstance(told[0], Lost)
