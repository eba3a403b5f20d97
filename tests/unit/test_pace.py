"""How many calls go at a time."""

import asyncio

import pytest

from tests.unit.fakes_time import VirtualClock, settle_down, virtual
from worker.answers import Done, NotSent, Refused, Registered, Throttled, Unclear
from worker.pace import Pace, PacePolicy, is_too_much

GOOD, TOO_MUCH = Registered("1"), Throttled(429, None)


async def places(pace: Pace, count: int) -> float:
    """So many calls go out now; when that is."""
    for _ in range(count):
        await pace.take()
    return pace.now()


class TestPlaces:
    @virtual
    async def test_the_limit_begins_at_its_ceiling_and_those_who_come_later_wait_in_their_order(self):
        pace, order = Pace(PacePolicy(2), VirtualClock()), []
        await places(pace, 2)

        async def wait(name):
            await pace.take()
            order.append(name)

        waiting = [asyncio.create_task(wait(name)) for name in "abc"]
        await settle_down()
        assert (pace.limit, pace.taken, order) == (2, 2, [])
        pace.give_back(None)
        pace.give_back(None)
        await settle_down()
        assert order == ["a", "b"]
        pace.give_back(None)
        await asyncio.gather(*waiting)
        assert order == ["a", "b", "c"]

    @pytest.mark.parametrize("granted", [False, True])
    @virtual
    async def test_who_gives_up_waiting_leaves_no_hole(self, granted):
        pace = Pace(PacePolicy(1), VirtualClock())
        await pace.take()
        waiting = asyncio.create_task(pace.take())
        await settle_down()
        if granted:
            pace.give_back(None)  # it has the place and does not know yet
            waiting.cancel()
        else:
            waiting.cancel()
            await settle_down()
            pace.give_back(None)
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert pace.taken == 0
        async with asyncio.timeout(1):
            await pace.take()


class TestLimit:
    @virtual
    async def test_too_much_halves_what_was_on_its_way_once_for_each_round(self):
        pace = Pace(PacePolicy(128), VirtualClock())
        began = await places(pace, 8)
        await asyncio.sleep(1)
        pace.give_back(TOO_MUCH, began)
        assert pace.limit == 4
        for _ in range(7):
            pace.give_back(TOO_MUCH, began)
        assert pace.limit == 4
        await asyncio.sleep(1)
        began = await places(pace, 4)
        await asyncio.sleep(1)
        pace.give_back(TOO_MUCH, began)
        assert pace.limit == 2

    @virtual
    async def test_one_call_at_a_time_is_the_least(self):
        pace = Pace(PacePolicy(2), VirtualClock())
        for _ in range(5):
            await asyncio.sleep(1)
            began = await places(pace, 1)
            await asyncio.sleep(1)
            pace.give_back(TOO_MUCH, began)
        assert pace.limit == 1

    @virtual
    async def test_a_round_of_good_answers_with_all_places_taken_adds_one_up_to_the_ceiling(self):
        pace = Pace(PacePolicy(4), VirtualClock())
        await asyncio.sleep(1)
        began = await places(pace, 4)
        await asyncio.sleep(1)
        pace.give_back(TOO_MUCH, began)
        for _ in range(3):
            pace.give_back(None)
        assert pace.limit == 2
        limits = []
        for _ in range(8):
            began = await places(pace, pace.limit - pace.taken)
            pace.give_back(GOOD, began)
            limits.append(pace.limit)
        assert limits == [2, 3, 3, 3, 4, 4, 4, 4]

    @virtual
    async def test_good_answers_with_places_left_add_nothing(self):
        pace = Pace(PacePolicy(8), VirtualClock())
        await asyncio.sleep(1)
        began = await places(pace, 8)
        await asyncio.sleep(1)
        pace.give_back(TOO_MUCH, began)
        for _ in range(7):
            pace.give_back(None)
        for _ in range(20):
            pace.give_back(GOOD, await places(pace, 1))
        assert pace.limit == 4

    @virtual
    async def test_a_slow_answer_is_too_much_however_good_it_is(self):
        pace = Pace(PacePolicy(8, slow=10), VirtualClock())
        await asyncio.sleep(1)
        began = await places(pace, 8)
        await asyncio.sleep(10)
        pace.give_back(GOOD, began)
        assert pace.limit == 8
        await asyncio.sleep(0.1)
        pace.give_back(GOOD, began)
        assert pace.limit == 3, "seven were on their way"

    @pytest.mark.parametrize(
        ("answer", "much"),
        [
            (Throttled(429, 1.0), True),
            (Throttled(503, 1.0), True),
            (Unclear("server_error", 503), True),
            (Unclear("server_error", 500), False),
            (Unclear("timeout"), True),
            (Unclear("lost"), False),
            (NotSent("connect"), False),
            (Refused(422), False),
            (Done(200), False),
            (GOOD, False),
        ],
    )
    def test_what_says_that_it_is_too_much(self, answer, much):
        assert is_too_much(answer) is much


class TestAgainstAnApi:
    @virtual
    async def test_it_finds_what_the_api_takes_and_stays_about_there(self):
        """An API that refuses what comes beside 20 others, and asks for no pause."""
        pace, busy, refused, most = Pace(PacePolicy(128), VirtualClock()), 0, 0, 0

        async def call():
            nonlocal busy, refused, most
            await pace.take()
            began, busy = pace.now(), busy + 1
            most = max(most, busy)
            over = busy > 20
            await asyncio.sleep(0.02 if over else 0.1)
            busy -= 1
            refused += over
            pace.give_back(TOO_MUCH if over else GOOD, began)
            return not over

        loop = asyncio.get_running_loop()
        pending = {asyncio.create_task(call()) for _ in range(128)}
        good, begun = 0, loop.time()
        while good < 4000:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            good += sum(task.result() for task in done)
            pending |= {asyncio.create_task(call()) for _ in done}
        seconds = loop.time() - begun
        for task in pending:
            task.cancel()
        # 20 at a time, 0.1 s each, would be 200 in a second.
        assert good / seconds > 120
        assert refused < good / 10
        assert most == 128, "it began at the ceiling"
