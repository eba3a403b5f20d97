"""Stopping between steps: what a rebalance and a shutdown need.

Work is done in steps that are never cut (a register on its way is never cancelled). Stopped, no new step begins;
those under way end. Whatever waits between steps may be cancelled or may go on later.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Drain:
    """Counts the steps under way and holds new ones back while stopped."""

    def __init__(self) -> None:
        self._going = asyncio.Event()
        self._going.set()
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

    async def idle(self) -> None:
        """Wait until no step is under way."""
        await self._idle.wait()

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """One step; waits while stopped."""
        await self._going.wait()
        task = asyncio.current_task()
        assert task is not None
        self.busy.add(task)
        self._idle.clear()
        try:
            yield
        finally:
            self.busy.discard(task)
            if not self.busy:
                self._idle.set()
