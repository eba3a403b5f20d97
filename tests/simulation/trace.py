"""What happened in a run, a line each: kept only when somebody wants to read it."""

import logging
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog


class Trace:
    """False unless it is wanted, so that nobody formats a line for nothing."""

    def __init__(self, wanted: bool, now: Callable[[], float]) -> None:
        self.lines: list[str] = []
        self._wanted = wanted
        self._now = now

    def __bool__(self) -> bool:
        return self._wanted

    def add(self, text: str) -> None:
        if self._wanted:
            self.lines.append(f"{self._now():9.4f} {text}")


@contextmanager
def logs_to(trace: Trace) -> Iterator[None]:
    """The worker's own log lines become part of the trace; where nobody wants it they cost next to nothing."""

    def take(_logger: object, level: str, event: MutableMapping[str, Any]) -> str:
        # An owner's id is random by more than the seed: a trace without it is the same again.
        trace.add(f"log {level}: " + " ".join(str(value) for name, value in event.items() if name != "owner"))
        raise structlog.DropEvent

    before = structlog.get_config()
    level = logging.DEBUG if trace else logging.CRITICAL
    structlog.configure(
        processors=[take],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**before)
