"""What a record is decoded to: a valid event, one that never reaches the saga, or what a person decided."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from worker.model.endings import Problem, Refusal
from worker.model.records import Coordinates


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document to attach. `content` is base64 text as it came; `sha256` (hex) is over the decoded bytes."""

    file_name: str
    media_type: str
    content: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A document to fetch and attach. It must have `sha256` (hex) and `size` (bytes); `url` may hold a secret."""

    file_name: str
    media_type: str
    url: str = field(repr=False)
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Whose decision a record on the replay topic is, and which: for the ledger and for the outcome."""

    id: str
    verb: str
    """`replay`, `edit`, `registered`, `not_registered` or `discard`."""
    who: str
    when: datetime
    why: str
    changed: tuple[str, ...] = ()
    """Of an edit: JSON pointers of what was changed."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a record whatever its data says: the part that receipts and traces need."""

    origin: Coordinates
    event_id: str | None
    source: str | None
    correlation_id: str | None
    traceparent: str | None
    time: datetime
    """The event's own time (CloudEvents `time`), else the record's timestamp; aware, UTC."""
    replay_of: str | None = None
    audit: Audit | None = None
    """Of a record that a person sent again."""


@dataclass(frozen=True, slots=True)
class Event:
    """A valid invoice event, ready for the saga."""

    envelope: Envelope
    identity: str
    body: bytes
    """The register body, as it is sent: UTF-8 JSON with numbers as written."""
    fields: dict[str, str]
    """Canonical text of each register field that is not null, by name: what digests are made of."""
    creditor_id: int
    amount: Decimal
    currency: str
    attachments: tuple[Attachment | Reference, ...]
    start_message: str
    size: int
    """Bytes of the record it came in: what it counts against the bound on bytes in flight."""
    warnings: tuple[Problem, ...] = ()
    """What rules of the contract found odd: sent all the same, counted, and listed in the outcome."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """A record that never reaches the saga. Without an identity its coordinates stand for one."""

    envelope: Envelope
    identity: str | None
    reason: Refusal
    problems: tuple[Problem, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Command:
    """What a person decided: a verdict on a doubt, or to discard a dead letter.

    `invoice_id` is None for the verdict *not registered*; `doubt` is None for a discard. Without an identity it is
    about a record that has none.
    """

    envelope: Envelope
    identity: str | None
    audit: Audit
    doubt: int | None
    invoice_id: str | None
    for_good: bool
    size: int


Decoded = Event | Invalid | Command
