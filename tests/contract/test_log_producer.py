"""What every `ports.LogProducer` does: transactions, acknowledgements, fencing."""

import os

from tests.brokers.waiting import equals
from tests.contract.log_backends import LogBackend, committed, left_open, record
from worker.model import OutRecord, Partition
from worker.ports import Acked, Committed, Isolation, Lost, LostWhy

UNCOMMITTED = Isolation.UNCOMMITTED


def why(answer: object) -> LostWhy | None:
    return answer.why if isinstance(answer, Lost) else None


async def test_offsets_come_in_the_order_of_the_records_whatever_their_partitions(log: LogBackend) -> None:
    producer = await log.started()
    ledger, outcomes = Partition(log.topics.ledger, 0), Partition(log.topics.outcomes, 1)
    assert await producer.begin() is None
    mixed = [record(outcomes, b"a"), record(ledger, b"b"), record(outcomes, b"c"), record(ledger, b"d")]
    assert await producer.send(mixed) == Acked((0, 0, 1, 1))
    assert await producer.send([record(outcomes, b"e")]) == Acked((2,))
    assert await producer.commit() is None
    await equals(lambda: log.values(outcomes), [b"a", b"c", b"e"])
    await equals(lambda: log.values(ledger), [b"b", b"d"])


async def test_records_are_committed_together_and_read_uncommitted_at_once(log: LogBackend) -> None:
    producer = await log.started()
    ledger, outcomes = Partition(log.topics.ledger, 0), Partition(log.topics.outcomes, 0)
    await left_open(producer, ledger, b"entry")
    assert isinstance(await producer.send([record(outcomes, b"outcome")]), Acked)
    assert await log.values(ledger, UNCOMMITTED) == [b"entry"]
    assert await log.values(ledger) == []
    assert await log.values(outcomes) == []
    assert await producer.commit() is None
    await equals(lambda: log.values(ledger), [b"entry"])
    await equals(lambda: log.values(outcomes), [b"outcome"])


async def test_key_value_and_headers_come_back_as_they_were_sent(log: LogBackend) -> None:
    producer = await log.started()
    letters = Partition(log.topics.dead_letters, 1)
    headers = (("a", b"1"), ("b", b""), ("a", b"\xfe"))
    sent = OutRecord(letters.topic, letters.number, b"k\x00", b"\x00\xff", headers)
    assert await producer.begin() is None
    assert await producer.send([sent]) == Acked((0,))
    assert await producer.commit() is None
    await equals(lambda: log.values(letters), [b"\x00\xff"])
    found = await log.reader.read_one(letters, 0)
    assert found is not None
    assert not isinstance(found, Lost)
    assert (found.key, found.value, found.headers) == (sent.key, sent.value, sent.headers)


async def test_a_start_fences_the_former_producer_and_its_open_transaction(log: LogBackend) -> None:
    journal = Partition(log.topics.journal, 0)
    first = await log.started()
    await left_open(first, journal, b"fact")
    second = await log.started()
    assert why(await first.send([record(journal, b"too late")])) is LostWhy.FENCED
    await committed(second, journal, b"mine")
    await equals(lambda: log.values(journal), [b"mine"])
    # What the fenced one had acknowledged still counts for those who read what is not committed.
    assert await log.values(journal, UNCOMMITTED) == [b"fact", b"mine"]


async def test_a_fenced_producer_can_not_commit(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    first = await log.started()
    await left_open(first, ledger, b"never")
    second = await log.started()
    assert isinstance(await first.commit(), Lost)
    await committed(second, ledger, b"mine")
    await equals(lambda: log.values(ledger), [b"mine"])


async def test_a_start_fences_between_transactions_too(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    first = await log.started()
    await committed(first, ledger, b"before")
    await log.started()
    assert await first.begin() is None  # local
    assert why(await first.send([record(ledger, b"too late")])) is LostWhy.FENCED
    assert await log.values(ledger, UNCOMMITTED) == [b"before"]


async def test_other_transactional_ids_are_left_alone(log: LogBackend) -> None:
    ledger, journal = Partition(log.topics.ledger, 0), Partition(log.topics.journal, 0)
    first, other = await log.started("one"), await log.started("two")
    await left_open(first, ledger, b"a")
    await left_open(other, journal, b"b")
    await log.started("two")
    assert await first.commit() is None
    await equals(lambda: log.values(ledger), [b"a"])


async def test_a_start_waits_for_the_commit_of_the_former_holder(log: LogBackend) -> None:
    """Else the new owner would read a ledger, or offsets, that still change."""
    ledger, requests = Partition(log.topics.ledger, 0), Partition(log.topics.requests, 0)
    for number in range(5):
        first = await log.started()
        await left_open(first, ledger, b"%d" % number)
        assert await first.send_offsets(log.group, {requests: Committed(number + 1)}) is None
        assert await first.commit() is None
        await log.started()
        assert await log.values(ledger) == [b"%d" % n for n in range(number + 1)]
        assert await log.admin.committed(log.group, [requests]) == {requests: Committed(number + 1)}


async def test_a_record_that_is_refused_says_so_and_nothing_becomes_visible(log: LogBackend) -> None:
    ledger, outcomes = Partition(log.topics.ledger, 0), Partition(log.topics.outcomes, 0)
    producer = await log.started()
    await left_open(producer, ledger, b"entry")
    assert why(await producer.send([record(outcomes, os.urandom(3_000_000))])) is LostWhy.REFUSED
    await producer.close()
    successor = await log.started()
    await committed(successor, ledger, b"next")
    await equals(lambda: log.values(ledger), [b"next"])
    assert await log.values(outcomes, UNCOMMITTED) == []


async def test_offsets_count_when_their_transaction_does(log: LogBackend) -> None:
    ledger, requests = Partition(log.topics.ledger, 0), Partition(log.topics.requests, 1)
    producer = await log.started()
    await left_open(producer, ledger, b"a")
    assert await producer.send_offsets(log.group, {requests: Committed(7)}) is None
    await producer.close()
    successor = await log.started()
    assert await log.admin.committed(log.group, [requests]) == {requests: None}
    assert await successor.begin() is None
    assert await successor.send_offsets(log.group, {requests: Committed(9)}) is None
    assert await successor.commit() is None
    await equals(lambda: log.admin.committed(log.group, [requests]), {requests: Committed(9)})


async def test_a_close_gives_up_what_is_open_and_blocks_nobody(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    producer = await log.started("one")
    await left_open(producer, ledger, b"given up")
    await producer.close()
    await producer.close()
    await committed(await log.started("two"), ledger, b"mine")
    await equals(lambda: log.values(ledger), [b"mine"])


async def test_a_transaction_without_a_record_is_committed_too(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    producer = await log.started()
    assert await producer.begin() is None
    assert await producer.commit() is None
    await committed(producer, ledger, b"a")
    await equals(lambda: log.values(ledger), [b"a"])
