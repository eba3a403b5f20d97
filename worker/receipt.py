"""How one input record ended, as a value, and what is the same for every receipt of a worker. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from schemas.outcomes import (
    outcome_id,
)
from worker.model import (
    Coordinates,
    Ending,
    Envelope,
    Event,
    Failed,
    History,
    Step,
    TopicNames,
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What is the same for every receipt of a worker."""

    group: str
    worker_version: str
    topics: TopicNames
    outcome_partitions: int
    """Partitions of the outcome topic, at least 1."""
    dead_letter_partitions: int
    """Partitions of the dead-letter topic, at least 1."""
    observed: bool = False
    """No call is made: outcomes say what would be."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How one input record ended. Times are aware UTC; `taken_at`: when the worker took the record.

    `identity` is None where it can't be read. `spent`: seconds in calls, by step. `warnings`: what the contract's
    rules found odd.
    """

    envelope: Envelope
    identity: str | None
    ending: Ending
    history: History
    settled_at: datetime
    taken_at: datetime
    spent: Mapping[Step, float] = field(default_factory=dict)
    event: Event | None = None
    """The event, where the record held a valid one."""
    traceparent: str | None = None
    """Of the worker's own span, where it traces; it leads on to the producer's."""


def receipt_id(origin: Coordinates) -> str:
    """Id of the outcome of the input record that stands at `origin`."""
    return str(outcome_id(*origin))


def attempts(receipt: Receipt) -> int:
    """Calls made for the record."""
    return receipt.ending.attempts if isinstance(receipt.ending, Failed) else receipt.history.attempts
