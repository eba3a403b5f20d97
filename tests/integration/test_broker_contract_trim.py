"""DeleteRecords, as the journal's owner uses it: inside a partition that has an open transaction."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import OffsetOutOfRangeError, ProducerFenced

from tests.brokers.clients import Clients, read_to_end, write
from tests.brokers.waiting import equals
from worker.model import TopicNames


async def test_deleted_records_are_gone_and_the_start_moves(topics: TopicNames, clients: Clients) -> None:
    admin = await clients.admin()
    writer = await clients.producer(f"{topics.journal}.0")
    async with writer.transaction():
        await write(writer, topics.journal, b"a", b"b", b"c")
    partition = TopicPartition(topics.journal, 0)
    await admin.delete_records({partition: RecordsToDelete(2)})
    reader = await clients.consumer("read_uncommitted")
    assert await read_to_end(reader, partition) == [(2, b"c")]


async def test_a_journal_is_trimmed_inside_its_open_transaction(topics: TopicNames, clients: Clients) -> None:
    """DeleteRecords goes up to the high watermark, whatever the last stable offset; the transaction goes on."""
    admin = await clients.admin()
    partition = TopicPartition(topics.journal, 0)
    writer = await clients.producer(f"{topics.journal}.0")
    await writer.begin_transaction()
    await write(writer, topics.journal, b"a", b"b", b"c")
    assert await admin.delete_records({partition: RecordsToDelete(2)}) == {partition: 2}
    reader = await clients.consumer("read_uncommitted")
    assert await read_to_end(reader, partition) == [(2, b"c")]
    assert await admin.delete_records({partition: RecordsToDelete(3)}) == {partition: 3}
    assert await read_to_end(reader, partition) == []
    assert await write(writer, topics.journal, b"d") == [3]
    await writer.commit_transaction()
    committed = await clients.consumer("read_committed")
    await equals(lambda: read_to_end(committed, partition), [(3, b"d")])


async def test_a_trim_beyond_the_end_is_refused_and_one_before_the_start_does_nothing(
    topics: TopicNames, clients: Clients
) -> None:
    admin = await clients.admin()
    partition = TopicPartition(topics.journal, 0)
    writer = await clients.producer(f"{topics.journal}.0")
    await writer.begin_transaction()
    await write(writer, topics.journal, b"a", b"b", b"c")
    with pytest.raises(OffsetOutOfRangeError):
        await admin.delete_records({partition: RecordsToDelete(4)})
    await admin.delete_records({partition: RecordsToDelete(2)})
    assert await admin.delete_records({partition: RecordsToDelete(1)}) == {partition: 2}


async def test_a_take_over_of_a_journal_whose_open_transaction_was_trimmed_whole(
    topics: TopicNames, clients: Clients
) -> None:
    admin = await clients.admin()
    partition = TopicPartition(topics.journal, 0)
    first = await clients.producer(f"{topics.journal}.0")
    await first.begin_transaction()
    await write(first, topics.journal, b"a", b"b")
    await admin.delete_records({partition: RecordsToDelete(2)})
    second = await clients.producer(f"{topics.journal}.0")
    await second.begin_transaction()
    await write(second, topics.journal, b"claim")
    with pytest.raises(ProducerFenced):
        await write(first, topics.journal, b"too late")
    reader = await clients.consumer("read_uncommitted")
    assert [value for _, value in await read_to_end(reader, partition)] == [b"claim"]
