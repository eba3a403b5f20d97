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
        self._suspended = 0.0

    def now(self) -> datetime:
        return self._base + timedelta(seconds=self._loop.time())

    def boottime(self) -> float:
        return self._loop.time() - self._suspended

    def monotonic(self) -> float:
        """The clock of the loop's timers, which a suspension does not hold up here: they are only early by it."""
        return self._loop.time()

    def suspend(self, seconds: float) -> None:
        """A virtual machine stood still for so long: when it goes on only its wall clock is put right."""
        self._suspended += seconds

    def set_back(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._base -= timedelta(seconds=seconds)
