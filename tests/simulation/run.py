"""One run from a seed: what every user of the simulation calls."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from tests.simulation.loop import StuckError
from tests.simulation.trace import logs_to
from tests.simulation.world import World


@dataclass(slots=True)
class Result:
    """What a run came to. No violations: every promise was kept."""

    seed: int
    violations: list[str]
    counts: Counter[str]
    seconds: float
    callbacks: int
    trace: list[str] = field(default_factory=list)


Tooth = Callable[[], AbstractContextManager[object]]
"""Takes a safeguard out of the core for one run."""


def simulate(seed: int, *, trace: bool = False, tooth: Tooth = nullcontext) -> Result:
    """One run."""
    with tooth():
        world = World(seed, trace=trace)
        with logs_to(world.trace):
            try:
                world.loop.run_until_complete(world.run())
            except StuckError as error:
                world.violations.append(str(error))
            finally:
                world.loop.bury()
    return Result(seed, world.violations, world.counts, world.loop.time(), world.loop.callbacks, world.trace.lines)
