"""The gate before a sick API.

It is half-open at start: one register at a time until the first answer is understood. It closes on 401, a
redirect, 404 to register, an id that can't be read, or many failures in a row; while it is closed a harmless search
probes the API, with growing pauses, and nothing counts against any event's bounds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import structlog

from worker.answers import Answer, NotSent, Stop, Throttled, Unclear, answer_class
from worker.model import Step
from worker.pace import Pace, PacePolicy
from worker.ports import Clock, Observer, SearchPage

log = structlog.get_logger(__name__)


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


class Passage:
    """One call on its way. Whoever got it writes the answer into it; None: no call was made after all.

    Not a generator, as every call of every event passes here: event loops keep account of each of those.
    """

    __slots__ = ("_began", "_gate", "_tries_out", "answer", "counts", "step")

    def __init__(self, gate: "Gate", step: Step) -> None:
        self.step = step
        self.answer: Answer | None = None
        self.counts = True
        """Whether a failure counts against the event: not while the gate tries the API out."""
        self._gate = gate
        self._tries_out = False
        self._began = 0.0

    async def __aenter__(self) -> Self:
        gate, pace = self._gate, self._gate.pace
        await pace.take()
        try:
            # The gate last: it may close, and the API may ask for a pause, while this waits for its turn.
            if pace.rated:
                async with pace.turn():
                    self._tries_out = await gate.enter(self.step is Step.REGISTER)
            else:
                self._tries_out = await gate.enter(self.step is Step.REGISTER)
        except BaseException:
            pace.give_back(None)
            raise
        self._began = pace.now()
        self.counts = gate.state is GateState.OPEN
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gate.leave(self.step, self.answer, tried_out=self._tries_out)
        self._gate.pace.give_back(self.answer, self._began)


class Gate:
    """Stops the intake when the API as a whole is sick."""

    def __init__(
        self,
        policy: GatePolicy,
        probe: Callable[[], Awaitable[SearchPage | Answer]],
        clock: Clock,
        observer: Observer,
        pace: Pace | None = None,
    ) -> None:
        """`pace`: what bounds the calls that go through; None: nothing does."""
        self._policy = policy
        self.pace = Pace(PacePolicy(), clock) if pace is None else pace
        self._probe = probe
        self._clock = clock
        self._observer = observer
        self.state = GateState.HALF_OPEN
        self.why = "start"
        self.since = clock.now()
        """When the state began."""
        self._probe_at: float | None = None
        self._failures = 0
        self._unreadable = 0
        self._interval = policy.probe_interval
        self._trials: set[bool] = set()
        self._follow_ups_free = False
        self._throttled_until = 0.0
        self._open_total = 0.0
        self._open_since: float | None = clock.monotonic()
        self._changed = asyncio.Event()
        self._probe_now = asyncio.Event()
        observer.gate(self.state, self.why)

    @property
    def latched(self) -> bool:
        """Closed for good: register's answers have no id that this configuration can read."""
        return self._unreadable >= self._policy.unreadable_ids

    def probe_in(self) -> float | None:
        """Seconds until the next probe; None: the gate is not closed, one is under way, or there will be none."""
        if self.state is not GateState.CLOSED or self._probe_at is None:
            return None
        return max(0.0, self._probe_at - self._clock.monotonic())

    def open_time(self) -> float:
        """Seconds that the gate was not closed, not throttled: the clock of every event's elapsed bound."""
        now = self._clock.monotonic()
        running = 0.0 if self._open_since is None else max(0.0, now - max(self._open_since, self._throttled_until))
        return self._open_total + running

    def passage(self, step: Step) -> "Passage":
        """`async with gate.passage(step) as passage:` waits until a call of this step may go."""
        return Passage(self, step)

    def leave(self, step: Step, answer: Answer | None, *, tried_out: bool) -> None:
        """A passage ended, with an answer or without."""
        if tried_out:
            self._trials.discard(step is Step.REGISTER)
        if answer is not None:
            self._report(step, answer)
        if tried_out:
            self._wake()

    async def enter(self, register: bool) -> bool:
        """Wait; whether the call tries the API out: half-open, one register and one other call at a time may."""
        while True:
            throttled = self._throttled_until - self._clock.monotonic()
            if self.state is GateState.CLOSED:
                await self._changed.wait()
            elif throttled > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(throttled):
                        await self._changed.wait()
            elif self.state is GateState.OPEN or (not register and self._follow_ups_free):
                return False
            elif register not in self._trials:
                self._trials.add(register)
                return True
            else:
                await self._changed.wait()

    def _report(self, step: Step, answer: Answer) -> None:
        match answer:
            case Throttled(_, retry_after):
                self.throttle(self._policy.default_throttle if retry_after is None else retry_after)
            case Stop():
                self.close(f"{step.value} {answer_class(answer)}")
            case Unclear(kind="no_id"):
                # Calls that were on their way together say the same thing once.
                self._unreadable += self.state is not GateState.CLOSED
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
        if self.state is not GateState.HALF_OPEN:
            self._wake()  # a latched gate may probe again
        elif step is Step.REGISTER:
            self._interval = self._policy.probe_interval
            self._become(GateState.OPEN, "register was answered")
        else:
            # Only register shows whether its ids can be read, but the other calls need not wait for that.
            self._follow_ups_free = True

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
        self._open_since = None if state is GateState.CLOSED else now
        self._follow_ups_free = False
        self.state, self.why, self.since = state, why, self._clock.now()
        (log.warning if state is GateState.CLOSED else log.info)("gate", state=state.value, why=why)
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
            self._probe_at = self._clock.monotonic() + self._interval
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._probe_now.wait()
            self._probe_at = None
            self._interval = min(self._policy.probe_max, self._interval * 2)
            answer = await self._probe()
            if self._unreadable >= self._policy.unreadable_ids:
                continue
            match answer:
                case Stop() | NotSent() | Unclear() | Throttled():
                    self.why = f"{self.why.partition('; probe:')[0]}; probe: {answer_class(answer)}"
                case _:
                    self._failures = 0
                    self._become(GateState.HALF_OPEN, "the API answers again")
