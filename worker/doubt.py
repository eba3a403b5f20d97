"""What is waited for before anything is believed about a doubtful register, and what was found. Pure.

The letters are those of docs/explanation/never-twice.md: V intent validity, T register time-out, A the longest that
Kravia may take to carry out a call after we gave up on it, D until a search shows it, E clock error.
"""

from dataclasses import dataclass
from datetime import datetime

from worker.matching import Identity
from worker.model import Event


@dataclass(frozen=True, slots=True)
class DoubtPolicy:
    """All in seconds but `quarantine` and `registers`.

    `disorder`: how far the search may show invoices out of order. `witness_timeout`: how long a witness is waited for
    once the waits are over. `registers`: calls of one event at the most. `quarantine`: not found is left to a person.
    """

    intent_validity: float = 5.0
    register_timeout: float = 30.0
    late_processing: float = 300.0
    search_delay: float = 120.0
    clock_error: float = 5.0
    disorder: float = 60.0
    witness_timeout: float = 1800.0
    sweep_interval: float = 10.0
    registers: int = 3
    quarantine: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """An intent whose call may have been carried out. Times without a date are CLOCK_BOOTTIME, in seconds.

    `since`: when its intent was written (wall time). After `deadline` the call can't be carried out any more: a
    witness must be sent later than that. After `ripe` a search would show it, and a sweep may be believed.
    """

    intent: int
    wanted: Identity
    since: datetime
    deadline: float
    ripe: float
    expires: float


def own_doubt(policy: DoubtPolicy, event: Event, intent: int, since: datetime, ended: float) -> Doubt:
    """About a call that this owner made; `ended` is when the call ended, not when it began."""
    return _doubt(policy, event, intent, since, ended + policy.late_processing)


def inherited_doubt(policy: DoubtPolicy, event: Event, intent: int, since: datetime, claimed: float) -> Doubt:
    """About an intent of a former owner, which may have been frozen with it; `claimed` is this owner's claim."""
    frozen = policy.intent_validity + policy.register_timeout + policy.clock_error
    return _doubt(policy, event, intent, since, claimed + frozen + policy.late_processing)


def _doubt(policy: DoubtPolicy, event: Event, intent: int, since: datetime, deadline: float) -> Doubt:
    ripe = deadline + policy.search_delay
    return Doubt(intent, identity_of(event), since, deadline, ripe, ripe + policy.witness_timeout)


def identity_of(event: Event) -> Identity:
    """The identity fields as the event has them."""
    return Identity(
        event.fields.get("creditorId"),
        event.fields.get("claimType"),
        event.fields.get("invoiceNo"),
        event.fields.get("accountingInvoiceId"),
    )


@dataclass(frozen=True, slots=True)
class Adopted:
    """The search shows it, under this id."""

    invoice_id: str


@dataclass(frozen=True, slots=True)
class CertainlyNot:
    """It does not show, and a witness proves that it would."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Left to a person; `why` is a class: `no_witness`, `quarantined`, `ambiguous`, `no_identity`, `unreadable`."""

    why: str


Resolution = Adopted | CertainlyNot | GivenUp
