"""The gate: ids that can't be read, the time that counts for events, and an API that asks to slow down."""

import asyncio

import pytest

from tests.unit.fakes_gate import GateFixture
from tests.unit.fakes_time import virtual
from worker.answers import NotSent, Registered, Stop, Throttled, Unclear
from worker.model import Step

ATTACH = Step.ATTACH
DOWN, NO_ID = NotSent("connect"), Unclear("no_id", 200, fields=("reference",))


class TestUnreadableIds:
    @virtual
    async def test_so_many_in_a_row_keep_it_closed_for_good(self):
        fixture = await GateFixture(unreadable_ids=3, probe_max=5).opened()
        for _ in range(3):
            await fixture.call(NO_ID)
        assert fixture.gate.latched
        probes = len(fixture.probes)
        fixture.gate.probe_now()
        waiting = fixture.waits()
        await asyncio.sleep(86_400)
        assert not waiting.done()
        assert len(fixture.probes) == probes
        waiting.cancel()

    @virtual
    async def test_an_id_between_begins_the_count_anew(self):
        fixture = await GateFixture(unreadable_ids=2).opened()
        await fixture.call(NO_ID)
        await fixture.call(Registered("2"))
        await fixture.call(NO_ID)
        assert not fixture.gate.latched
        await fixture.call(Registered("3"))

    @virtual
    async def test_the_first_waits_as_long_as_a_probe_may(self):
        # Each further try may be one more invoice whose id is lost: no hurry.
        fixture = await GateFixture(probe_interval=1, probe_max=60).opened()
        await fixture.call(NO_ID)
        await fixture.waits()
        assert fixture.clock.monotonic() == pytest.approx(60)


class TestOpenTime:
    @virtual
    async def test_it_runs_only_while_the_gate_is_not_closed(self):
        fixture = GateFixture(probe_interval=100)
        await asyncio.sleep(7)
        await fixture.opened()
        await asyncio.sleep(5)
        assert fixture.gate.open_time() == pytest.approx(12)
        await fixture.call(Stop(401))
        await asyncio.sleep(99)
        assert fixture.gate.open_time() == pytest.approx(12)
        await fixture.waits()
        await asyncio.sleep(3)
        assert fixture.gate.open_time() == pytest.approx(15)

    @virtual
    async def test_it_stands_still_while_the_api_asks_to_wait(self):
        fixture = await GateFixture().opened()
        await asyncio.sleep(2)
        await fixture.call(Throttled(429, 60.0))
        await asyncio.sleep(20)
        assert fixture.gate.open_time() == pytest.approx(2)
        fixture.gate.throttle(10.0)
        await asyncio.sleep(30)
        assert fixture.gate.open_time() == pytest.approx(2), "a shorter wait does not cut the longer"
        await asyncio.sleep(15)
        assert fixture.gate.open_time() == pytest.approx(7)

    @virtual
    async def test_it_never_goes_back(self):
        fixture = await GateFixture(failures=2, probe_interval=3).opened()
        last = 0.0
        for answer in (
            Throttled(429, 4.0),
            DOWN,
            Throttled(503, 1.0),
            DOWN,
            Registered("1"),
            Stop(401),
            Registered("1"),
        ):
            await fixture.call(answer, seconds=0.5)
            assert fixture.gate.open_time() >= last
            last = fixture.gate.open_time()
            await asyncio.sleep(0.7)


class TestThrottling:
    @virtual
    async def test_the_whole_api_slows_down(self):
        fixture = await GateFixture().opened()
        await fixture.call(Throttled(429, 12.0), ATTACH)
        await asyncio.gather(*(fixture.waits(step) for step in Step))
        assert fixture.clock.monotonic() == pytest.approx(12)

    @virtual
    async def test_without_retry_after_the_policy_says_how_long(self):
        fixture = await GateFixture(default_throttle=3).opened()
        await fixture.call(Throttled(429, None))
        await fixture.waits()
        assert fixture.clock.monotonic() == pytest.approx(3)
