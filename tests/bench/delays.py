"""How long a record waits: until its register arrives at the API, until its outcome can be read."""

import asyncio
import math
import time
from dataclasses import dataclass

from tests.bench.load import messages
from tests.bench.rounds import Bench


@dataclass(frozen=True, slots=True)
class Delay:
    """Milliseconds."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Delay":
        """Nearest-rank percentiles."""
        ordered = sorted(seconds)
        p50, p99 = (ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.99))
        return cls(p50 * 1000, p99 * 1000, ordered[-1] * 1000)


@dataclass(frozen=True, slots=True)
class Delays:
    """At `rate` events per second."""

    rate: float
    events: int
    to_register: Delay
    """From the record handed to its producer until the API carries its register out: two processes, one clock."""
    to_outcome: Delay
    """From the same moment until a `read_committed` reader has the outcome."""


async def delays(bench: Bench, rate: float, seconds: float) -> Delays:
    """Measure for `seconds`, behind a warm-up of a tenth of that."""
    count = max(1, int(rate * seconds))
    await _paced(bench, max(1, count // 10), rate)
    sent, registered, outcomes = await _paced(bench, count, rate)
    return Delays(
        rate,
        count,
        Delay.of([registered[identity] - at for identity, at in sent.items()]),
        Delay.of([outcomes[identity] - at for identity, at in sent.items()]),
    )


async def _paced(bench: Bench, count: int, rate: float) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    await bench.kravia.begin(0.0)
    load = list(messages(f"d{time.time_ns():x}", count, bench.partitions))
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(bench.ends.pace(load, rate))
        reading = group.create_task(bench.ends.outcomes(count))
    await bench.kravia.check(count)
    return sending.result(), await bench.kravia.registered(), reading.result()
