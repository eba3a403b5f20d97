"""Letting go of a partition while it is being taken over, also where a library swallows the cancellation."""

import asyncio
from contextlib import suppress

import pytest

from tests.unit.fakes_time import virtual
from tests.unit.test_partitions import BOTH, Fixture
from worker.ports import Lost, LostWhy


class Swallowing(Fixture):
    """A take-over that goes on after a cancellation, as aiokafka's `stop()` makes it; then it comes to `end`."""

    def __init__(self, end=None):
        super().__init__()
        self.end, self.begun = end, 0

    async def _take_over(self, number):
        self.begun += 1
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(5)
        return self.end or await super()._take_over(number)


async def leave(fixture):
    fixture.partitions.assigned([])  # it went to another member


async def close(fixture):
    await asyncio.wait_for(fixture.partitions.close(), 30)


@pytest.mark.parametrize("let_go", [leave, close])
@pytest.mark.parametrize("end", [None, Lost(LostWhy.FENCED, "another owner")], ids=["taken", "lost"])
@virtual
async def test_it_does_not_keep_what_it_let_go(let_go, end):
    fixture = Swallowing(end)
    fixture.partitions.assigned(BOTH)
    await asyncio.sleep(1)
    await let_go(fixture)
    await asyncio.sleep(60)
    assert (fixture.begun, fixture.intake.flows, fixture.partitions.lanes()) == (1, {}, [])
    assert all(taken.lost.done() for taken in fixture.taken)
    await close(fixture)
