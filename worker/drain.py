"""Stopping between steps: what a rebalance and a shutdown need.

Work is done in steps that are never cut (a register on its way is never cancelled). Stopped, no new step begins;
those under way end. Whatever waits between steps may be cancelled or may go on later.
"""

import asyncio
from types import TracebackType


class Drain:
    """Counts the steps under way and holds new ones back while stopped."""

    def __init__(self) -> None:
        self._going = asyncio.Event()
        self._going.set()
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.busy: set[asyncio.Task[object]] = set()
        """Tasks that are inside a step: not to be cancelled."""

    def stop(self) -> None:
        """Let no new step begin."""
        self._going.clear()

    def go(self) -> None:
        """Let steps begin again."""
        self._going.set()

    def close(self) -> None:
        """Stop for good: whoever ends its step from now on is cancelled, or it would wait for the next one for ever."""
        self.stop()
        self._closed = True

    async def idle(self) -> None:
        """Wait until no step is under way."""
        await self._idle.wait()

    def step(self) -> "Drain":
        """One step of the current task: `async with drain.step():` waits while stopped.

        Not a generator, as every call of every event passes here: event loops keep account of each of those.
        """
        return self

    async def __aenter__(self) -> None:
        await self._going.wait()
        task = asyncio.current_task()
        assert task is not None
        self.busy.add(task)
        self._idle.clear()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.busy.discard(task)
        if not self.busy:
            self._idle.set()
        if self._closed:
            task.cancel()
