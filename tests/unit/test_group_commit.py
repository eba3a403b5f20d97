"""Settling: the group commit."""

import asyncio

import pytest

from tests.unit.fakes_core import DEAD_LETTERS, LEDGER, OUTCOMES, REPLAYS, REQUESTS, TOPICS, Watcher
from tests.unit.fakes_log import FakeLog, FakeProducer
from tests.unit.fakes_time import VirtualClock, settle_down, virtual
from worker.faults import NO_FAULTS
from worker.model import Coordinates, OutRecord
from worker.offsets import Prefix
from worker.ownership.group_commit import CommitConfig, GroupCommit, Settlement
from worker.ownership.table import LedgerTable
from worker.ports import Acked, Lost, LostWhy
from worker.standing import HEADER_KEY, Entry, Header, State

HEADER = Header("group", TOPICS, 1, "murmur2", bytes(32))


class Fixture:
    def __init__(self, *, settle_interval=0.05, commit_timeout=10.0):
        self.log, clock = FakeLog(), VirtualClock()
        self.producer = FakeProducer(self.log, "ledger.0.settle")
        self.log.holders[self.producer.id] = self.producer
        self.prefixes = {TOPICS.requests: Prefix(0), TOPICS.replays: Prefix(0)}
        self.table = LedgerTable(TOPICS.inputs)
        config = CommitConfig(LEDGER, "group", HEADER, settle_interval, commit_timeout)
        parts = (self.producer, self.prefixes, self.table, lambda: 7)
        self.commits = GroupCommit(config, *parts, clock, NO_FAULTS, Watcher())

    def settlement(self, offset, *, dead_letter=b"", take=True):
        if take:
            self.prefixes[TOPICS.requests].take(offset)
        key = f"1/Invoice/{offset}".encode()
        letter = OutRecord(*DEAD_LETTERS, b"k", dead_letter) if dead_letter else None
        entry = Entry(State.SCHEDULED, (offset, -1), f"id-{offset}")
        return Settlement(Coordinates(TOPICS.requests, 0, offset), key, entry, OutRecord(*OUTCOMES, None, b"o"), letter)

    def add(self, *offsets, **more):
        settlements = [self.settlement(offset, **more) for offset in offsets]
        for settlement in settlements:
            self.commits.add(settlement)
        return settlements

    def sizes(self):
        """Settlements in each transaction that was sent."""
        return [sum(record.topic == TOPICS.outcomes for record in records) for records in self.producer.sends]

    def headers(self):
        return [record for record in self.log.visible(LEDGER) if record.key == HEADER_KEY]


class TestOneTransaction:
    @virtual
    async def test_records_then_offsets_then_commit(self):
        fixture = Fixture()
        [settlement] = [fixture.settlement(0, dead_letter=b"x")]
        assert await fixture.commits.commit([settlement]) is None
        assert [op for _, op in fixture.log.trace] == ["begin", "send", "send_offsets", "commit"]
        assert all(len(fixture.log.visible(partition)) == 1 for partition in (LEDGER, OUTCOMES, DEAD_LETTERS))
        offsets = {partition: known.offset for (_, partition), known in fixture.log.committed.items()}
        assert offsets == {REQUESTS: 1, REPLAYS: 0}
        assert settlement.committed.done()

    @virtual
    async def test_every_record_is_acknowledged_before_offsets_and_commit(self):
        fixture = Fixture()
        acknowledged = asyncio.Event()
        fixture.producer.plan("send", acknowledged)
        committing = asyncio.create_task(fixture.commits.commit([fixture.settlement(0)]))
        await asyncio.sleep(5)
        assert [op for _, op in fixture.log.trace] == ["begin", "send"]
        acknowledged.set()
        assert await committing is None

    @virtual
    async def test_the_offset_is_the_contiguous_prefix(self):
        fixture = Fixture()
        first, second, third = (fixture.settlement(offset) for offset in range(3))
        await fixture.commits.commit([second, third])
        assert fixture.log.committed[("group", REQUESTS)].offset == 0
        await fixture.commits.commit([first])
        assert fixture.log.committed[("group", REQUESTS)].offset == 3

    @virtual
    async def test_the_table_knows_what_was_committed(self):
        fixture = Fixture()
        await fixture.commits.commit([fixture.settlement(0)])
        glance = fixture.table.glance(b"1/Invoice/0")
        assert (glance.state, glance.settled, glance.offset) == (State.SCHEDULED, (0, -1), 0)


FAILURES = [
    ("begin", Lost(LostWhy.FENCED, "")),
    ("send", Lost(LostWhy.REFUSED, "too large")),
    ("send", Lost(LostWhy.UNCLEAR, "no offset")),
    ("send_offsets", Lost(LostWhy.BROKEN, "")),
    ("commit", Lost(LostWhy.UNCLEAR, "")),
]


class TestFailure:
    @pytest.mark.parametrize(("op", "lost"), FAILURES)
    @virtual
    async def test_it_ends_the_ownership_and_nothing_counts_as_settled(self, op, lost):
        fixture = Fixture()
        fixture.producer.plan(op, lost)
        [settlement] = fixture.add(0)
        assert await fixture.commits.run() == lost
        assert not settlement.committed.done()
        assert fixture.table.glance(settlement.key) is None
        assert fixture.log.committed == {}

    @pytest.mark.parametrize("op", ["begin", "send", "send_offsets", "commit"])
    @virtual
    async def test_a_step_without_an_end_is_given_up_within_the_commit_timeout(self, op):
        fixture = Fixture(commit_timeout=9)
        fixture.producer.plan(op, asyncio.Event())
        [settlement] = fixture.add(0)
        lost = await fixture.commits.run()
        assert lost.why is LostWhy.TIMEOUT
        assert asyncio.get_running_loop().time() == pytest.approx(9)
        assert not settlement.committed.done()

    @virtual
    async def test_nothing_is_committed_after_a_refused_record(self):
        fixture = Fixture()
        fixture.producer.plan("send", Lost(LostWhy.REFUSED, "not authorised"))
        await fixture.commits.commit([fixture.settlement(0)])
        assert ("settle", "commit") not in fixture.log.trace
        assert fixture.log.visible(OUTCOMES) == []


class TestPace:
    @virtual
    async def test_at_once_when_it_was_quiet(self):
        fixture = Fixture(settle_interval=1)
        running = asyncio.create_task(fixture.commits.run())
        await asyncio.sleep(100)
        [settlement] = fixture.add(0)
        await settlement.committed
        assert asyncio.get_running_loop().time() == pytest.approx(100)
        running.cancel()

    @virtual
    async def test_paced_when_it_is_busy_all_that_is_ready_in_one(self):
        fixture = Fixture(settle_interval=1)
        running = asyncio.create_task(fixture.commits.run())
        for offset in range(100):
            fixture.add(offset)
            await asyncio.sleep(0.1)
        await fixture.commits.flush()
        assert sum(fixture.sizes()) == 100
        assert 10 <= len(fixture.sizes()) <= 12
        running.cancel()

    @virtual
    async def test_a_transaction_is_bounded_in_number(self):
        fixture = Fixture()
        fixture.add(*range(1200))
        running = asyncio.create_task(fixture.commits.run())
        await fixture.commits.flush()
        assert fixture.sizes() == [500, 500, 200]
        running.cancel()

    @virtual
    async def test_a_transaction_is_bounded_in_bytes_of_dead_letters_and_holds_at_least_one(self):
        fixture = Fixture()
        fixture.add(*range(4), dead_letter=bytes(5 * 1024 * 1024))
        fixture.add(4, dead_letter=bytes(20 * 1024 * 1024))
        running = asyncio.create_task(fixture.commits.run())
        await fixture.commits.flush()
        assert fixture.sizes() == [1, 1, 1, 1, 1]
        running.cancel()

    @virtual
    async def test_flush_waits_for_what_is_queued_and_for_what_is_being_committed(self):
        fixture = Fixture()
        fixture.producer.plan("commit", 4.0)
        running = asyncio.create_task(fixture.commits.run())
        fixture.add(0)
        await settle_down()
        await fixture.commits.flush()
        assert asyncio.get_running_loop().time() == pytest.approx(4)
        running.cancel()


class TestHeaderAndIdle:
    @virtual
    async def test_the_header_is_written_again_and_again(self):
        fixture = Fixture()
        fixture.add(*range(3000))
        running = asyncio.create_task(fixture.commits.run())
        await fixture.commits.flush()
        assert len(fixture.headers()) == 3
        running.cancel()

    @virtual
    async def test_on_demand(self):
        fixture = Fixture()
        await fixture.commits.commit([], with_header=True)
        assert len(fixture.headers()) == 1

    @virtual
    async def test_offsets_that_moved_without_a_settlement_are_committed_after_a_while(self):
        fixture = Fixture()
        await fixture.commits.commit([])
        running = asyncio.create_task(fixture.commits.run())
        fixture.prefixes[TOPICS.requests].advance(7)
        await asyncio.sleep(11)
        assert fixture.log.committed[("group", REQUESTS)].offset == 7
        transactions = fixture.log.trace.count(("settle", "commit"))
        await asyncio.sleep(60)
        assert fixture.log.trace.count(("settle", "commit")) == transactions, "what did not move is not committed again"
        running.cancel()

    @virtual
    async def test_without_records_nothing_is_sent(self):
        fixture = Fixture()
        fixture.producer.plan("send", Acked(()))
        await fixture.commits.commit([])
        assert fixture.producer.sends == []
