"""A process of the simulation: its callbacks, its tasks, whether it runs."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from enum import Enum
from itertools import count
from typing import Any


class SimTask(asyncio.Task[Any]):
    """A task whose place in a set does not depend on memory addresses."""

    numbers = count()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.number = next(self.numbers)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self.number


class Condition(Enum):
    RUNNING = "running"
    FROZEN = "frozen"
    DEAD = "dead"


class Process:
    """What crashes or freezes as one.

    `steps` counts its callbacks; when it comes to `strike_at`, the loop calls `on_strike`.
    """

    __slots__ = (
        "condition",
        "context",
        "held",
        "name",
        "on_strike",
        "queued",
        "ready",
        "steps",
        "stops",
        "strike_at",
        "tasks",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.condition = Condition.RUNNING
        self.ready: deque[asyncio.Handle] = deque()
        self.queued = False
        """It is on the loop's list of processes that may run."""
        self.held: list[asyncio.Handle] = []
        """Timers that came due while it was frozen."""
        self.tasks: list[SimTask] = []
        self.steps = 0
        self.strike_at = -1
        self.on_strike: Callable[[Process], None] | None = None
        self.stops = 0
        """How often it was frozen or crashed."""
        self.context: Context = copy_context()
        self.context.run(PROCESS.set, self)

    @property
    def dead(self) -> bool:
        return self.condition is Condition.DEAD

    def __repr__(self) -> str:
        return f"<{self.name} {self.condition.value}>"


PROCESS: ContextVar[Process] = ContextVar("process")
