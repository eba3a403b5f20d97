"""The system's clocks, behind `ports.Clock`."""

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall time, CLOCK_BOOTTIME, and the monotonic clock that asyncio's loops use."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def monotonic(self) -> float:
        return time.monotonic()
