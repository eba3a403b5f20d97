"""What every `ports.LogReader` does: reading by position, past control markers, aborted data and a trimmed start."""

import pytest

from tests.brokers.waiting import equals, until
from tests.contract.log_backends import LogBackend, committed, left_open
from worker.model import Partition, Record
from worker.ports import Isolation, Lost, Tail

BOTH = pytest.mark.parametrize("isolation", list(Isolation))


async def end_of(log: LogBackend, partition: Partition, isolation: Isolation) -> int:
    end = await log.reader.read_to_end(partition, isolation, lambda records: None)
    assert isinstance(end, int), end
    return end


@BOTH
async def test_an_empty_partition_ends_where_it_begins(log: LogBackend, isolation: Isolation) -> None:
    found: list[Record] = []
    assert await log.reader.read_to_end(Partition(log.topics.journal, 0), isolation, found.extend) == 0
    assert found == []


@BOTH
async def test_the_end_lies_behind_the_last_control_marker(log: LogBackend, isolation: Isolation) -> None:
    ledger = Partition(log.topics.ledger, 0)
    producer = await log.started()
    await committed(producer, ledger, b"a", b"b")
    (third,) = await committed(producer, ledger, b"c")
    assert third == 3, "a marker takes an offset"
    await until(lambda: end_of(log, ledger, isolation), lambda end: end == 5)
    found: list[Record] = []
    await log.reader.read_to_end(ledger, isolation, found.extend)
    assert [(record.offset, record.value) for record in found] == [(0, b"a"), (1, b"b"), (3, b"c")]


async def test_committed_reads_pass_over_what_was_aborted(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    first = await log.started()
    await left_open(first, ledger, b"given up")
    await first.close()
    second = await log.started()
    await committed(second, ledger, b"a")
    await equals(lambda: log.values(ledger), [b"a"])
    assert await log.values(ledger, Isolation.UNCOMMITTED) == [b"given up", b"a"]


async def test_committed_reads_end_at_an_open_transaction(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    other = await log.started("other")
    await committed(other, ledger, b"a")
    await equals(lambda: log.values(ledger), [b"a"])
    await left_open(await log.started("open"), ledger, b"open")
    await committed(other, ledger, b"behind")
    assert await log.values(ledger) == [b"a"]
    await equals(lambda: log.values(ledger, Isolation.UNCOMMITTED), [b"a", b"open", b"behind"])


@BOTH
async def test_a_trimmed_beginning_is_not_missed(log: LogBackend, isolation: Isolation) -> None:
    journal = Partition(log.topics.journal, 0)
    producer = await log.started()
    await committed(producer, journal, b"a", b"b", b"c")
    await until(lambda: end_of(log, journal, isolation), lambda end: end == 4)
    assert await log.admin.delete_before({journal: 2}) is None
    assert await log.values(journal, isolation) == [b"c"]
    assert await log.admin.delete_before({journal: 4}) is None
    assert await log.values(journal, isolation) == []
    assert await end_of(log, journal, isolation) == 4


async def test_one_record_is_read_by_its_offset(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 1)
    producer = await log.started()
    await committed(producer, ledger, b"a")
    await committed(producer, ledger, b"b")
    await equals(lambda: log.values(ledger), [b"a", b"b"])
    found = [await log.reader.read_one(ledger, offset) for offset in (2, 0)]
    assert [record.value for record in found if isinstance(record, Record)] == [b"b", b"a"]
    assert [record.offset for record in found if isinstance(record, Record)] == [2, 0]


async def test_a_record_that_is_gone_is_none(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    producer = await log.started()
    await committed(producer, ledger, b"a", b"b")
    await equals(lambda: log.values(ledger), [b"a", b"b"])
    assert await log.admin.delete_before({ledger: 1}) is None
    assert await log.reader.read_one(ledger, 0) is None


async def test_the_tail_says_whether_anything_stands_before_it(log: LogBackend) -> None:
    ledger = Partition(log.topics.ledger, 0)
    empty = await log.reader.read_tail(ledger, 3)
    assert isinstance(empty, Tail)
    assert (list(empty.records), empty.whole) == ([], True)
    producer = await log.started()
    await committed(producer, ledger, b"a", b"b", b"c", b"d")

    async def tail(count: int) -> tuple[list[bytes | None], bool]:
        found = await log.reader.read_tail(ledger, count)
        assert not isinstance(found, Lost)
        return [record.value for record in found.records], found.whole

    await equals(lambda: tail(3), ([b"c", b"d"], False))
    assert await tail(5) == ([b"a", b"b", b"c", b"d"], True)
    assert await tail(50) == ([b"a", b"b", b"c", b"d"], True)
    assert await log.admin.delete_before({ledger: 3}) is None
    assert await tail(50) == ([b"d"], True)
