"""A dead letter, and how it stands: derived from the topics by whoever reads them, stored nowhere else. Pure.

An event's dead letters have one origin: the coordinates of the record that failed first. A replay that fails again
makes another one of the same origin, which then is *the* dead letter. Its state is that of the latest outcome that
replays the origin.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.commands import COMMAND_TYPE
from schemas.dead_letters import DeadLetterHeaders, read_headers
from schemas.jsontext import loads
from schemas.outcomes import Outcome, RejectedOutcome
from schemas.violations import Violation
from worker.model import Coordinates, Record

_BY_COMMAND: Final = frozenset({"registered", "not_registered", "discard"})


class State(StrEnum):
    """How a dead letter stands."""

    OPEN = "open"
    """Nobody did anything about it, or what was done failed again."""
    RESOLVED = "resolved"
    """A person's verdict on its doubt was obeyed: its event can be replayed now."""
    REPLAYED = "replayed"
    """Sent again, and ended well."""
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record of the dead-letter topic. `origin`: where its event failed first, which names it."""

    at: Coordinates
    """Where the dead letter itself stands."""
    origin: Coordinates
    cause: DeadLetterHeaders
    record: Record

    @property
    def identity(self) -> str | None:
        """The invoice, where it can be read."""
        return self.cause.identity


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record of the dead-letter topic whose headers can't be read."""

    at: Coordinates
    problems: tuple[Violation, ...]


def read(record: Record) -> DeadLetter | Unreadable | None:
    """The dead letter in a record of its topic; None for a command that was refused, which is no event."""
    if _is_command(record):
        return None
    cause = read_headers(record.headers)
    if isinstance(cause, list):
        return Unreadable(record.coordinates, tuple(cause))
    origin = Coordinates(cause.topic, cause.partition, cause.offset)
    return DeadLetter(record.coordinates, origin, cause, record)


def _is_command(record: Record) -> bool:
    """A person's decision, in binary or in structured mode."""
    headers = {name.lower(): value or b"" for name, value in record.headers}
    kind = COMMAND_TYPE.encode()
    if headers.get("ce_type") == kind:
        return True
    structured = headers.get("content-type", b"").lower().startswith(b"application/cloudevents+json")
    if not structured or kind not in (record.value or b""):
        return False
    body = loads(record.value or b"")
    return isinstance(body, dict) and body.get("type") == COMMAND_TYPE


def state_after(outcome: Outcome) -> tuple[str, State, datetime] | None:
    """What an outcome does to the dead letter that it replays: its origin as text, its new state, and when.

    None: nothing, since it replays none, had no effect (a command id seen twice), or was a command that was refused.
    """
    command = outcome.command
    if outcome.replayOf is None or (command is not None and command.seen):
        return None
    by_command = command is not None and command.verb in _BY_COMMAND
    match outcome.outcome:
        case "scheduled":
            state = State.REPLAYED
        case "repeated":
            if by_command:
                return None
            state = State.REPLAYED
        case "discarded":
            state = State.DISCARDED
        case "resolved":
            state = State.RESOLVED
        case _:
            if by_command or (isinstance(outcome, RejectedOutcome) and _is_replay_of_a_loop(outcome)):
                return None
            state = State.OPEN
    return outcome.replayOf, state, outcome.settledAt


def _is_replay_of_a_loop(outcome: RejectedOutcome) -> bool:
    return any(error.code == "replay_limit" for error in outcome.errors)
