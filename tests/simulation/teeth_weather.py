"""Weather for teeth: what a run needs, beside what its seed draws, for a missing safeguard to show soon."""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.simulation import member, world
from tests.simulation.chaos import Chaos
from tests.simulation.kravia_server import Rows, SearchHabit
from tests.simulation.member import Surroundings
from tests.simulation.process import Process
from tests.simulation.samples import CREDITORS, Sample, draw, invoice
from tests.simulation.teeth import Context, stormy, swap
from worker.doubt import DoubtPolicy
from worker.model import TopicNames
from worker.sweep import SweepPolicy


def together(*contexts: Context) -> Context:
    """All of them at once."""

    @contextmanager
    def entered() -> Iterator[None]:
        with ExitStack() as stack:
            for context in contexts:
                stack.enter_context(context())
            yield

    return entered


def searching(**fields: Any) -> Context:
    """Kravia's search has these habits in every run, whatever is drawn."""
    return swap((world, "SearchHabit", lambda **drawn: SearchHabit(**drawn | fields)))


def doubting(**fields: Any) -> Context:
    """The worker's policy about doubts has these settings in every run."""
    return swap((world, "DoubtPolicy", lambda **drawn: DoubtPolicy(**drawn | fields)))


FREEZES: dict[str, float] = {
    "delay": 0.0,
    "lost": 0.0,
    "unclear": 0.0,
    "refused": 0.0,
    "api": 0.0,
    "strike": 0.1,
    "strikes": 3,
    "crashes": 0.0,
    "long": 1.0,
    "suspends": 0.0,
    "set_back": 0.0,
}
ROOM = swap((world, "Surroundings", lambda *given, **drawn: Surroundings(*given, **drawn | {"window": 100})))
"""Doubts never hold up what may bear witness about them."""
SEEN = searching(rows=Rows.FULL, zone=0.0)


def _busy(rng: random.Random, topics: TopicNames, partitions: int, until: float) -> list[Sample]:
    """Another invoice every few seconds: witnesses."""
    number, at = 3000, 0.0
    others = []
    while (at := at + rng.expovariate(0.4)) < 2 * until + 20:
        others.append(Sample(at, invoice(topics, partitions, rng.choice(CREDITORS), f"{number}", 900, 0, None)))
        number += 1
    return sorted([*draw(rng, topics, partitions, until), *others], key=lambda sample: sample.at)


BUSY = swap((world, "draw", _busy), (member, "SWEEPS", SweepPolicy(page=20, pages=50)))
LATE = stormy(api=0.2, haste=0.5, unclear=0.04, strikes=3)
CERTAIN = together(SEEN, doubting(quarantine=False))


def frozen_at_intents(**clocks: float) -> Context:
    """Long freezes of whoever has just written an intent, in a world where a new owner then finds witnesses."""
    moment = Chaos.moment

    def aimed(chaos: Chaos, process: Process, where: str) -> None:
        if where in ("intent-sent", "intent-acked") or where.startswith("produce invoice.journal"):
            moment(chaos, process, where)

    return together(
        swap((Chaos, "moment", aimed), (world, "FAULTS_END", 200.0)),
        stormy(**FREEZES | clocks),
        BUSY,
        ROOM,
        SEEN,
        doubting(quarantine=False, search_delay=0.0),
    )


SLOW_SEARCH = searching(rows=Rows.FULL, lag=40.0)
