"""What the worker takes for granted of a broker, on whichever the tests run: a broker that fails here is no use.

Also what the two brokers do differently where the design could depend on it.
"""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata

from tests.brokers.apache import ApacheKafka
from tests.brokers.base import Broker
from tests.brokers.clients import Clients, read_to_end, write
from tests.brokers.topics import create, unique_names
from tests.brokers.waiting import equals, until
from worker.model import TopicNames


async def test_committed_records_are_read_by_everybody(topics: TopicNames, clients: Clients) -> None:
    writer = await clients.producer(f"{topics.ledger}.0")
    async with writer.transaction():
        assert await write(writer, topics.ledger, b"a", b"b") == [0, 1]
    reader = await clients.consumer("read_committed")
    await equals(lambda: read_to_end(reader, TopicPartition(topics.ledger, 0)), [(0, b"a"), (1, b"b")])


async def test_position_reaches_the_end_behind_control_records(topics: TopicNames, clients: Clients) -> None:
    writer = await clients.producer(f"{topics.ledger}.0")
    for value in (b"a", b"b"):
        async with writer.transaction():
            await write(writer, topics.ledger, value)
    partition = TopicPartition(topics.ledger, 0)
    for isolation in ("read_committed", "read_uncommitted"):
        reader = await clients.consumer(isolation)
        records = await until(partial(read_to_end, reader, partition), lambda seen: len(seen) == 2)
        assert [value for _, value in records] == [b"a", b"b"]
        assert await reader.position(partition) > records[-1][0]


async def test_an_aborted_transaction_stays_readable_uncommitted_and_only_there(
    topics: TopicNames, clients: Clients
) -> None:
    writer = await clients.producer(f"{topics.journal}.0")
    await writer.begin_transaction()
    await write(writer, topics.journal, b"fact")
    await writer.abort_transaction()
    partition = TopicPartition(topics.journal, 0)
    assert await read_to_end(await clients.consumer("read_committed"), partition) == []
    assert await read_to_end(await clients.consumer("read_uncommitted"), partition) == [(0, b"fact")]


async def test_offsets_are_committed_with_their_transaction(topics: TopicNames, group: str, clients: Clients) -> None:
    writer = await clients.producer(f"{topics.ledger}.0")
    partition = TopicPartition(topics.requests, 0)
    await writer.begin_transaction()
    await write(writer, topics.ledger, b"a")
    await writer.send_offsets_to_transaction({partition: OffsetAndMetadata(7, "why")}, group)
    await writer.abort_transaction()
    reader = await clients.consumer("read_committed", group_id=group)
    reader.assign([partition])
    assert await reader.committed(partition) is None
    await writer.begin_transaction()
    await write(writer, topics.ledger, b"b")
    await writer.send_offsets_to_transaction({partition: OffsetAndMetadata(9, "")}, group)
    await writer.commit_transaction()
    await equals(lambda: reader.committed(partition), 9)


async def test_committed_offsets_are_settled_once_the_next_producer_of_the_id_has_started(
    topics: TopicNames, new_group: Callable[[], str], clients: Clients
) -> None:
    """A commit returns before `committed()` shows it; who has fenced the former owner reads the truth at once."""
    partition = TopicPartition(topics.requests, 0)
    for _ in range(10):
        group = new_group()
        reader = await clients.consumer("read_committed", group_id=group)
        reader.assign([partition])
        writer = await clients.producer(f"{topics.ledger}.0.settle")
        await writer.begin_transaction()
        await write(writer, topics.ledger, b"a")
        await writer.send_offsets_to_transaction({partition: OffsetAndMetadata(9, "")}, group)
        await writer.commit_transaction()
        await clients.producer(f"{topics.ledger}.0.settle")
        assert await reader.committed(partition) == 9


async def test_the_second_producer_of_an_id_fences_the_first(topics: TopicNames, clients: Clients) -> None:
    first = await clients.producer(f"{topics.journal}.0")
    await first.begin_transaction()
    await write(first, topics.journal, b"first")
    second = await clients.producer(f"{topics.journal}.0")
    with pytest.raises(ProducerFenced):
        await write(first, topics.journal, b"too late")
    async with second.transaction():
        await write(second, topics.journal, b"second")
    partition = TopicPartition(topics.journal, 0)
    reader = await clients.consumer("read_committed")
    committed = await until(lambda: read_to_end(reader, partition), bool)
    assert [value for _, value in committed] == [b"second"]
    everything = await read_to_end(await clients.consumer("read_uncommitted"), partition)
    assert [value for _, value in everything] == [b"first", b"second"]


async def test_a_producer_without_an_open_transaction_is_fenced_too(topics: TopicNames, clients: Clients) -> None:
    first = await clients.producer(f"{topics.journal}.0")
    async with first.transaction():
        await write(first, topics.journal, b"first")
    await clients.producer(f"{topics.journal}.0")
    with pytest.raises(ProducerFenced):
        async with first.transaction():
            await write(first, topics.journal, b"too late")


async def test_a_compacted_topic_refuses_a_record_without_key(topics: TopicNames, clients: Clients) -> None:
    writer = await clients.producer(f"{topics.ledger}.0")
    await writer.begin_transaction()
    with pytest.raises(KafkaError):
        await writer.send_and_wait(topics.ledger, b"no key", partition=0)


@pytest.mark.apache
async def test_a_transaction_that_takes_too_long_is_aborted_and_its_producer_fenced(
    topics: TopicNames, clients: Clients
) -> None:
    """The embedded broker never does it: a transaction there stays open for ever.

    Its time is long enough for a record of a process or a broker that stands still for a while.
    """
    writer = await clients.producer(f"{topics.journal}.0", transaction_timeout_ms=5_000)
    await writer.begin_transaction()
    await write(writer, topics.journal, b"a")
    partition = TopicPartition(topics.journal, 0)
    stable = await clients.consumer("read_committed")
    await until(lambda: stable.end_offsets([partition]), lambda ends: ends[partition] == 2)
    assert await read_to_end(stable, partition) == []
    with pytest.raises(ProducerFenced):
        await write(writer, topics.journal, b"too late")


@pytest.mark.apache
async def test_a_member_that_stops_is_evicted_and_its_partitions_taken_over(
    broker: Broker, topics: TopicNames, group: str
) -> None:
    """The embedded broker never does it."""
    script = (
        "import asyncio, sys, aiokafka\n"
        "async def main():\n"
        "    member = aiokafka.AIOKafkaConsumer(sys.argv[2], bootstrap_servers=sys.argv[1], group_id=sys.argv[3],\n"
        "        session_timeout_ms=2000, heartbeat_interval_ms=500)\n"
        "    await member.start()\n"
        "    while not member.assignment():\n"
        "        await asyncio.sleep(0.05)\n"
        "    print('assigned', flush=True)\n"
        "    await asyncio.sleep(3600)\n"
        "asyncio.run(main())\n"
    )
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, broker.bootstrap, topics.requests, group, stdout=asyncio.subprocess.PIPE
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"assigned\n"
    first.kill()
    await first.wait()
    second = AIOKafkaConsumer(
        topics.requests,
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        session_timeout_ms=2_000,
        heartbeat_interval_ms=500,
    )
    try:
        await second.start()

        async def assigned() -> int:
            return len(second.assignment())

        await equals(assigned, 4)
    finally:
        await second.stop()


async def test_what_was_committed_outlives_the_broker(own_broker: Broker) -> None:
    names = unique_names()
    await create(own_broker.bootstrap, names, partitions=1)
    writer = AIOKafkaProducer(bootstrap_servers=own_broker.bootstrap, transactional_id=f"{names.ledger}.0")
    await writer.start()
    async with writer.transaction():
        await write(writer, names.ledger, b"a")
    await writer.stop()
    before = own_broker.bootstrap
    await own_broker.restart()
    assert own_broker.bootstrap == before
    reader = AIOKafkaConsumer(
        bootstrap_servers=before, isolation_level="read_committed", auto_offset_reset="none", enable_auto_commit=False
    )
    await reader.start()
    try:
        assert await read_to_end(reader, TopicPartition(names.ledger, 0)) == [(0, b"a")]
    finally:
        await reader.stop()


@pytest.mark.apache
async def test_three_nodes_go_on_without_one(tmp_path: Path) -> None:
    cluster = ApacheKafka(tmp_path, nodes=3)
    try:
        await cluster.start()
        names = unique_names()
        await create(cluster.bootstrap, names, partitions=3, replication=3)
        async with AIOKafkaProducer(
            bootstrap_servers=cluster.bootstrap, transactional_id=f"{names.ledger}.0"
        ) as writer:
            async with writer.transaction():
                before = await write(writer, names.ledger, b"a")
            cluster.nodes[0].kill()
            async with writer.transaction():
                after = await write(writer, names.ledger, b"b")
        assert after > before
        cluster.nodes[0].start()
        await cluster.wait()
    finally:
        cluster.kill()
