"""What the demo shows while it runs: a live view on a terminal, plain lines elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from worker.demo.scoreboard import OUTCOMES

STATES = ("queued", "registering", "attaching", "starting", "backoff", "gate", "doubt", "settling")
_COLOURS = {"scheduled": "green", "rejected": "yellow", "failed": "red", "repeated": "cyan", "discarded": "magenta"}
# So that all of it fits a terminal of 24 lines.
_NOTES = 4
_PLAIN_INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the demo at one moment.

    Times in seconds; calls by step and status (or `lost`, `reset`) as Kravia counts them; states and retries (by step
    and why) as the worker's metrics tell: what it counted in the moment before a kill is not among them.
    """

    elapsed: float = 0.0
    phase: str = "starting"
    total: int = 0
    sent: int = 0
    settled: int = 0
    per_second: float = 0.0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    dead_letters: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    retries: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    resolved: Mapping[str, int] = field(default_factory=dict)
    """Doubts that ended, by how."""
    gate: str = ""


class View(Protocol):
    """Where the demo shows itself."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, snapshot: Snapshot) -> None: ...

    def note(self, text: str) -> None:
        """Something worth telling happened."""


class PlainView:
    """One line a second and at each new phase, and one for each thing worth telling."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._elapsed = 0.0
        self._last = 0.0
        self._phase = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, snapshot: Snapshot) -> None:
        self._elapsed = snapshot.elapsed
        if snapshot.phase != self._phase or snapshot.elapsed - self._last >= _PLAIN_INTERVAL:
            self._last, self._phase = snapshot.elapsed, snapshot.phase
            self._line(plain(snapshot))

    def note(self, text: str) -> None:
        self._line(f"{self._elapsed:6.1f} s  {text}")

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """A screen that repaints itself."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._snapshot = Snapshot()
        self._notes: list[str] = []

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._live.update(screen(snapshot, self._notes), refresh=True)

    def note(self, text: str) -> None:
        self._notes = [*self._notes, f"{self._snapshot.elapsed:6.1f} s  {text}"][-_NOTES:]
        self.show(self._snapshot)


def plain(snapshot: Snapshot) -> str:
    """A snapshot in one line."""
    outcomes = " ".join(f"{name}={snapshot.outcomes.get(name, 0)}" for name in OUTCOMES)
    states = " ".join(f"{name}={snapshot.states[name]}" for name in STATES if snapshot.states.get(name))
    calls = sum(snapshot.calls.values())
    return (
        f"{snapshot.elapsed:6.1f} s  {snapshot.phase}: sent={snapshot.sent}/{snapshot.total}"
        f" settled={snapshot.settled} ({snapshot.per_second:.0f}/s) {outcomes}"
        f" dead_letters={snapshot.dead_letters} calls={calls} retries={sum(snapshot.retries.values())}"
        f" doubts_resolved={sum(snapshot.resolved.values())}" + (f" [{states}]" if states else "")
    )


def screen(snapshot: Snapshot, notes: list[str]) -> RenderableType:
    """A snapshot and the last notes as a screen of 80 columns."""
    head = Text.assemble(
        ("Kravia invoice worker", "bold"),
        f"  {snapshot.phase}, {snapshot.elapsed:.0f} s, {snapshot.per_second:.0f} events/s",
    )
    progress = Table.grid(padding=(0, 2))
    progress.add_row(
        ProgressBar(total=max(snapshot.total, 1), completed=snapshot.settled, width=30),
        f"{snapshot.settled} of {snapshot.total} settled, {snapshot.sent} sent",
    )
    tables = Columns([_outcomes(snapshot), _calls(snapshot), _retries(snapshot)], padding=(0, 2))
    return Panel(
        Group(head, progress, Text(_states(snapshot)), Text(_doubts(snapshot)), tables, Text(), *map(Text, notes)),
        expand=False,
    )


def _states(snapshot: Snapshot) -> str:
    states = ", ".join(f"{snapshot.states[name]} {name}" for name in STATES if snapshot.states.get(name))
    return f"in the worker: {states or 'nothing'}" + (f"; the gate is {snapshot.gate}" if snapshot.gate else "")


def _doubts(snapshot: Snapshot) -> str:
    ended = ", ".join(f"{count} {how}" for how, count in sorted(snapshot.resolved.items()))
    return f"doubts: {snapshot.states.get('doubt', 0)} now" + (f"; ended: {ended}" if ended else "")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False, padding=(0, 1, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column == "count" else "left")
    return table


def _outcomes(snapshot: Snapshot) -> Table:
    table = _table("Outcomes", "outcome", "count")
    for name in OUTCOMES:
        table.add_row(Text(name, _COLOURS[name]), str(snapshot.outcomes.get(name, 0)))
    table.add_row("dead letters", str(snapshot.dead_letters))
    return table


def _calls(snapshot: Snapshot) -> Table:
    table = _table("Calls", "step", "status", "count")
    for (step, status), count in sorted(snapshot.calls.items()):
        table.add_row(step, Text(status, "" if status == "200" else "yellow"), str(count))
    return table


def _retries(snapshot: Snapshot) -> Table:
    table = _table("Retries", "step", "why", "count")
    for (step, why), count in sorted(snapshot.retries.items()):
        table.add_row(step, why, str(count))
    return table
