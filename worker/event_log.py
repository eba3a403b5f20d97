"""What the log says of single events: which event a line is about, and how it ended. Identities and coordinates only.

One line for each thing that matters: `retrying`, `in_doubt`, `doubt_resolved`, `event_settled` (info for what needs
somebody, debug for what went well: there are hundreds a second).
"""

import logging
from contextvars import Token
from typing import Any

import structlog

from worker.model import Ending, Envelope, Repeated, Scheduled

log = structlog.get_logger(__name__)
_stdlib = logging.getLogger(__name__)


class About:
    """`with About(…):` every line that this task logs meanwhile names the event. A class: every event passes here."""

    __slots__ = ("_names", "_tokens")

    def __init__(self, envelope: Envelope, identity: str | None) -> None:
        topic, partition, offset = envelope.origin
        self._names: dict[str, Any] = {"topic": topic, "partition": partition, "offset": offset, "step": None}
        if envelope.event_id is not None:
            self._names["event_id"] = envelope.event_id
        if identity is not None:
            self._names["identity"] = identity

    def __enter__(self) -> None:
        self._tokens = structlog.contextvars.bind_contextvars(**self._names)

    def __exit__(self, *_: object) -> None:
        tokens: dict[str, Token[Any]] = dict(self._tokens)
        structlog.contextvars.reset_contextvars(**tokens)


def at_step(step: str) -> None:
    """The event's lines name this step from now on."""
    structlog.contextvars.bind_contextvars(step=step)


def settled(ending: Ending, attempts: int) -> None:
    """Its settlement is committed."""
    well = isinstance(ending, Scheduled | Repeated)
    if well and not _stdlib.isEnabledFor(logging.DEBUG):
        return
    reason = getattr(ending, "reason", None)
    (log.debug if well else log.info)(
        "event_settled",
        outcome=type(ending).__name__.lower(),
        reason=None if reason is None else reason.value,
        attempts=attempts,
    )
