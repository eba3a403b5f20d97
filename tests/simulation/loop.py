"""A deterministic event loop: virtual time, processes that can be crashed or frozen between any two callbacks.

Each callback belongs to the process whose context it carries. The processes' turns interleave as the seed says; within
one process callbacks run in asyncio's own order. When nothing is ready, time jumps to the next timer.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

from tests.simulation.process import PROCESS, Condition, Process, SimTask

Result = TypeVar("Result")

MAX_CALLBACKS = 1_000_000
"""More in one run are a livelock."""


class StuckError(Exception):
    """Nothing is left to run, or far too much was."""


class SimLoop(asyncio.BaseEventLoop):
    """Runs callbacks of processes; `outside` is the world around them (servers, network, the run itself)."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        SimTask.numbers = count()
        self.processes: list[Process] = []
        self.outside = self.process("outside")
        self.unexpected: list[str] = []
        """What reached the exception handler: an error of the code under test."""
        self.callbacks = 0
        self._random = rng
        self._now = 0.0
        self._sequence = 0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._runnable: list[Process] = []
        self._halt = False
        self._burying = False

    # asyncio's interface

    def time(self) -> float:
        return self._now

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:  # type: ignore[override]  # the stubs' TypeVarTuple
        handle = asyncio.Handle(callback, args, self, context)
        self._enqueue(handle)
        return handle

    def call_soon_threadsafe(  # type: ignore[override]  # as above
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def call_later(  # type: ignore[override]  # as above
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._sequence += 1
        heappush(self._timers, (when, self._sequence, timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Cancelled timers are skipped when their time comes."""

    def create_task(self, coro: Coroutine[Any, Any, Result], **kwargs: Any) -> asyncio.Task[Result]:  # type: ignore[override]  # keywords differ by version
        task = SimTask(coro, loop=self, **kwargs)
        context = kwargs.get("context")
        process = PROCESS.get(self.outside) if context is None else context.get(PROCESS, self.outside)
        process.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        exception = context.get("exception")
        self.unexpected.append(f"{context.get('message')}: {exception!r}")

    def stop(self) -> None:
        self._halt = True
        super().stop()

    def _run_once(self) -> None:
        """Replaces the selector's rounds. The base class calls it until `stop`."""
        runnable, pick = self._runnable, self._random.random
        while not self._halt:
            if not runnable:
                self._advance()
                continue
            number = len(runnable)
            index = 0 if number == 1 else int(pick() * number)
            process = runnable[index]
            if process.condition is Condition.RUNNING:
                self._turn(process)
            if not process.ready or process.condition is not Condition.RUNNING:
                process.queued = False
                last = runnable.pop()
                if index < len(runnable):
                    runnable[index] = last
        self._halt = False

    def _turn(self, process: Process) -> None:
        """One round of that process's own loop."""
        ready = process.ready
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            handle._run()
            process.steps += 1
            if process.steps == process.strike_at and process.on_strike is not None:
                process.on_strike(process)
            if process.condition is not Condition.RUNNING or self._halt:
                break
        self.callbacks += 1
        if self.callbacks > MAX_CALLBACKS and not self._burying:
            raise StuckError("livelock: callbacks run without end")

    def _advance(self) -> None:
        timers = self._timers
        came = False
        while timers and not (came and timers[0][0] > self._now):
            when, _, timer = heappop(timers)
            process = timer._context.get(PROCESS, self.outside)  # type: ignore[attr-defined]  # a timer has no public one
            if timer._cancelled or process.condition is Condition.DEAD:
                continue
            self._now = max(self._now, when)
            if process.condition is Condition.FROZEN:
                process.held.append(timer)
            else:
                self._enqueue(timer)
                came = True
        if not came:
            raise StuckError("deadlock: nothing will ever happen again")

    def _enqueue(self, handle: asyncio.Handle) -> None:
        process = handle._context.get(PROCESS, self.outside)  # type: ignore[attr-defined]  # a handle has no public one
        if process.condition is Condition.DEAD:
            return
        process.ready.append(handle)
        self._queue(process)

    def _queue(self, process: Process) -> None:
        if not process.queued and process.ready and process.condition is Condition.RUNNING:
            process.queued = True
            self._runnable.append(process)

    # Processes

    def process(self, name: str) -> Process:
        """A new process, running."""
        process = Process(name)
        self.processes.append(process)
        return process

    def crash(self, process: Process) -> None:
        """None of its callbacks ever run again."""
        process.condition = Condition.DEAD
        process.stops += 1
        process.ready.clear()
        process.held.clear()

    def freeze(self, process: Process) -> None:
        """Hold its callbacks and timers until `thaw`."""
        process.condition = Condition.FROZEN
        process.stops += 1

    def thaw(self, process: Process) -> None:
        """Go on. What came meanwhile runs before or after the timers: a real loop can meet either order."""
        process.condition = Condition.RUNNING
        held, process.held = process.held, []
        if self._random.random() < 0.5:
            process.ready.extendleft(reversed(held))
        else:
            process.ready.extend(held)
        self._queue(process)

    def bury(self) -> None:
        """Close the loop. What is left of the tasks is ended without being run: nothing complains when it is collected.

        Raises nothing, whatever the tasks do at their end.
        """
        self._burying = True
        for process in self.processes:
            process.condition = Condition.DEAD
        self.outside.condition = Condition.RUNNING
        # While the loop runs, for coroutines on their way out may want it; in no task that they could take for theirs.
        self.call_soon(self._end_tasks, context=self.outside.context)
        self.run_forever()
        self.close()

    def _end_tasks(self) -> None:
        try:
            while tasks := [task for process in self.processes for task in process.tasks]:
                for process in self.processes:
                    process.tasks = []
                for task in tasks:  # on its way out one may make others
                    _end(task)
        finally:
            self.stop()  # also when one ends in an unknown way: the loop must not run for ever


def _end(task: SimTask) -> None:
    if task.done():
        if not task.cancelled():
            task.exception()  # looked at by whoever wanted to
        return
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # what asyncio's own gather does
    coroutine = task.get_coro()
    assert coroutine is not None, "no task of ours is eager"
    for _ in range(20):
        # A coroutine that awaits something on its way out says so and has to be told again.
        with suppress(RuntimeError, AssertionError, asyncio.CancelledError):
            coroutine.close()
            return
