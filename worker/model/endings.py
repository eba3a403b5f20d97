"""What an event can end as, and what was tried on the way.

`Ending` is a closed union: consume it with `match` and `assert_never`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Step(StrEnum):
    """What is done for an event, in its order: documents fetched where there are references, then the three calls."""

    FETCH = "fetch"
    REGISTER = "register"
    ATTACH = "attach"
    START = "start"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an event: JSON pointer (RFC 6901), a stable code, a sentence without values."""

    pointer: str
    code: str
    message: str


class Refusal(StrEnum):
    """Why an event ended `rejected`."""

    UNDECODABLE = "undecodable"
    VALIDATION = "validation"
    MISROUTED = "misrouted"
    CONFLICT = "conflict"
    DOCUMENT = "document"
    """A referenced document is missing, altered or not allowed."""
    REFUSED = "refused"
    """Kravia gave a definite refusal."""


class Reason(StrEnum):
    """Why an event ended `failed`."""

    IN_DOUBT = "in_doubt"
    BLOCKED = "blocked"
    FORBIDDEN = "forbidden"
    EXPIRED = "expired"
    """Attempts or elapsed time ran out."""
    NOT_VISIBLE = "not_visible"
    """404 on attach or start for longer than its bound."""
    ATTACH_UNKNOWN = "attach_unknown"
    """A document may or may not be attached, and the setting leaves that to a person."""
    DOCUMENT_UNREACHABLE = "document_unreachable"
    """A referenced document's store did not give it within the bounds of the retries."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Registered, all attached, started."""

    invoice_id: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """Ended by what the event says; `invoice_id` is set when it was registered before."""

    reason: Refusal
    problems: tuple[Problem, ...] = ()
    step: Step | None = None
    http_status: int | None = None
    invoice_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """Ended without the event's fault. `doubt` is the journal offset of the intent that is in doubt."""

    step: Step
    reason: Reason
    attempts: int
    http_status: int | None = None
    invoice_id: str | None = None
    doubt: int | None = None
    last_class: str | None = None
    """Class of the last answer, for example `not_sent` or `server_error`."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same event again: the earlier result stands, no call was made."""

    earlier_outcome: str
    invoice_id: str | None
    seen: bool = False
    """A command id that was seen before: it had no effect."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """A person decided that it shall not be processed."""

    who: str
    why: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A person's verdict on a doubt was obeyed."""

    verdict: str
    who: str
    why: str
    doubt: int
    invoice_id: str | None


Ending = Scheduled | Rejected | Failed | Repeated | Discarded | Resolved


@dataclass(frozen=True, slots=True)
class Call:
    """One register call as the ledger remembers it: `[at, class, owner, intent]` in formats."""

    at: datetime
    answer: str
    """`registered`, `not_carried_out`, `unclear` or `unknown` (no answer was journaled); its class after a colon."""
    owner: str
    intent: int


@dataclass(frozen=True, slots=True)
class History:
    """When an event's first and last failure were seen and how often it was tried: for the dead letter's headers."""

    attempts: int = 0
    first_failure: datetime | None = None
    last_failure: datetime | None = None
    calls: tuple[Call, ...] = field(default=())
