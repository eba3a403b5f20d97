"""Stopping between steps."""

import asyncio

import pytest

from tests.unit.fakes_time import settle_down, virtual
from worker.drain import Drain


async def one_step(drain, seconds=0.0):
    async with drain.step():
        await asyncio.sleep(seconds)


@virtual
async def test_stopped_no_step_begins_and_those_under_way_end():
    drain = Drain()
    under_way = asyncio.create_task(one_step(drain, 5))
    await settle_down()
    assert drain.busy == {under_way}
    drain.stop()
    later = asyncio.create_task(one_step(drain))
    await drain.idle()
    assert asyncio.get_running_loop().time() == pytest.approx(5)
    assert under_way.done()
    await asyncio.sleep(100)
    assert not later.done()
    drain.go()
    await later


@virtual
async def test_idle_waits_for_the_last_of_several():
    drain = Drain()
    tasks = [asyncio.create_task(one_step(drain, seconds)) for seconds in (1, 9, 4)]
    await settle_down()
    drain.stop()
    await drain.idle()
    assert asyncio.get_running_loop().time() == pytest.approx(9)
    await asyncio.gather(*tasks)


@virtual
async def test_nothing_under_way_is_idle_at_once():
    drain = Drain()
    drain.stop()
    await drain.idle()


@virtual
async def test_a_step_that_fails_or_is_cancelled_is_over():
    drain = Drain()

    async def fails():
        async with drain.step():
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await fails()
    task = asyncio.create_task(one_step(drain, 100))
    await settle_down()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await drain.idle()
    assert not drain.busy


@virtual
async def test_what_waits_to_begin_may_be_cancelled():
    drain = Drain()
    drain.stop()
    task = asyncio.create_task(one_step(drain))
    await settle_down()
    assert task not in drain.busy
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


@virtual
async def test_closed_whoever_ends_a_step_does_not_wait_for_the_next():
    """It would wait for ever, and hold what it took on its way there: the gate's trial, a place in flight."""
    drain = Drain()

    async def two_steps():
        await one_step(drain, 5)
        await one_step(drain)

    task = asyncio.create_task(two_steps())
    await settle_down()
    drain.close()
    await drain.idle()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() == pytest.approx(5), "the step under way was not cut"
