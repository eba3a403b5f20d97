"""What a new owner reads before it takes records."""

from dataclasses import replace

from tests.unit.fakes_core import JOURNAL, LEDGER, TOPICS
from tests.unit.fakes_log import FakeLog, FakeReader, Transaction
from tests.unit.fakes_time import EPOCH, virtual
from worker.facts import Fact, Kind, encode
from worker.model import Coordinates
from worker.ownership.restore import Restored, find_header, restore
from worker.ports import Isolation, Lost, LostWhy
from worker.standing import HEADER_KEY, Entry, Header, State, encode_entry, encode_header

ORIGIN = Coordinates(TOPICS.requests, 0, 7)
INTENT = Fact(Kind.INTENT, "former", EPOCH, ORIGIN, "1/Invoice/1")
HEADER = Header("group", TOPICS, 1, "murmur2", bytes(32))
SCHEDULED = encode_entry(Entry(State.SCHEDULED, (7, -1), "4711"))


async def restored(log, floors=(0, 0)):
    result = await restore(FakeReader(log), TOPICS, 0, floors)
    assert isinstance(result, Restored), result
    return result


@virtual
async def test_an_empty_partition():
    result = await restored(FakeLog())
    assert (len(result.table), result.header, result.progress, result.journal_end) == (0, None, {}, 0)


@virtual
async def test_the_ledger_as_far_as_committed_the_journal_as_far_as_written():
    log = FakeLog()
    log.put(LEDGER, HEADER_KEY, encode_header(HEADER))
    log.put(LEDGER, b"1/Invoice/1", SCHEDULED)
    log.append(LEDGER, (b"1/Invoice/2", SCHEDULED, ()), Transaction("aborted"))
    log.append(JOURNAL, (b"1/Invoice/1", encode(INTENT), ()), Transaction("aborted"))
    registered = replace(INTENT, kind=Kind.REGISTERED, intent=0, invoice_id="4711")
    log.append(JOURNAL, (b"1/Invoice/1", encode(registered), ()), Transaction("open"))
    reader = FakeReader(log)
    result = await restore(reader, TOPICS, 0, (0, 0))
    assert isinstance(result, Restored)
    assert sorted(reader.reads) == [
        (TOPICS.journal, Isolation.UNCOMMITTED),
        (TOPICS.ledger, Isolation.COMMITTED),
    ]
    assert result.table.glance(b"1/Invoice/1").state is State.SCHEDULED
    assert result.table.glance(b"1/Invoice/2") is None
    assert result.progress[ORIGIN].invoice_id == "4711", "a fact counts whatever became of its transaction"
    assert (result.header, result.ledger_records, result.journal_records, result.journal_end) == (HEADER, 2, 2, 2)


@virtual
async def test_claims_and_renewals_are_nobodys_progress():
    log = FakeLog()
    log.put(JOURNAL, None, encode(Fact(Kind.CLAIM, "former", EPOCH)))
    log.put(JOURNAL, b"k", encode(replace(INTENT, kind=Kind.RENEW)))
    result = await restored(log)
    assert (result.progress, result.journal_end) == ({}, 2)


@virtual
async def test_the_last_header_counts():
    log = FakeLog()
    log.put(LEDGER, HEADER_KEY, encode_header(replace(HEADER, group="former")))
    log.put(LEDGER, HEADER_KEY, encode_header(HEADER))
    assert (await restored(log)).header == HEADER


@virtual
async def test_a_newer_version_is_refused_by_name():
    for partition, what in ((LEDGER, "ledger record"), (JOURNAL, "journal record")):
        log = FakeLog()
        log.put(partition, b"k", b'{"v":9}')
        lost = await restore(FakeReader(log), TOPICS, 0, (0, 0))
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.REFUSED
        assert f"{what} has version 9" in lost.detail


@virtual
async def test_a_failed_read_is_lost():
    reader = FakeReader(FakeLog())
    reader.lost = Lost(LostWhy.BROKEN, "unreachable")
    assert await restore(reader, TOPICS, 0, (0, 0)) == reader.lost
    assert await find_header(reader, TOPICS, 0) == reader.lost


class TestFindHeader:
    @virtual
    async def test_none_in_an_empty_ledger(self):
        assert await find_header(FakeReader(FakeLog()), TOPICS, 0) is None

    @virtual
    async def test_however_far_from_the_end_it_stands(self):
        log = FakeLog()
        log.put(LEDGER, HEADER_KEY, encode_header(HEADER))
        for number in range(10_000):
            log.put(LEDGER, f"1/Invoice/{number}".encode(), SCHEDULED)
        assert await find_header(FakeReader(log), TOPICS, 0) == HEADER

    @virtual
    async def test_one_of_a_newer_version_is_refused(self):
        log = FakeLog()
        log.put(LEDGER, HEADER_KEY, b'{"v":2}')
        lost = await find_header(FakeReader(log), TOPICS, 0)
        assert isinstance(lost, Lost)
        assert "version 2" in lost.detail
