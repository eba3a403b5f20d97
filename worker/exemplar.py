"""Which event something is measured for: telemetry hangs it on the measurement, as an exemplar (OpenMetrics 1.0).

Bound around an event's turn rather than handed down: an HTTP client measures calls and knows no events.
"""

from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass

from worker.model import Coordinates


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One event: where its record stands, and its trace (W3C Trace Context) where it has one."""

    origin: Coordinates
    traceparent: str | None = None


_CURRENT: ContextVar[Exemplar | None] = ContextVar("exemplar", default=None)


def current() -> Exemplar | None:
    """The event that is measured for; None: for none, or for all."""
    return _CURRENT.get()


class MeasuredFor:
    """`with MeasuredFor(exemplar):` what this task measures meanwhile is of this event; None: of none."""

    __slots__ = ("_exemplar", "_token")

    def __init__(self, exemplar: Exemplar | None) -> None:
        self._exemplar = exemplar

    def __enter__(self) -> None:
        self._token = _CURRENT.set(self._exemplar)

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError):  # a coroutine that is thrown away at the end: this is not its task's context
            _CURRENT.reset(self._token)
