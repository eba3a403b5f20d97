"""Writing the journal, and how long an intent is good for."""

import asyncio
from contextvars import ContextVar

import pytest

from tests.unit.fakes_core import JOURNAL
from tests.unit.fakes_log import FakeLog, FakeProducer
from tests.unit.fakes_time import EPOCH, VirtualClock, settle_down, virtual
from worker.facts import Fact, Kind
from worker.ownership.journal import Journal
from worker.ownership.validity import Age
from worker.ports import Acked, Lost, LostWhy

INTENT = Fact(Kind.INTENT, "me", EPOCH, identity="1/Invoice/1")


async def make(**options):
    log, clock = FakeLog(), VirtualClock()
    producer = FakeProducer(log, "ledger.0.journal")
    await producer.start()
    times = {"intent_validity": 5.0, "commit_interval": 10.0, "commit_timeout": 10.0} | options
    return Journal(producer, JOURNAL, clock, **times), producer, clock


class TestWriting:
    @virtual
    async def test_a_fact_counts_before_its_transaction_is_committed(self):
        journal, producer, _ = await make()
        assert [await journal.write(INTENT), await journal.write(INTENT)] == [0, 1]
        assert (journal.end, producer.open.state) == (2, "open")
        assert producer.log.trace.count(("journal", "begin")) == 1

    @virtual
    async def test_writes_that_come_together_are_sent_side_by_side(self):
        journal, producer, _ = await make()
        producer.plan("send", 1.0, 1.0, 1.0)
        await asyncio.gather(*(journal.write(INTENT) for _ in range(3)))
        assert asyncio.get_running_loop().time() == pytest.approx(1)

    @virtual
    async def test_what_is_written_for_many_runs_in_nobodys_turn(self):
        """So that the writer's log lines do not name the event that happened to start it."""
        journal, producer, _ = await make()
        event: ContextVar[str | None] = ContextVar("event", default=None)
        seen = []
        send = producer.send

        async def watched(record):
            seen.append(event.get())
            return await send(record)

        producer.send = watched
        event.set("the first")
        await journal.write(INTENT)
        assert seen == [None]

    @virtual
    async def test_the_end_is_the_last_read_or_acknowledged(self):
        journal, _, _ = await make()
        journal.read_up_to(40)
        await journal.write(INTENT)
        assert journal.end == 40
        journal.read_up_to(7)
        assert journal.end == 40

    @virtual
    async def test_an_acknowledgement_without_an_offset_ends_it(self):
        journal, producer, _ = await make()
        producer.plan("send", Acked(()))
        lost = await journal.write(INTENT)
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.UNCLEAR
        assert await journal.write(INTENT) == lost, "and nothing is written after it"
        assert len(producer.sends) == 1

    @virtual
    async def test_no_acknowledgement_within_the_validity_ends_it(self):
        journal, producer, _ = await make(intent_validity=5)
        producer.plan("send", asyncio.Event())
        lost = await journal.write(INTENT)
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.TIMEOUT
        assert asyncio.get_running_loop().time() == pytest.approx(5)
        assert await journal.run() == lost

    @pytest.mark.parametrize("op", ["begin", "send"])
    @virtual
    async def test_a_failure_ends_it(self, op):
        journal, producer, _ = await make()
        fenced = Lost(LostWhy.FENCED, "another owner")
        producer.plan(op, fenced)
        assert await journal.write(INTENT) == fenced
        assert await journal.write(INTENT) == fenced
        assert await journal.commit() == fenced


class TestCommitting:
    @virtual
    async def test_no_transaction_stays_open_longer_than_the_interval_events_or_not(self):
        journal, producer, _ = await make(commit_interval=8)
        running = asyncio.create_task(journal.run())
        await journal.write(INTENT)
        await asyncio.sleep(8)
        assert producer.open is None
        assert producer.log.trace.count(("journal", "commit")) == 1
        await asyncio.sleep(100)
        assert producer.log.trace.count(("journal", "commit")) == 1, "nothing to commit, no commit"
        running.cancel()

    @virtual
    async def test_it_is_paced_however_many_writes(self):
        journal, producer, _ = await make(commit_interval=8)
        running = asyncio.create_task(journal.run())
        for _ in range(400):
            await journal.write(INTENT)
            await asyncio.sleep(0.1)
        assert 5 <= producer.log.trace.count(("journal", "commit")) <= 10
        running.cancel()

    @virtual
    async def test_a_write_waits_for_a_commit_under_way(self):
        journal, producer, _ = await make()
        await journal.write(INTENT)
        producer.plan("commit", 3.0)
        committing = asyncio.create_task(journal.commit())
        await settle_down()
        # Marker of the first transaction at 1; the second transaction begins after it.
        assert await journal.write(INTENT) == 2
        assert committing.done()
        assert asyncio.get_running_loop().time() == pytest.approx(3)

    @virtual
    async def test_a_commit_waits_for_the_writes_under_way(self):
        journal, producer, _ = await make()
        producer.plan("send", 2.0)
        writing = asyncio.create_task(journal.write(INTENT))
        await settle_down()
        assert await journal.commit() is None
        assert writing.done()
        assert producer.log.trace[-2:] == [("journal", "send"), ("journal", "commit")]

    @virtual
    async def test_a_commit_without_a_result_in_time_ends_it(self):
        journal, producer, _ = await make(commit_timeout=7)
        await journal.write(INTENT)
        producer.plan("commit", asyncio.Event())
        lost = await journal.commit()
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.TIMEOUT
        assert await journal.write(INTENT) == lost


class TestLatest:
    @virtual
    async def test_nothing_written_gives_no_validity(self):
        journal, _, _ = await make()
        assert not journal.latest.holds()

    @virtual
    async def test_it_begins_before_the_send_not_at_the_acknowledgement(self):
        journal, producer, _ = await make(intent_validity=5)
        producer.plan("send", 4.0)
        await journal.write(INTENT)
        assert journal.latest.holds()
        await asyncio.sleep(1)
        assert not journal.latest.holds()

    @virtual
    async def test_a_late_acknowledgement_of_an_older_write_does_not_age_it(self):
        journal, producer, _ = await make(intent_validity=5)
        producer.plan("send", 4.0)
        slow = asyncio.create_task(journal.write(INTENT))
        await asyncio.sleep(3)
        await journal.write(INTENT)
        await slow
        await asyncio.sleep(3.5)
        assert journal.latest.holds(), "3 + 5 seconds from the younger write's begin"

    @virtual
    async def test_a_write_that_failed_makes_nothing_young(self):
        journal, producer, _ = await make()
        producer.plan("send", Lost(LostWhy.BROKEN, "x"))
        await journal.write(INTENT)
        assert not journal.latest.holds()


class TestAge:
    @virtual
    async def test_it_holds_for_less_than_its_limit(self):
        age = Age.begin(VirtualClock(), 5.0)
        assert age.holds()
        await asyncio.sleep(4.99)
        assert age.holds()
        await asyncio.sleep(0.01)
        assert not age.holds()

    @virtual
    async def test_either_clock_alone_ends_it(self):
        clock = VirtualClock()
        age = Age.begin(clock, 5.0)
        clock.wall_shift = 5  # a virtual machine was frozen and moved: CLOCK_BOOTTIME did not run
        assert not age.holds()
        clock.wall_shift = 0
        clock.boot_shift = 5  # the wall clock was set back while the machine slept
        assert not age.holds()

    @virtual
    async def test_a_wall_clock_that_was_set_back_makes_nothing_young_again(self):
        clock = VirtualClock()
        age = Age.begin(clock, 5.0)
        clock.wall_shift = -3600
        await asyncio.sleep(6)
        assert not age.holds()
