"""A lane on a fresh ownership, the gate open."""

from tests.unit.fakes_core import World
from tests.unit.fakes_time import until


async def make(world=None, **options):
    world = world or World()
    lane = await world.lane(**options)
    world.open_gate()
    return world, lane


def unfinished(lane):
    return [work.record.offset for work in lane.unfinished()]


async def settled(lane):
    await until(lambda: not unfinished(lane))
