"""What holds calls back: the gate before a sick API, paused creditors, the bound on work in flight.

The gate is half-open at start: one register at a time until the first answer is understood. It closes on 401, a
redirect, 404 to register, an id that can't be read, or many failures in a row; while it is closed a harmless search
probes the API, with growing pauses, and nothing counts against any event's bounds.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

from worker.model import Step
from worker.ports import (
    Answer,
    Clock,
    NotSent,
    Observer,
    SearchPage,
    Stop,
    Throttled,
    Unclear,
)
from worker.saga import answer_class


class GateState(StrEnum):
    OPEN = "open"
    HALF_OPEN = "half_open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """When the gate closes and how it probes; times in seconds."""

    failures: int = 5
    probe_interval: float = 1.0
    probe_max: float = 60.0
    unreadable_ids: int = 3
    """So many 2xx without a readable id, with no understood answer between, keep it closed until a restart."""
    default_throttle: float = 1.0
    """How long a 429 without Retry-After slows the whole API down."""


@dataclass(slots=True)
class Passage:
    """One call on its way. Whoever got it writes the answer into it; None: no call was made after all."""

    step: Step
    trial: bool = False
    answer: Answer | None = None


class Gate:
    """Stops the intake when the API as a whole is sick."""

    def __init__(
        self,
        policy: GatePolicy,
        probe: Callable[[], Awaitable[SearchPage | Answer]],
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._policy = policy
        self._probe = probe
        self._clock = clock
        self._observer = observer
        self.state = GateState.HALF_OPEN
        self.why = "start"
        self._failures = 0
        self._unreadable = 0
        self._interval = policy.probe_interval
        self._trial = False
        self._throttled_until = 0.0
        self._open_total = 0.0
        self._open_since: float | None = None
        self._changed = asyncio.Event()
        self._probe_now = asyncio.Event()
        observer.gate(self.state, self.why)

    @property
    def latched(self) -> bool:
        """Closed for good: register's answers have no id that this configuration can read."""
        return self._unreadable >= self._policy.unreadable_ids

    def open_time(self) -> float:
        """Seconds that the gate was open, not throttled: the clock of every event's elapsed bound."""
        now = self._clock.monotonic()
        running = 0.0 if self._open_since is None else max(0.0, now - max(self._open_since, self._throttled_until))
        return self._open_total + running

    @asynccontextmanager
    async def passage(self, step: Step) -> AsyncIterator[Passage]:
        """Wait until a call of this step may go; report its answer by writing it into the passage."""
        passage = await self._enter(step)
        try:
            yield passage
        finally:
            if passage.trial:
                self._trial = False
            if passage.answer is not None:
                self._report(step, passage.answer)
            if passage.trial:
                self._wake()

    async def _enter(self, step: Step) -> Passage:
        while True:
            throttled = self._throttled_until - self._clock.monotonic()
            if self.state is GateState.CLOSED:
                await self._changed.wait()
            elif throttled > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(throttled):
                        await self._changed.wait()
            elif self.state is GateState.HALF_OPEN and step is Step.REGISTER:
                if not self._trial:
                    self._trial = True
                    return Passage(step, trial=True)
                await self._changed.wait()
            else:
                return Passage(step)

    def _report(self, step: Step, answer: Answer) -> None:
        match answer:
            case Throttled(_, retry_after):
                self.throttle(self._policy.default_throttle if retry_after is None else retry_after)
            case Stop():
                self.close(f"{step.value} {answer_class(answer)}")
            case Unclear(kind="no_id"):
                self._unreadable += 1
                self._interval = self._policy.probe_max
                self.close("register answered 2xx without a readable id; fields: " + ", ".join(answer.fields))
            case NotSent() | Unclear():
                self._failures += 1
                if self._failures >= self._policy.failures or self.state is GateState.HALF_OPEN:
                    self.close(f"{self._failures} failures in a row, the last: {step.value} {answer_class(answer)}")
            case _:
                self._understood(step)

    def _understood(self, step: Step) -> None:
        self._failures = 0
        if step is Step.REGISTER:
            self._unreadable = 0
            if self.state is GateState.HALF_OPEN:
                self._interval = self._policy.probe_interval
                self._become(GateState.OPEN, "register was answered")

    def throttle(self, seconds: float) -> None:
        """Let no call go for so many seconds: the API asked for it."""
        now = self._clock.monotonic()
        if self._open_since is not None:
            self._open_total += max(0.0, now - max(self._open_since, self._throttled_until))
            self._open_since = now
        self._throttled_until = max(self._throttled_until, now + seconds)
        self._observer.warned("throttled")

    def close(self, why: str) -> None:
        """Stop the intake. `why` goes to logs, readiness and status: no personal data."""
        if self.state is not GateState.CLOSED:
            self._become(GateState.CLOSED, why)

    def probe_now(self) -> None:
        """Something changed (a new token): probe at once."""
        self._interval = self._policy.probe_interval
        self._probe_now.set()

    def _become(self, state: GateState, why: str) -> None:
        now = self._clock.monotonic()
        if self._open_since is not None:
            self._open_total += max(0.0, now - max(self._open_since, self._throttled_until))
        self._open_since = now if state is GateState.OPEN else None
        self.state, self.why = state, why
        self._observer.gate(state, why)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Probe while the gate is closed. Runs until it is cancelled."""
        while True:
            if self.state is not GateState.CLOSED or self.latched:
                await self._changed.wait()
                continue
            self._probe_now.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._probe_now.wait()
            self._interval = min(self._policy.probe_max, self._interval * 2)
            answer = await self._probe()
            match answer:
                case Stop() | NotSent() | Unclear() | Throttled():
                    self.why = f"{self.why.partition('; probe:')[0]}; probe: {answer_class(answer)}"
                case _:
                    self._failures = 0
                    self._become(GateState.HALF_OPEN, "the API answers again")


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
        self.in_flight = 0

    @property
    def has_room(self) -> bool:
        return self.held < self._size

    @asynccontextmanager
    async def slot(self) -> AsyncIterator["Slot"]:
        """A place among the events in flight; waits, first come first served."""
        slot = Slot(self)
        await slot.take()
        try:
            yield slot
        finally:
            slot.give_back()


class Slot:
    """One event's place; it is given back while the event waits for something that takes minutes."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._taken = False

    async def take(self) -> None:
        """Wait for the place."""
        await self._budget._slots.acquire()  # noqa: SLF001  (the two are one thing)
        self._budget.in_flight += 1
        self._taken = True

    def give_back(self) -> None:
        """Let another event have it."""
        if self._taken:
            self._taken = False
            self._budget.in_flight -= 1
            self._budget._slots.release()  # noqa: SLF001

    @asynccontextmanager
    async def aside(self) -> AsyncIterator[None]:
        """Without the place inside, with it again after."""
        self.give_back()
        yield
        await self.take()
