"""An invoice's story: what happened, where it stands, and what comes next. Values for consoles and commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from worker.model import Coordinates


class Where(StrEnum):
    """Where an invoice is."""

    UNSEEN = "unseen"
    """Nothing is known of it."""
    WAITING = "waiting"
    """Its event is in an input topic and no call was made for it yet."""
    REGISTERING = "registering"
    """A register call is under way."""
    RETRYING = "retrying"
    """Register was certainly not carried out and is tried again."""
    RECONCILING = "reconciling"
    """In doubt; the worker is looking for it at Kravia."""
    REGISTERED = "registered"
    """Registered; documents and start are under way."""
    SCHEDULED = "scheduled"
    """Done."""
    STUCK = "stuck"
    """Registered, and then rejected or failed."""
    IN_DOUBT = "in_doubt"
    """Given up: a person decides."""
    DECIDED = "decided"
    """A person decided; its event was not sent again yet."""
    REJECTED = "rejected"
    FAILED = "failed"
    DISCARDED = "discarded"
    OBSERVED = "observed"
    """Observe mode: no call was made."""


class Turn(StrEnum):
    """Whose turn it is."""

    NOBODY = "nobody"
    WORKER = "worker"
    PRODUCER = "producer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `record`: where it is written; `about`: the input record; no personal data anywhere."""

    at: datetime
    what: str
    record: Coordinates | None = None
    about: Coordinates | None = None
    details: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Story:
    """All of it. `sentence`: where it is, in words; `next`: what comes or is to be done, and whose `turn` it is."""

    identity: str | None
    record: Coordinates | None
    partition: int
    where: Where
    sentence: str
    turn: Turn
    next: str
    moments: tuple[Moment, ...] = ()
    invoice_id: str | None = None
    doubt: int | None = None
    unsettled: tuple[Coordinates, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be read, or is odd."""
