"""What the core tells of an event's way for tracing: a span for the event, one for each call, one for its settlement.

Everything here does nothing and costs next to nothing; `worker.telemetry.tracing` overrides it. Spans are made around
calls, never inside an HTTP client: register's session has no hooks (docs/explanation/ownership.md). No personal data
goes in.
"""

from types import TracebackType
from typing import Self

from worker.answers import Answer
from worker.model import Ending, Envelope


class Span:
    """`with` bounds it. One that is left by an exception or a cancellation ends as failed."""

    traceparent: str | None = None
    """W3C Trace Context, for what this span's event leaves behind; None: there is no trace."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def answered(self, answer: Answer | None) -> None:
        """The call was answered; None: with what was asked for."""

    def failed(self, why: str) -> None:
        """It ended otherwise than hoped for; `why` is a class, such as `timeout`."""

    def ended(self, ending: Ending) -> None:
        """How the event ended."""


class Tracer:
    """Makes spans; the one that is entered is the parent of what begins inside it, in the same task."""

    def process(self, envelope: Envelope, identity: str | None, size: int) -> Span:
        """One input record, from its turn to its committed settlement. `size` in bytes."""
        return NO_SPAN

    def step(self, name: str, attempt: int) -> Span:
        """One call: `register`, `attach`, `start`, `details`, `fetch`; or `reconcile`, the wait for the reconciler.

        `attempt` counts the event's calls in this ownership, from 1.
        """
        return NO_SPAN

    def settle(self, envelope: Envelope) -> Span:
        """From the ending to the end of the transaction that settles it."""
        return NO_SPAN


NO_SPAN = Span()
NO_TRACES = Tracer()
