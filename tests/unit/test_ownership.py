"""Taking a partition over, and what its owner writes, reads and lets go."""

import asyncio

import pytest

from tests.unit.fakes_core import CONFIG, JOURNAL, LEDGER, REQUESTS, TOPICS, World
from tests.unit.fakes_ownership import IDENTITY, fact_of, intent, origin, settle
from tests.unit.fakes_time import settle_down, virtual
from worker.facts import Kind, Progress
from worker.faults import NO_FAULTS
from worker.ownership import OwnershipConfig, take_over
from worker.ownership.takeover import transactional_ids
from worker.ports import Committed, Lost, LostWhy
from worker.standing import HEADER_KEY, Entry, Header, State, encode_entry, encode_header


class TestTakeOver:
    @virtual
    async def test_fencing_then_the_claim_then_reading(self):
        world = World()
        await world.own()
        wanted = [("journal", "start"), ("settle", "start"), ("journal", "begin"), ("journal", "send")]
        # The first look is for what ledger and journal lack: what counts is asked again after the claim.
        assert world.log.trace[:5] == [("admin", "committed"), *wanted]
        # The claim's transaction ends before the reading, which may take longer than a transaction may.
        assert world.log.trace[5:7] == [("journal", "commit"), ("admin", "committed")]
        assert {("reader", TOPICS.ledger), ("reader", TOPICS.journal)} == set(world.log.trace[7:9])
        assert world.facts() == ["claim"]

    @virtual
    async def test_the_former_owner_can_write_and_settle_nothing_more(self):
        world = World()
        former = await world.own()
        assert isinstance(await intent(former, 0), int)
        later = await world.own()
        assert later.progress(origin(0)).doubt is not None, "what the former had acknowledged is seen"
        settlement = await settle(former, 0)
        lost = await former.lost
        assert lost.why is LostWhy.FENCED
        assert not settlement.committed.done()
        assert isinstance(await intent(former, 1), Lost)
        assert world.outcomes() == []

    @virtual
    async def test_the_header_is_renewed_with_the_key_that_it_had(self):
        world = World()
        first = await world.own()
        second = await world.own()
        assert first.digest_key == second.digest_key
        headers = [record for record in world.log.visible(LEDGER) if record.key == HEADER_KEY]
        assert len(headers) == 2

    @virtual
    async def test_a_ledger_of_another_group_is_refused_with_both_names(self):
        world = World()
        world.log.put(LEDGER, HEADER_KEY, encode_header(Header("billing", TOPICS, 1, "murmur2", bytes(32))))
        lost = await take_over(CONFIG, world.ports, 0)
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.REFUSED
        assert "'billing'" in lost.detail
        assert "'group'" in lost.detail
        assert all(producer.closed for producer in world.producers)

    @pytest.mark.parametrize(("number", "op"), [(0, "start"), (1, "start"), (0, "send"), (1, "commit")])
    @virtual
    async def test_a_failure_on_the_way_lets_go_of_both_producers(self, number, op):
        world = World()
        lost = Lost(LostWhy.BROKEN, "no")
        make = world.producer

        def failing(transactional_id):
            producer = make(transactional_id)
            if len(world.producers) == number + 1:
                producer.plan(op, lost)
            return producer

        ports = type(world.ports)(failing, world.reader, world.admin, world.clock, NO_FAULTS, world.watcher)
        assert await take_over(CONFIG, ports, 0) == lost
        assert [producer.closed for producer in world.producers] == [True, True]

    @virtual
    async def test_without_a_committed_offset_it_begins_at_the_earliest(self):
        world = World()
        world.admin.beginnings[REQUESTS] = 17
        own = await world.own()
        assert own.prefixes[TOPICS.requests].next == 17

    @virtual
    async def test_out_of_range_is_refused_loudly(self):
        world = World()
        world.log.committed["group", REQUESTS] = Committed(5)
        world.admin.beginnings[REQUESTS] = 17
        lost = await take_over(CONFIG, world.ports, 0)
        assert isinstance(lost, Lost)
        assert "records 5 to 16 were deleted" in lost.detail

    @virtual
    async def test_fencing_that_takes_too_long_is_given_up(self):
        world = World()
        make = world.producer

        def hanging(transactional_id):
            producer = make(transactional_id)
            producer.plan("start", asyncio.Event())
            return producer

        ports = type(world.ports)(hanging, world.reader, world.admin, world.clock, NO_FAULTS, world.watcher)
        lost = await take_over(OwnershipConfig(TOPICS, "group", 1, takeover_timeout=12), ports, 0)
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.TIMEOUT
        assert asyncio.get_running_loop().time() == pytest.approx(12)

    def test_ids_name_the_ledger_and_no_group(self):
        assert transactional_ids("ledger", 3) == ("ledger.3.journal", "ledger.3.settle")


class TestEntries:
    @virtual
    async def test_an_entry_is_read_whole_from_the_ledger(self):
        world = World()
        entry = Entry(State.REGISTERED, (3, -1), "4711", attached=("d1",), digests={"a": "b"})
        world.log.put(LEDGER, IDENTITY.encode(), encode_entry(entry))
        own = await world.own()
        assert await own.entry(IDENTITY) == entry
        assert await own.entry("1/Invoice/2") is None

    @virtual
    async def test_one_that_was_settled_lately_needs_no_reading(self):
        world = World()
        own = await world.own()
        await (await settle(own, 0)).committed
        entry = await own.entry(IDENTITY)
        assert entry.invoice_id == "4711"
        assert world.reader.singles == 0

    @virtual
    async def test_one_that_is_gone_or_newer_ends_the_ownership(self):
        world = World()
        offset = world.log.put(LEDGER, IDENTITY.encode(), encode_entry(Entry()))
        own = await world.own()
        world.log.rows[LEDGER][offset].record = (IDENTITY.encode(), b'{"v":3}', ())
        newer = await own.entry(IDENTITY)
        assert isinstance(newer, Lost)
        assert "version 3" in newer.detail
        world.log.start[LEDGER] = offset + 1
        assert isinstance(await own.entry(IDENTITY), Lost)


class TestLosing:
    @virtual
    async def test_a_lost_ownership_announces_nothing_and_still_says_what_came_of_a_call(self):
        world = World()
        own = await world.own()
        at = await intent(own, 0)
        own.lose(Lost(LostWhy.TIMEOUT, "settling"))
        assert isinstance(await intent(own, 1), Lost)
        fact = fact_of(own, Kind.REGISTERED, origin(0))
        assert isinstance(await own.write(origin(0), fact), int)
        assert world.facts() == ["claim", "intent", "registered"]
        assert at is not None

    @virtual
    async def test_the_first_loss_counts(self):
        own = await World().own()
        own.lose(Lost(LostWhy.FENCED, "first"))
        own.lose(Lost(LostWhy.BROKEN, "second"))
        assert own.lost.result().detail == "first"

    @virtual
    async def test_flush_ends_with_the_ownership(self):
        world = World()
        own = await world.own()
        world.producers[1].plan("commit", asyncio.Event())
        await settle(own, 0)
        flushing = asyncio.create_task(own.flush())
        lost = await flushing
        assert lost == own.lost.result()

    @virtual
    async def test_closing_commits_the_journal_and_closes_both(self):
        world = World()
        own = await world.own()
        await intent(own, 0)
        await own.close()
        assert [producer.closed for producer in world.producers] == [True, True]
        assert world.log.rows[JOURNAL][1].transaction.state == "committed"
        assert own.lost.result().why is LostWhy.CLOSED

    @virtual
    async def test_a_journal_that_is_lost_ends_the_settling_too(self):
        world = World()
        own = await world.own()
        world.producers[0].plan("send", Lost(LostWhy.FENCED, "other"))
        await intent(own, 0)
        assert own.lost.done()


@virtual
async def test_progress_is_one_object_until_the_event_is_settled():
    own = await World().own()
    progress = own.progress(origin(0))
    await intent(own, 0)
    assert own.progress(origin(0)) is progress
    assert progress.first == progress.attempts[0].intent
    await (await settle(own, 0)).committed
    await settle_down()
    assert own.progress(origin(0)) == Progress()
