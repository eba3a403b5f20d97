"""The values that the worker's parts hand to each other: coordinates, decoded events, problems, endings.

Nothing here reads a clock, does I/O or knows asyncio. What an event can end as is the closed union `Ending`:
consume it with `match` and `assert_never`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Partition(NamedTuple):
    """A topic's partition."""

    topic: str
    number: int


class Coordinates(NamedTuple):
    """Where an input record stands. Its text is the identity of a record that can't be decoded."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the broker gave it. `timestamp_ms` is Kafka's, in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def coordinates(self) -> Coordinates:
        return Coordinates(self.topic, self.partition, self.offset)

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        return (
            len(self.key or b"")
            + len(self.value or b"")
            + sum(len(name) + len(value or b"") for name, value in self.headers)
        )


@dataclass(frozen=True, slots=True)
class OutRecord:
    """A record to write, to an explicit partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


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
class TopicNames:
    """The six topics."""

    requests: str = "invoice.requests"
    replays: str = "invoice.replays"
    journal: str = "invoice.journal"
    ledger: str = "invoice.ledger"
    outcomes: str = "invoice.outcomes"
    dead_letters: str = "invoice.dead-letters"

    @property
    def inputs(self) -> tuple[str, str]:
        return (self.requests, self.replays)


@dataclass(frozen=True, slots=True)
class History:
    """When an event's first and last failure were seen and how often it was tried: for the dead letter's headers."""

    attempts: int = 0
    first_failure: datetime | None = None
    last_failure: datetime | None = None
    calls: tuple[Call, ...] = field(default=())
