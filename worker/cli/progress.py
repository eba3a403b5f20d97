"""How far a long reading has come, on stderr: a live line on a terminal, else a line now and then."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from worker.cli.common import complain

EVERY = 10_000


class Reading:
    """Counts what was read. `with Reading("events") as reading: reading.step()`."""

    def __init__(self, what: str, every: int = EVERY) -> None:
        """`what` is read: a plural. `every`: how often a line is written where there is no terminal."""
        self._what = what
        self._every = every
        self._count = 0
        self._live: Progress | None = None
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (SpinnerColumn(), TextColumn("{task.completed:,} {task.description}"), TimeElapsedColumn())
            # What is printed goes past the live line, not through it: to a pipe it must stay as it is.
            self._live = Progress(
                *columns, console=Console(stderr=True), transient=True, redirect_stdout=sys.stdout.isatty()
            )
            self._task = self._live.add_task(f"{self._what} read", total=None)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def step(self) -> None:
        """One more was read."""
        self._count += 1
        if self._live is not None:
            if self._count % 100 == 0:
                self._live.update(self._task, completed=self._count)
        elif self._count % self._every == 0:
            complain(f"{self._count} {self._what} read")
