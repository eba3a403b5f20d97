"""What is known of one assigned partition: its lane while it is owned, why it is not served while it is not."""

import asyncio
from dataclasses import dataclass, field

from worker.lane import Lane
from worker.ports import Lost, LostWhy

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds."""


@dataclass(slots=True)
class Keeper:
    """Keeps one partition owned while it is assigned: take over, run, and start over when the ownership is lost."""

    partition: int
    lane: Lane | None = None
    problem: str | None = "being taken over"
    """Why it is not served now, for readiness."""
    lost_why: LostWhy | None = None
    """Why it was lost, until its records flow again."""
    task: asyncio.Task[None] | None = None
    flowing: bool = False
    failures: int = field(default=0)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Given up. An event beside the task's cancellation, which aiokafka swallows while it closes a client."""

    def fail(self, lost: Lost) -> None:
        """It was lost, or could not be taken over."""
        self.failures += 1
        self.lost_why = lost.why
        self.problem = f"lost ({lost.why.value}): {lost.detail}"

    @property
    def pause(self) -> float:
        """Seconds until the next try, without jitter: doubled with each failure in a row."""
        return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self.failures - 1, 30))
