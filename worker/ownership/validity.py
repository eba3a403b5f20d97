"""How long an acknowledged intent is good for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.ports import Clock


@dataclass(frozen=True, slots=True)
class Age:
    """A span that began at a reading of both clocks; implements `ports.Validity`.

    It must be young on CLOCK_BOOTTIME, which runs while the machine is suspended, and on the wall clock, which also
    runs while a virtual machine is frozen and moved. A wall clock that was set back does not make it young again:
    both must agree.
    """

    clock: Clock
    boottime: float
    wall: datetime
    limit: float
    """Seconds."""

    @classmethod
    def begin(cls, clock: Clock, limit: float) -> "Age":
        """Begins now: read before the record is handed to the producer, never at its acknowledgement."""
        return cls(clock, clock.boottime(), clock.now(), limit)

    def holds(self) -> bool:
        """Whether less than `limit` seconds have passed on both clocks."""
        return self.clock.boottime() - self.boottime < self.limit and self.clock.now() - self.wall < timedelta(
            seconds=self.limit
        )
