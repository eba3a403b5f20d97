"""Creditors that Kravia answers 403 for, and the bound on work in flight."""

import asyncio

import pytest

from tests.unit.fakes_core import Watcher
from tests.unit.fakes_time import VirtualClock, settle_down, virtual
from worker.flow import Budget, Creditors
from worker.gate import Gate, GatePolicy, GateState
from worker.ports import SearchPage


async def _probe():
    return SearchPage(())


def make(**options):
    clock = VirtualClock()
    gate = Gate(GatePolicy(), _probe, clock, Watcher())
    return Creditors(gate, clock, **options), gate


class TestPause:
    @virtual
    async def test_a_403_pauses_that_creditor_alone(self):
        creditors, gate = make(base=2)
        creditors.answered(1, forbidden=True)
        assert creditors.is_paused(1)
        assert creditors.pause_left(1) == 2
        assert creditors.pause_left(2) == 0
        assert gate.state is not GateState.CLOSED
        await asyncio.sleep(1.5)
        assert creditors.pause_left(1) == pytest.approx(0.5)

    @virtual
    async def test_pauses_grow_up_to_their_cap_however_many(self):
        creditors, _ = make(base=1, cap=60)
        pauses = []
        for _ in range(2000):
            creditors.answered(1, forbidden=True)
            pauses.append(creditors.pause_left(1))
        assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
        assert set(pauses[7:]) == {60}

    @virtual
    async def test_one_event_tries_and_the_others_wait_for_what_it_finds(self):
        creditors, _ = make(base=1)
        creditors.answered(1, forbidden=True)
        await asyncio.sleep(1)
        assert creditors.pause_left(1) == 0
        creditors.try_now(1)
        assert creditors.pause_left(1) == 1
        creditors.answered(1, forbidden=False)
        assert not creditors.is_paused(1)
        assert creditors.pause_left(1) == 0

    @virtual
    async def test_an_attempt_without_an_answer_lets_the_next_try(self):
        creditors, _ = make()
        creditors.answered(1, forbidden=True)
        await asyncio.sleep(1)
        creditors.try_now(1)
        creditors.unanswered(1)
        assert creditors.pause_left(1) == 0
        assert creditors.is_paused(1)

    @virtual
    async def test_a_creditor_that_was_never_paused_needs_no_turn(self):
        creditors, _ = make()
        creditors.try_now(1)
        assert creditors.pause_left(1) == 0


class TestSeveral:
    @virtual
    async def test_several_paused_ones_stop_the_intake_and_are_forgotten(self):
        creditors, gate = make(several=3)
        for creditor in (1, 2, 2):
            creditors.answered(creditor, forbidden=True)
        assert gate.state is not GateState.CLOSED
        creditors.answered(3, forbidden=True)
        assert gate.state is GateState.CLOSED
        assert "token" in gate.why
        assert not any(creditors.is_paused(creditor) for creditor in (1, 2, 3))

    @virtual
    async def test_one_that_is_served_again_counts_no_more(self):
        creditors, gate = make(several=2)
        creditors.answered(1, forbidden=True)
        creditors.answered(1, forbidden=False)
        creditors.answered(2, forbidden=True)
        assert gate.state is not GateState.CLOSED


@virtual
async def test_paused_creditors_get_their_share_of_a_partition_and_no_more():
    creditors, _ = make(share=2)
    with creditors.waiting(0) as first, creditors.waiting(0) as second:
        assert (first, second) == (True, True)
        with creditors.waiting(0) as third, creditors.waiting(1) as elsewhere:
            assert (third, elsewhere) == (False, True)
    with creditors.waiting(0) as later:
        assert later


class TestBudget:
    @virtual
    async def test_events_in_flight_are_bounded_first_come_first_served(self):
        budget, order = Budget(3, 100), []
        most = now = 0

        async def work(number):
            nonlocal most, now
            async with budget.place():
                now += 1
                most = max(most, now)
                order.append(number)
                await asyncio.sleep(1)
                now -= 1

        await asyncio.gather(*(work(number) for number in range(9)))
        assert order == list(range(9))
        assert most == 3
        assert asyncio.get_running_loop().time() == pytest.approx(3)

    @virtual
    async def test_a_place_comes_back_when_its_holder_is_cancelled(self):
        budget = Budget(1, 100)

        async def hold():
            async with budget.place():
                await asyncio.sleep(1000)

        holder = asyncio.create_task(hold())
        await settle_down()
        holder.cancel()
        async with asyncio.timeout(1), budget.place():
            pass

    @virtual
    async def test_a_place_is_given_to_others_while_its_holder_waits_for_minutes(self):
        budget = Budget(1, 100)
        first = budget.place()
        async with first:
            async with first.aside(), asyncio.timeout(1), budget.place():
                pass
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1), budget.place():
                    pass

    @virtual
    async def test_bytes_are_bounded(self):
        budget = Budget(1, 100)
        budget.held = 99
        assert budget.has_room
        budget.held = 100
        assert not budget.has_room
