"""What every `ports.LogAdmin` does: trimming, committed offsets, where the logs begin."""

from tests.brokers.waiting import equals
from tests.contract.log_backends import LogBackend, committed, left_open, record
from worker.model import Partition
from worker.ports import Acked, Committed, Isolation, Lost


async def test_a_group_that_committed_nothing_has_no_offsets(log: LogBackend) -> None:
    partitions = [Partition(log.topics.requests, 0), Partition(log.topics.replays, 1)]
    assert await log.admin.committed(log.group, partitions) == dict.fromkeys(partitions)


async def test_committed_offsets_are_each_groups_own(log: LogBackend) -> None:
    ledger, requests = Partition(log.topics.ledger, 0), Partition(log.topics.requests, 0)
    known = Committed(5, "a text of ours")
    producer = await log.started()
    await left_open(producer, ledger, b"a")
    assert await producer.send_offsets(log.group, {requests: known}) is None
    assert await log.admin.committed(log.group, [requests]) == {requests: None}
    assert await producer.commit() is None
    await equals(lambda: log.admin.committed(log.group, [requests]), {requests: known})
    assert await log.admin.committed(f"{log.group}-other", [requests]) == {requests: None}


async def test_logs_begin_at_zero_until_they_are_trimmed(log: LogBackend) -> None:
    journals = [Partition(log.topics.journal, number) for number in range(2)]
    await committed(await log.started(), journals[0], b"a", b"b")
    assert await log.admin.earliest(journals) == dict.fromkeys(journals, 0)
    assert await log.admin.delete_before({journals[0]: 1}) is None
    assert await log.admin.earliest(journals) == {journals[0]: 1, journals[1]: 0}


async def test_a_journal_is_trimmed_inside_its_open_transaction(log: LogBackend) -> None:
    """Beyond the last stable offset, up to the high watermark; the transaction goes on."""
    journal = Partition(log.topics.journal, 0)
    producer = await log.started()
    await left_open(producer, journal, b"a", b"b", b"c")
    assert await log.admin.delete_before({journal: 2}) is None
    assert await log.values(journal, Isolation.UNCOMMITTED) == [b"c"]
    assert await log.admin.delete_before({journal: 3}) is None
    assert await log.values(journal, Isolation.UNCOMMITTED) == []
    sent = await producer.send([record(journal, b"d")])
    assert sent == Acked((3,))
    assert await producer.commit() is None
    await equals(lambda: log.values(journal), [b"d"])


async def test_a_late_trim_does_nothing(log: LogBackend) -> None:
    journal = Partition(log.topics.journal, 0)
    await committed(await log.started(), journal, b"a", b"b", b"c")
    assert await log.admin.delete_before({journal: 2}) is None
    assert await log.admin.delete_before({journal: 1}) is None
    assert await log.admin.earliest([journal]) == {journal: 2}


async def test_a_trim_beyond_the_end_is_refused(log: LogBackend) -> None:
    journal = Partition(log.topics.journal, 0)
    await left_open(await log.started(), journal, b"a")
    assert isinstance(await log.admin.delete_before({journal: 7}), Lost)
    assert await log.values(journal, Isolation.UNCOMMITTED) == [b"a"]


async def test_one_call_trims_several_journals(log: LogBackend) -> None:
    journals = [Partition(log.topics.journal, number) for number in range(2)]
    producer = await log.started()
    for journal in journals:
        await committed(producer, journal, b"a", b"b")
    assert await log.admin.delete_before({journals[0]: 1, journals[1]: 2}) is None
    assert await log.admin.earliest(journals) == {journals[0]: 1, journals[1]: 2}


async def test_a_log_ends_behind_what_is_written_committed_or_not(log: LogBackend) -> None:
    ledger, journal = Partition(log.topics.ledger, 0), Partition(log.topics.journal, 0)
    assert await log.admin.latest([ledger, journal]) == {ledger: 0, journal: 0}
    await left_open(await log.started(), journal, b"a", b"b")
    assert await log.admin.latest([ledger, journal]) == {ledger: 0, journal: 2}
    assert await log.admin.delete_before({journal: 2}) is None
    assert await log.admin.latest([journal]) == {journal: 2}
