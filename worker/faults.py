"""Fault points: kill or freeze this process at a named step, so that a test can crash it exactly there.

Refused in `worker.settings` unless `WORKER_ALLOW_FAULTS=1`; without a fault point `NO_FAULTS` does nothing.
"""

import os
import re
import signal
from dataclasses import dataclass
from enum import StrEnum

from worker.ports import Faults

STEPS = (
    "after-claim",
    "after-restore",
    "intent-sent",
    "intent-acked",
    "body-sent",
    "answer-read",
    "fact-acked",
    "before-attach",
    "attached",
    "before-start",
    "started",
    "before-commit",
    "offsets-sent",
    "committed",
    "before-trim",
)
"""The steps that exist, in the order in which an event comes by."""


FAULT_POINT = "<step>:<kill|stop>[:n], n from 1, for example intent-acked:kill:2"
"""How a fault point is written."""


class FaultAction(StrEnum):
    KILL = "kill"
    """SIGKILL: the process ends, nothing is cleaned up."""
    STOP = "stop"
    """SIGSTOP: the process freezes until something sends it SIGCONT."""


@dataclass(frozen=True, slots=True)
class FaultPoint:
    """Do `action` when `step` is reached for the `nth` time (from 1)."""

    step: str
    action: FaultAction
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.step}:{self.action}:{self.nth}"


@dataclass(frozen=True, slots=True)
class NotAFaultPoint:
    """Why a text names no fault point."""

    allowed: str


def parse_fault_point(text: str) -> FaultPoint | NotAFaultPoint:
    """Read `<step>:<kill|stop>[:n]`, for example `intent-acked:kill:2`."""
    match = re.fullmatch(r"([a-z-]+):(kill|stop)(?::([1-9][0-9]{0,8}))?", text)
    if match is None:
        return NotAFaultPoint(FAULT_POINT)
    step, action, nth = match.groups()
    if step not in STEPS:
        return NotAFaultPoint(f"a step out of {', '.join(STEPS)}")
    return FaultPoint(step, FaultAction(action), int(nth or 1))


class NoFaults:
    """Implements `ports.Faults`: nothing ever happens."""

    def hit(self, step: str) -> None:
        """Do nothing."""


class ArmedFaults:
    """Implements `ports.Faults`: kills or freezes this process at one point, once."""

    def __init__(self, point: FaultPoint) -> None:
        self._point = point
        self._hits = 0

    def hit(self, step: str) -> None:
        """Count `step`; at the fault point send the signal to this process. Raises nothing.

        After a kill it does not return; after a stop it returns once the process is continued.
        """
        if step != self._point.step:
            return
        self._hits += 1
        if self._hits != self._point.nth:
            return
        # Straight to the descriptor: nothing buffered survives the signal.
        os.write(2, f"fault point {self._point} reached\n".encode())
        os.kill(os.getpid(), signal.SIGKILL if self._point.action is FaultAction.KILL else signal.SIGSTOP)


NO_FAULTS = NoFaults()


def faults(point: FaultPoint | None) -> Faults:
    """The `ports.Faults` for a setting: armed with `point`, or the one that does nothing."""
    return NO_FAULTS if point is None else ArmedFaults(point)
