"""How many calls begin in a second, and what the pace and the gate are to each other."""

import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from tests.unit.fakes_gate import GateFixture
from tests.unit.fakes_time import VirtualClock, settle_down, virtual
from worker.answers import Done, Registered
from worker.gate import GateState
from worker.model import Step
from worker.pace import Pace, PacedQueries, PacePolicy
from worker.ports import Details, SearchPage

GOOD = Registered("1")


class TestRate:
    @virtual
    async def test_calls_begin_a_step_apart_and_a_pause_is_not_made_up_for(self):
        pace, began = Pace(PacePolicy(128, rate=4), VirtualClock()), []
        loop = asyncio.get_running_loop()

        async def call():
            async with pace.turn():
                began.append(loop.time())

        await asyncio.gather(*(call() for _ in range(5)))
        assert began == pytest.approx([0, 0.25, 0.5, 0.75, 1.0])
        await asyncio.sleep(10)
        await asyncio.gather(*(call() for _ in range(3)))
        assert began[5:] == pytest.approx([11, 11.25, 11.5])

    @virtual
    async def test_behind_a_closed_gate_no_turns_are_saved_up(self):
        fixture = GateFixture(probe_interval=10)
        fixture.gate.pace = Pace(PacePolicy(128, rate=2), fixture.clock)
        await fixture.opened()
        fixture.gate.close("test")
        went = []

        async def call():
            async with fixture.gate.passage(Step.START) as passage:
                went.append(fixture.clock.monotonic())
                passage.answer = Done(200)

        calls = [asyncio.create_task(call()) for _ in range(4)]
        await asyncio.gather(*calls)
        apart = [later - earlier for earlier, later in itertools.pairwise(went)]
        assert went[0] >= 10
        assert min(apart) >= 0.5

    @virtual
    async def test_questions_count_too(self):
        class Api:
            async def details(self, _invoice_id):
                return Details(None, None)

            async def search(self, _since, *, skip, top):
                return SearchPage(({"skip": skip, "top": top},))

        loop, clock = asyncio.get_running_loop(), VirtualClock()
        queries = PacedQueries(Api(), Pace(PacePolicy(128, rate=1), clock))
        assert await queries.details("1") == Details(None, None)
        assert await queries.search(datetime(2026, 1, 1, tzinfo=UTC), skip=1, top=2) == SearchPage(
            ({"skip": 1, "top": 2},)
        )
        assert loop.time() == pytest.approx(1)


class TestGate:
    @virtual
    async def test_who_is_cancelled_at_the_gate_gives_the_place_back(self):
        fixture = GateFixture(probe_interval=3600)
        await fixture.opened()
        fixture.gate.close("test")
        waiting = fixture.waits()
        await settle_down()
        assert fixture.gate.pace.taken == 1
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert fixture.gate.pace.taken == 0

    @virtual
    async def test_with_one_place_the_gate_still_opens(self):
        fixture = GateFixture()
        fixture.gate.pace = Pace(PacePolicy(1), fixture.clock)
        fixture.gate.pace.limit = 1
        await asyncio.gather(*(fixture.call(GOOD, step) for step in (Step.ATTACH, Step.REGISTER, Step.START)))
        assert fixture.gate.state is GateState.OPEN
