"""How a lane ends: its ownership lost, stopped for a rebalance, closed."""

import asyncio

import pytest

from tests.unit.fakes_core import make_record
from tests.unit.fakes_lane import make, settled, unfinished
from tests.unit.fakes_time import settle_down, until, virtual
from worker.answers import Done, Registered
from worker.ports import Lost, LostWhy


class TestLoss:
    @virtual
    async def test_a_refused_settlement_settles_nothing(self):
        world, lane = await make()
        world.producers[1].plan("send", Lost(LostWhy.REFUSED, "too large"))
        lane.offer([make_record(0)])
        lost = await lane.own.lost
        assert lost.why is LostWhy.REFUSED
        await settle_down()
        assert (world.outcomes(), unfinished(lane)) == ([], [0])
        await lane.close()

    def test_a_bug_ends_the_ownership_loudly(self):
        @virtual
        async def scenario():
            world, lane = await make()
            world.api.plan("register", ZeroDivisionError("a bug"))
            lane.offer([make_record(0)])
            lost = await lane.own.lost
            assert lost.why is LostWhy.BROKEN
            assert "ZeroDivisionError" in lost.detail
            assert "a bug" not in lost.detail, "a message may hold personal data"
            await settle_down()

        with pytest.raises(AssertionError, match="an event's task failed"):
            scenario()

    @virtual
    async def test_closing_waits_for_the_answer_of_a_call_on_its_way_and_journals_it(self):
        world, lane = await make()
        world.api.plan("register", (20.0, Registered("4711")))
        lane.offer([make_record(0)])
        await asyncio.sleep(1)
        lane.own.lose(Lost(LostWhy.TIMEOUT, "settling"))
        await lane.close()
        assert "registered" in world.facts()
        _, later = await make(world)
        later.offer([make_record(0)])
        await settled(later)
        assert (world.outcomes(), world.api.steps()) == (["scheduled"], ["register", "details", "start"])

    @virtual
    async def test_a_fenced_one_closes_at_once(self):
        world, lane = await make()
        world.api.plan("register", (20.0, Registered("4711")))
        lane.offer([make_record(0)])
        await asyncio.sleep(1)
        lane.own.lose(Lost(LostWhy.FENCED, "another owner"))
        await lane.close()
        assert asyncio.get_running_loop().time() == pytest.approx(1)
        await asyncio.sleep(30)
        assert (world.outcomes(), world.facts()) == ([], ["claim", "intent"])


class TestStopping:
    @virtual
    async def test_it_waits_for_steps_under_way_commits_and_goes_on_where_it_stood(self):
        world, lane = await make()
        world.api.plan("register", (9.0, Registered("4711")), (9.0, Registered("4712")))
        world.api.plan("start", Done(), Done())
        lane.offer([make_record(0), make_record(1, "2")])
        await asyncio.sleep(1)
        assert await lane.stop() is None
        assert asyncio.get_running_loop().time() == pytest.approx(9)
        await asyncio.sleep(50)
        assert world.api.steps() == ["register", "register"]
        lane.go()
        await settled(lane)
        assert world.outcomes() == ["scheduled", "scheduled"]

    @virtual
    async def test_what_is_ready_is_committed_before_it_ends(self):
        world, lane = await make()
        lane.offer([make_record(0)])
        world.producers[1].plan("commit", 3.0)
        await until(lambda: world.log.trace.count(("settle", "commit")) == 2)
        assert await lane.stop() is None
        assert world.outcomes() == ["scheduled"]

    @virtual
    async def test_the_oldest_unfinished_event_is_known(self):
        world, lane = await make()
        assert lane.oldest() is None
        world.api.plan("register", (9.0, Registered("4711")))
        lane.offer([make_record(0)])
        await settle_down()
        assert lane.oldest() == world.clock.now()
        assert [work.state for work in lane.unfinished()] == ["register"]
