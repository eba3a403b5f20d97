"""The process that the worker runs in: its clocks, and the points at which a test ends it."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, aware UTC."""

    def boottime(self) -> float:
        """Seconds of a clock that also runs while the machine is suspended (CLOCK_BOOTTIME)."""

    def monotonic(self) -> float:
        """Seconds; the event loop's own clock."""


class Faults(Protocol):
    """Fault points for tests: kills or stops the process at a named step. Does nothing in production."""

    def hit(self, step: str) -> None: ...
