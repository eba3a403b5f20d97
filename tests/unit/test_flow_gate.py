"""The gate before a sick API."""

import asyncio

import pytest

from tests.unit.fakes_gate import GateFixture
from tests.unit.fakes_time import settle_down, until, virtual
from worker.answers import Done, Forbidden, NotSent, NotVisible, Refused, Registered, Stop, Throttled, Unclear
from worker.gate import GateState
from worker.model import Step

REGISTER, ATTACH, START = Step.REGISTER, Step.ATTACH, Step.START
UNDERSTOOD = [Registered("1"), Refused(422), Forbidden()]
DOWN, NO_ID = NotSent("connect"), Unclear("no_id", 200, fields=("reference",))


class TestHalfOpen:
    @virtual
    async def test_one_register_at_a_time_until_the_first_is_answered(self):
        fixture = GateFixture()
        first = asyncio.create_task(fixture.call(Registered("1"), seconds=5))
        others = [asyncio.create_task(fixture.call(Registered("1"), seconds=5)) for _ in range(9)]
        await first
        assert fixture.clock.monotonic() == 5
        assert not first.result().counts
        await asyncio.gather(*others)
        assert fixture.clock.monotonic() == pytest.approx(10), "the others went side by side"
        assert all(task.result().counts for task in others)

    @pytest.mark.parametrize("answer", UNDERSTOOD, ids=lambda answer: type(answer).__name__)
    @virtual
    async def test_an_answer_that_is_understood_opens_it(self, answer):
        fixture = GateFixture()
        await fixture.call(answer)
        assert fixture.gate.state is GateState.OPEN

    @virtual
    async def test_attach_and_start_need_not_wait_and_open_nothing(self):
        fixture = GateFixture()
        await fixture.call(Done(), ATTACH)
        await fixture.call(NotVisible(), START)
        assert fixture.gate.state is GateState.HALF_OPEN

    @pytest.mark.parametrize("answer", [DOWN, Unclear("timeout"), Unclear("server_error", 500), Stop(401), NO_ID])
    @virtual
    async def test_one_failure_closes_it(self, answer):
        fixture = GateFixture()
        await fixture.call(answer)
        assert fixture.gate.state is GateState.CLOSED

    @virtual
    async def test_a_trial_without_a_call_makes_place_for_the_next(self):
        fixture = GateFixture()
        async with fixture.gate.passage(REGISTER) as passage:
            other = fixture.waits()
            await settle_down()
            assert not other.done()
        assert not passage.counts
        assert not (await other).counts

    @virtual
    async def test_a_trial_that_is_throttled_makes_place_after_the_wait(self):
        fixture = GateFixture()
        await fixture.call(Throttled(429, 30.0))
        assert not (await fixture.waits()).counts
        assert fixture.clock.monotonic() == pytest.approx(30)


class TestClosing:
    @pytest.mark.parametrize("status", [401, 302, 404])
    @virtual
    async def test_what_is_ours_or_the_apis_fault_closes_at_once(self, status):
        fixture = await GateFixture().opened()
        await fixture.call(Stop(status))
        assert fixture.gate.state is GateState.CLOSED
        assert str(status) in fixture.gate.why

    @virtual
    async def test_an_id_that_cannot_be_read_closes_at_once_and_names_the_fields(self):
        fixture = await GateFixture().opened()
        await fixture.call(NO_ID)
        assert fixture.gate.state is GateState.CLOSED
        assert "reference" in fixture.gate.why

    @virtual
    async def test_failures_in_a_row_close_it_whatever_their_step(self):
        fixture = await GateFixture(failures=4).opened()
        failures = [(DOWN, REGISTER), (Unclear("timeout"), START), (Unclear("lost"), ATTACH)]
        for answer, step in failures:
            await fixture.call(answer, step)
        assert fixture.gate.state is GateState.OPEN
        await fixture.call(Done(), START)
        for answer, step in failures:
            await fixture.call(answer, step)
        assert fixture.gate.state is GateState.OPEN, "an answer between begins the count anew"
        await fixture.call(DOWN)
        assert fixture.gate.state is GateState.CLOSED

    @virtual
    async def test_refusals_of_single_events_never_close_it(self):
        fixture = await GateFixture(failures=2).opened()
        for answer in (Refused(422), Forbidden(), NotVisible(), Throttled(429, 0.0)) * 5:
            await fixture.call(answer)
        assert fixture.gate.state is GateState.OPEN

    @pytest.mark.parametrize("step", list(Step))
    @virtual
    async def test_closed_it_lets_no_call_through(self, step):
        fixture = await GateFixture(probe_interval=50).opened()
        await fixture.call(Stop(401))
        waiting = fixture.waits(step)
        await asyncio.sleep(49)
        assert not waiting.done()
        await waiting
        assert fixture.clock.monotonic() == pytest.approx(50)


class TestProbing:
    @virtual
    async def test_one_probe_at_a_time_with_growing_pauses(self):
        fixture = await GateFixture(probe_interval=1, probe_max=10).opened()
        fixture.answers = [DOWN, Stop(401), Unclear("timeout"), Throttled(429, None), DOWN, DOWN]
        await fixture.call(Stop(401))
        await until(lambda: fixture.gate.state is GateState.HALF_OPEN)
        gaps = [later - earlier for earlier, later in zip([0, *fixture.probes], fixture.probes, strict=False)]
        assert gaps == pytest.approx([1, 2, 4, 8, 10, 10, 10])

    @virtual
    async def test_it_goes_from_half_open_to_open_by_one_register(self):
        fixture = await GateFixture().opened()
        await fixture.call(Stop(401))
        waiting = [fixture.waits() for _ in range(5)]
        await asyncio.gather(*waiting)
        assert [task.result().counts for task in waiting].count(False) == 1
        states = [told[1] for told in fixture.watcher.told if told[0] == "gate"]
        assert states == ["half_open", "open", "closed", "half_open", "open"]

    @virtual
    async def test_a_trial_that_fails_closes_it_again_for_longer(self):
        fixture = await GateFixture(probe_interval=1).opened()
        await fixture.call(Stop(401))
        await fixture.call(DOWN)
        again = fixture.clock.monotonic()
        await fixture.waits()
        assert fixture.clock.monotonic() - again == pytest.approx(2)

    @virtual
    async def test_the_reason_for_closing_stays_beside_the_probes(self):
        fixture = await GateFixture().opened()
        fixture.answers = [DOWN, Stop(302), DOWN]
        await fixture.call(Stop(401))
        await until(lambda: len(fixture.probes) == 3)
        assert fixture.gate.why == "register stop_401; probe: not_sent_connect"

    @virtual
    async def test_a_new_token_probes_at_once_and_begins_the_pauses_anew(self):
        fixture = await GateFixture(probe_interval=1, probe_max=600).opened()
        fixture.answers = [Stop(401)] * 10
        await fixture.call(Stop(401))
        await until(lambda: len(fixture.probes) == 8)
        before = fixture.clock.monotonic()
        fixture.gate.probe_now()
        await until(lambda: len(fixture.probes) == 9)
        assert fixture.clock.monotonic() == before
        await until(lambda: len(fixture.probes) == 10)
        assert fixture.clock.monotonic() - before == pytest.approx(2, abs=0.1)


class TestOtherCalls:
    @virtual
    async def test_half_open_one_at_a_time_until_one_is_understood(self):
        fixture = GateFixture()
        waiting = [fixture.waits(Step.ATTACH) for _ in range(3)]
        first, *others = waiting
        await asyncio.wait(waiting)
        assert not first.result().counts
        assert fixture.gate.state is GateState.HALF_OPEN, "only register shows whether its ids can be read"
        assert all(not task.result().counts for task in others)

    @virtual
    async def test_their_failures_while_it_tries_the_api_out_do_not_count_against_events(self):
        fixture = GateFixture()
        passage = await fixture.call(NotSent("connect"), Step.ATTACH)
        assert not passage.counts
        assert fixture.gate.state is GateState.CLOSED


@virtual
async def test_unreadable_ids_of_calls_that_were_on_their_way_together_count_once():
    fixture = await GateFixture().opened()
    await asyncio.gather(*(fixture.call(Unclear("no_id", 200), seconds=1) for _ in range(5)))
    assert not fixture.gate.latched


@virtual
async def test_a_latched_gate_probes_again_after_a_late_answer_with_an_id():
    fixture = await GateFixture(unreadable_ids=1, probe_max=5).opened()
    late = asyncio.create_task(fixture.call(Registered("1"), seconds=100))
    await fixture.call(Unclear("no_id", 200), seconds=1)
    assert fixture.gate.latched
    await late
    await fixture.waits()
    assert fixture.gate.state is GateState.OPEN
