"""How many calls to Kravia are on their way at a time, and how many begin in a second.

The limit adapts as TCP's congestion window does (RFC 5681, congestion avoidance): one more for each round of answers
while all places are taken, half of them when the API says that it is too much. At most one halving for each round: the
other calls of that round were sent before the limit was lowered. It starts at its ceiling.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime

from worker.answers import Answer, Throttled, Unclear
from worker.ports import Clock, Details, KraviaQueries, SearchPage

_TOO_MUCH = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class PacePolicy:
    """`ceiling`: most calls at a time. `slow`: seconds; an answer that took longer counts as too much.

    `rate`: most calls that begin in a second, None: as many as there are.
    """

    ceiling: int = 1_000_000
    slow: float = 10.0
    rate: float | None = None


class Pace:
    """One for the process. Calls get their places in the order in which they ask."""

    def __init__(self, policy: PacePolicy, clock: Clock) -> None:
        self._policy = policy
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._credit = 0
        self._lowered = float("-inf")
        self._turn = asyncio.Lock()
        self._next = float("-inf")
        self.limit = policy.ceiling
        """Most calls at a time now."""
        self.taken = 0
        """Calls that have a place."""

    async def take(self) -> None:
        """Wait for a place."""
        if self.taken < self.limit and not self._waiting:
            self.taken += 1  # without an await: the usual case costs nothing
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):  # `_free` has passed over it already
                    self._waiting.remove(place)
            else:
                self._free()
            raise

    def now(self) -> float:
        """When a call goes out: for `give_back`."""
        return self._clock.monotonic()

    def give_back(self, answer: Answer | None, began: float = 0.0) -> None:
        """The call that had a place, and went out at `began`, is over. No `answer`: nothing is learnt from it."""
        if answer is not None:
            self._learn(answer, began)
        self._free()

    def _learn(self, answer: Answer, began: float) -> None:
        if is_too_much(answer) or self._clock.monotonic() - began > self._policy.slow:
            if began > self._lowered:
                # Half of what was on its way, not of what was allowed: that is what was too much.
                self.limit = max(1, min(self.limit, self.taken) // 2)
                self._lowered, self._credit = self._clock.monotonic(), 0
        elif self.taken >= self.limit < self._policy.ceiling:
            self._credit += 1
            if self._credit >= self.limit:
                self.limit, self._credit = self.limit + 1, 0

    def _free(self) -> None:
        self.taken -= 1
        while self.taken < self.limit and self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                self.taken += 1
                place.set_result(None)

    @property
    def rated(self) -> bool:
        """Whether calls wait for their `turn`."""
        return self._policy.rate is not None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a call may begin by the rate. Inside, no other one may: what holds it up holds all up."""
        async with self._turn:
            if (wait := self._next - self._clock.monotonic()) > 0:
                await asyncio.sleep(wait)
            yield
            # From when it went, not from when it might have: after a pause there is no burst.
            self._next = self._clock.monotonic() + (1 / self._policy.rate if self._policy.rate else 0.0)


class PacedQueries:
    """What is asked of the API outside of the gate's passages, by the rate too.

    Not for the gate's probe: whoever waits at a closed gate has the turn.
    """

    def __init__(self, api: KraviaQueries, pace: Pace) -> None:
        self._api = api
        self._pace = pace

    async def details(self, invoice_id: str) -> Details | Answer:
        """See `ports.KraviaQueries`."""
        await self._turn()
        return await self._api.details(invoice_id)

    async def search(self, since: datetime, *, skip: int, top: int) -> SearchPage | Answer:
        """See `ports.KraviaQueries`."""
        await self._turn()
        return await self._api.search(since, skip=skip, top=top)

    async def _turn(self) -> None:
        if self._pace.rated:
            async with self._pace.turn():
                pass


def is_too_much(answer: Answer) -> bool:
    """Whether an answer says that the API is asked more than it can take: 429, 503, or none within the time-out."""
    match answer:
        case Throttled():
            return True
        case Unclear(kind="timeout"):
            return True
        case Unclear(status=status):
            return status in _TOO_MUCH
        case _:
            return False
