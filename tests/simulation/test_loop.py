"""The simulation's event loop: asyncio's own meaning, in virtual time, with processes that crash and freeze."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.simulation.loop import SimLoop, StuckError
from tests.simulation.process import Process


def run(main: Callable[[SimLoop], Coroutine[Any, Any, None]], seed: int = 0) -> SimLoop:
    loop = SimLoop(random.Random(seed))
    try:
        loop.run_until_complete(main(loop))
    finally:
        loop.bury()
    return loop


def spawn(loop: SimLoop, process: Process, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return loop.create_task(work, name=process.name, context=process.context)


async def ticks(into: list[float], seconds: float = 1.0) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(seconds)
        into.append(loop.time())


def test_time_jumps_to_the_next_timer() -> None:
    async def main(loop: SimLoop) -> None:
        await asyncio.sleep(3600)
        assert loop.time() == 3600

    run(main)


def test_asyncios_tools_work() -> None:
    async def main(loop: SimLoop) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.Event().wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(9), 1)
        assert loop.time() == 3
        semaphore = asyncio.Semaphore(1)

        async def one(number: int) -> int:
            async with semaphore:
                await asyncio.sleep(1)
            return number

        assert await asyncio.gather(*(one(number) for number in range(3))) == [0, 1, 2]
        assert loop.time() == 6
        shielded = asyncio.ensure_future(one(7))
        waiting = asyncio.ensure_future(asyncio.shield(shielded))
        await asyncio.sleep(0)
        waiting.cancel()
        assert await shielded == 7

    run(main)


def test_a_crashed_process_never_runs_again() -> None:
    seen: list[float] = []
    ended: list[str] = []

    async def work() -> None:
        try:
            await ticks(seen)
        finally:
            ended.append("cleaned up")

    async def main(loop: SimLoop) -> None:
        process = loop.process("worker")
        spawn(loop, process, work())
        await asyncio.sleep(2.5)
        loop.crash(process)
        await asyncio.sleep(10)
        assert not ended

    run(main)
    assert seen == [1, 2]


def test_a_frozen_process_goes_on_where_it_was() -> None:
    seen: list[float] = []
    others: list[float] = []

    async def main(loop: SimLoop) -> None:
        process, other = loop.process("worker"), loop.process("other")
        spawn(loop, process, ticks(seen))
        spawn(loop, other, ticks(others))
        await asyncio.sleep(2.5)
        loop.freeze(process)
        await asyncio.sleep(10)
        loop.thaw(process)
        await asyncio.sleep(1.2)

    run(main)
    assert seen == [1, 2, 12.5, 13.5]
    assert others == list(range(1, 14))


@pytest.mark.parametrize("seed", range(8))
def test_an_answer_and_a_timeout_that_came_in_a_freeze_may_meet_in_either_order(seed: int) -> None:
    ways = set()

    async def main(loop: SimLoop) -> None:
        process = loop.process("worker")
        answer = loop.create_future()

        async def work() -> None:
            try:
                async with asyncio.timeout(2):
                    ways.add(await answer)
            except TimeoutError:
                ways.add("timeout")

        task = spawn(loop, process, work())
        await asyncio.sleep(1)
        loop.freeze(process)
        await asyncio.sleep(5)
        answer.set_result("answer")
        loop.thaw(process)
        await task

    run(main, seed)
    assert ways <= {"answer", "timeout"}
    assert len(ways) == 1


def test_a_strike_comes_after_exactly_that_callback() -> None:
    struck: list[int] = []

    async def main(loop: SimLoop) -> None:
        process = loop.process("worker")
        process.strike_at = 5

        def strike(struck_now: Process) -> None:
            struck.append(struck_now.steps)
            loop.crash(struck_now)

        process.on_strike = strike
        spawn(loop, process, ticks([]))
        await asyncio.sleep(60)
        assert process.steps == 5

    run(main)
    assert struck == [5]


def test_an_error_that_nobody_caught_is_remembered() -> None:
    async def main(loop: SimLoop) -> None:
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)

    assert "ZeroDivisionError" in run(main).unexpected[0]


def test_a_run_that_waits_for_nothing_ends_loudly() -> None:
    async def main(loop: SimLoop) -> None:
        await loop.create_future()

    with pytest.raises(StuckError, match="deadlock"):
        run(main)
