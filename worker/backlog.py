"""How far behind each partition is, how fast it settles, and when it will have caught up."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.model import Partition
from worker.offsets import Prefix
from worker.ports import Clock, Lost

_INTERVAL = 5.0
"""Seconds between two looks at the ends of the inputs."""
_WINDOW = 60.0
"""Seconds that rates are taken over."""

Inputs = Mapping[str, Prefix]
"""Of one partition, by topic."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one partition, both inputs together. Counted in offsets: control records of transactions count as well.

    `behind`: not settled yet, those that are under way included. `settled`, `arriving`: offsets per second, None until
    there are two looks to tell from. `catch_up`: seconds until nothing is behind at these rates; None when it grows or
    stands still. `age`: seconds since the look.
    """

    behind: int
    settled: float | None
    arriving: float | None
    catch_up: float | None
    age: float


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a partition: `at` in monotonic seconds, sums of both inputs' offsets."""

    at: float
    settled: int
    end: int


def backlog(looks: Sequence[Look], now: float) -> Backlog | None:
    """What the looks of a partition, oldest first, come to; None when there is none. Pure."""
    if not looks:
        return None
    first, last = looks[0], looks[-1]
    behind = max(0, last.end - last.settled)
    seconds = last.at - first.at
    if seconds <= 0:
        return Backlog(behind, None, None, 0.0 if behind == 0 else None, now - last.at)
    settled, arriving = (last.settled - first.settled) / seconds, (last.end - first.end) / seconds
    if behind == 0:
        catch_up: float | None = 0.0
    else:
        catch_up = behind / (settled - arriving) if settled > arriving else None
    return Backlog(behind, settled, arriving, catch_up, now - last.at)


class Backlogs:
    """Looks every few seconds. `ends` asks for the inputs' ends, `inputs` gives the owned partitions' prefixes."""

    def __init__(
        self,
        ends: Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, int] | Lost]],
        inputs: Callable[[], Iterable[tuple[int, Inputs]]],
        clock: Clock,
    ) -> None:
        self._ends = ends
        self._inputs = inputs
        self._clock = clock
        self._looks: dict[int, deque[Look]] = {}
        self._seen: dict[int, Inputs] = {}

    def of(self, partition: int) -> Backlog | None:
        """None until it was looked at."""
        return backlog(self._looks.get(partition, ()), self._clock.monotonic())

    async def run(self) -> None:
        """Look until it is cancelled. What can't be asked is asked again: `/readyz` says what is wrong."""
        while True:
            await self.look()
            await asyncio.sleep(_INTERVAL)

    async def look(self) -> None:
        """Look once."""
        owned = dict(self._inputs())
        for number in self._looks.keys() - owned.keys():
            del self._looks[number]
        if not owned:
            return
        ends = await self._ends([Partition(topic, number) for number, inputs in owned.items() for topic in inputs])
        if isinstance(ends, Lost):
            return
        now = self._clock.monotonic()
        for number, inputs in owned.items():
            if self._seen.get(number) is not inputs:
                # Another ownership began somewhere else: its offsets are no progress of the former one.
                self._seen[number], self._looks[number] = inputs, deque()
            looks = self._looks[number]
            settled = sum(prefix.position - prefix.pending for prefix in inputs.values())
            end = sum(ends[Partition(topic, number)] for topic in inputs)
            looks.append(Look(now, settled, end))
            while now - looks[0].at > _WINDOW:
                looks.popleft()
