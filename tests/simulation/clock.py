"""Each process's clocks in virtual time: right to within the clock error that the settings grant."""

import asyncio
from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""Virtual second 0."""


class SimClock:
    """`ports.Clock`. `error`: seconds by which this process's wall clock is wrong."""

    def __init__(self, loop: asyncio.AbstractEventLoop, error: float = 0.0) -> None:
        self._loop = loop
        self._base = EPOCH + timedelta(seconds=error)

    def now(self) -> datetime:
        return self._base + timedelta(seconds=self._loop.time())

    def boottime(self) -> float:
        return self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()
