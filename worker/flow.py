"""What holds single events back: paused creditors, and the bound on work in flight."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from worker.gate import Gate
from worker.ports import Clock


class Creditors:
    """Creditors that Kravia answers 403 for: each is paused by itself; when several are, the token is at fault."""

    def __init__(
        self,
        gate: Gate,
        clock: Clock,
        *,
        share: int = 500,
        base: float = 1.0,
        cap: float = 60.0,
        several: int = 3,
    ) -> None:
        """`share`: how many of a partition's places paused creditors' events may hold; `base`, `cap` in seconds."""
        self._gate = gate
        self._clock = clock
        self._share, self._base, self._cap, self._several = share, base, cap, several
        self._waiting: Counter[int] = Counter()
        self._paused: dict[int, tuple[int, float]] = {}
        self._probing: set[int] = set()

    def is_paused(self, creditor: int) -> bool:
        """Whether its latest answer was 403."""
        return creditor in self._paused

    def pause_left(self, creditor: int) -> float:
        """Seconds until one of its events may try again; the others look again a base interval later."""
        if creditor not in self._paused:
            return 0.0
        if creditor in self._probing:
            return self._base
        return max(0.0, self._paused[creditor][1] - self._clock.monotonic())

    def paused(self) -> Iterator[tuple[int, int, float]]:
        """Each paused creditor, how often it was answered 403 in a row, and seconds until its next try."""
        now = self._clock.monotonic()
        for creditor, (times, until) in sorted(self._paused.items()):
            yield creditor, times, max(0.0, until - now)

    @contextmanager
    def waiting(self, partition: int) -> Iterator[bool]:
        """A place among those that wait for a paused creditor; False when the partition's share is used up."""
        self._waiting[partition] += 1
        try:
            yield self._waiting[partition] <= self._share
        finally:
            self._waiting[partition] -= 1

    def try_now(self, creditor: int) -> None:
        """An event of a paused creditor makes its attempt; the others wait for what it finds."""
        if creditor in self._paused:
            self._probing.add(creditor)

    def answered(self, creditor: int, *, forbidden: bool) -> None:
        """Take in an answer for it."""
        self._probing.discard(creditor)
        if not forbidden:
            self._paused.pop(creditor, None)
            return
        times = self._paused.get(creditor, (0, 0.0))[0] + 1
        pause = min(self._cap, self._base * 2.0 ** min(times - 1, 30))
        self._paused[creditor] = (times, self._clock.monotonic() + pause)
        if len(self._paused) >= self._several:
            self._gate.close(f"403 for {len(self._paused)} creditors: the token may have lost its rights")
            self._paused.clear()

    def unanswered(self, creditor: int) -> None:
        """The attempt ended without an answer."""
        self._probing.discard(creditor)


class Budget:
    """The bound on work in flight in this process: events with calls to make, and bytes of unsettled records."""

    def __init__(self, events: int, size: int) -> None:
        """`events` at a time; `size` in bytes."""
        self._slots = asyncio.Semaphore(events)
        self._size = size
        self.held = 0
        """Bytes of records that are taken and not settled."""

    @property
    def has_room(self) -> bool:
        return self.held < self._size

    def place(self) -> "Slot":
        """A place among the events in flight, not taken yet."""
        return Slot(self._slots)


class Slot:
    """One event's place, first come first served; given back while the event waits for something that takes minutes."""

    def __init__(self, slots: asyncio.Semaphore) -> None:
        self._slots = slots
        self._taken = False

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        self._taken = True

    async def __aexit__(self, *_: object) -> None:
        self._give_back()

    def _give_back(self) -> None:
        if self._taken:
            self._taken = False
            self._slots.release()

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Without the place inside, with it again after."""
        self._give_back()
        yield
        await self.__aenter__()
