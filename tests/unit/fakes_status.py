"""A worker's status on fakes."""

from types import SimpleNamespace

from tests.unit.fakes_core import World, make_record
from tests.unit.fakes_lane import make
from tests.unit.fakes_time import until
from worker.answers import NotSent
from worker.retry import RetryPolicy
from worker.status import Status


def status_of(world, lane, backlogs=None, *, dead=False, problem=None, unserved=None, **options):
    consumer = SimpleNamespace(problem=problem, last_poll=0.0, dead=dead)
    unserved = unserved or {}
    partitions = SimpleNamespace(
        lanes=lambda: [lane] if lane else [],
        problems=lambda: [f"partition {number}: {why}" for number, why in unserved.items()],
        unserved=lambda: unserved,
        broken=[],
    )
    return Status(
        consumer,
        partitions,
        world.gate,
        world.clock,
        backlogs,
        group="group",
        version="1.0",
        creditors=world.creditors,
        **options,
    )


async def backing_off():
    """An event with a hostile id that is tried again in a while, and one behind it."""
    world = World(policy=RetryPolicy(base=60.0, cap=60.0))
    world, lane = await make(world)
    world.api.plan("register", NotSent("connect"))
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"<b>e-1</b>"),
        ("ce_source", b"/erp"),
        ("ce_type", b"kravia.invoice.requested.v1"),
    )
    lane.offer([make_record(0, headers=headers), make_record(1, originalAmount=9)])
    await until(lambda: next(lane.unfinished()).state == "backoff")
    return world, lane
