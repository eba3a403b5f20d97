"""The seams of the worker: what its core needs from Kafka, Kravia, the clock and telemetry, and no more.

Failures are values. A transactional producer that failed in any way is lost for good (`Lost`): its owner starts
over. Implementations live in `worker/kafka` and `worker/kravia`, fakes in `tests`; one contract suite runs on both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from worker.answers import Answer
from worker.model import OutRecord, Partition, Record, Reference, Step


class LostWhy(StrEnum):
    """Why a producer, a read or a partition was lost."""

    FENCED = "fenced"
    REFUSED = "refused"
    """The broker refused a record (too large, not authorised): nothing of the transaction may become visible."""
    TIMEOUT = "timeout"
    UNCLEAR = "unclear"
    """An acknowledgement without an offset, or a commit whose result is not known."""
    BROKEN = "broken"
    """Any other failure of the client or the broker."""
    NOT_MEMBER = "not_member"
    CLOSED = "closed"
    """Not a failure: the partition was released."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A failure that ends an ownership. `detail` is for logs: no payload, no personal data."""

    why: LostWhy
    detail: str


@dataclass(frozen=True, slots=True)
class Acked:
    """Every record of a send was acknowledged; their offsets, in the order of the records."""

    offsets: tuple[int, ...]


class Isolation(StrEnum):
    COMMITTED = "read_committed"
    UNCOMMITTED = "read_uncommitted"


class LogProducer(Protocol):
    """A transactional producer. `start` fences every other one with the same transactional id."""

    async def start(self) -> Lost | None: ...

    async def begin(self) -> Lost | None: ...

    async def send(self, records: Sequence[OutRecord]) -> Acked | Lost:
        """Write into the open transaction and wait until every record is acknowledged with an offset."""

    async def send_offsets(self, group: str, offsets: Mapping[Partition, int]) -> Lost | None: ...

    async def commit(self) -> Lost | None:
        """End the transaction. `Lost` also when the result is not known within the commit time-out."""

    async def close(self) -> None:
        """Let go of connections; an open transaction is aborted where that is still possible. Never raises."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The last records of a partition. `whole`: nothing stands before them."""

    records: Sequence[Record]
    whole: bool


class LogReader(Protocol):
    """Reads partitions outside of any consumer group."""

    async def read_to_end(
        self, partition: Partition, isolation: Isolation, sink: Callable[[Sequence[Record]], None]
    ) -> int | Lost:
        """Give every record from the start to the end (as it is when called) to `sink`.

        Returns the position after the last record, control records included. Goes on at a new start when the
        beginning is trimmed meanwhile.
        """

    async def read_one(self, partition: Partition, offset: int) -> Record | None | Lost:
        """The record at exactly this offset, which the caller knows to be committed; None when it is gone."""

    async def read_tail(self, partition: Partition, count: int) -> Tail | Lost:
        """Committed records of the last `count` offsets (fewer records where compaction took some)."""


class LogAdmin(Protocol):
    async def delete_before(self, offsets: Mapping[Partition, int]) -> Lost | None:
        """DeleteRecords: everything before each offset goes."""

    async def committed(self, group: str, partitions: Sequence[Partition]) -> Mapping[Partition, int | None] | Lost:
        """What the group has committed now, asked from the broker."""

    async def earliest(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """The offset of the first record that each log still has."""


class Intake(Protocol):
    """The consumer, as a partition's owner sees it. Called from the event loop that polls."""

    def release(self, partition: Partition, offset: int) -> bool:
        """Go to `offset` and let records flow; False when it is not assigned any more."""

    def hold(self, partition: Partition) -> None:
        """Stop the flow of a partition's records."""

    async def prove_membership(self, partitions: Sequence[Partition]) -> Lost | None:
        """Commit what is committed, under this member's generation: a zombie's commit is refused."""


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, aware UTC."""

    def boottime(self) -> float:
        """Seconds of a clock that also runs while the machine is suspended (CLOCK_BOOTTIME)."""

    def monotonic(self) -> float:
        """Seconds; the event loop's own clock."""


class Validity(Protocol):
    """How long an acknowledged intent is good for, checked as the last act before bytes leave."""

    def holds(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Details:
    """What `/details` tells. None: it does not tell (field names are undocumented)."""

    documents: tuple[str, ...] | None
    """File names of the documents that are there."""
    start_available: bool | None
    raw: Mapping[str, object] = field(default_factory=dict, compare=False)
    """The whole answer, where it is a JSON object: the reconciler looks for identity fields in it."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Rows of one page of `/invoice/search`, as parsed JSON objects (fields undocumented)."""

    rows: tuple[Mapping[str, object], ...]


class Document(Protocol):
    """A fetched document that was verified. It is read piece by piece, as often as wanted, until it is closed."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def sha256(self) -> str: ...

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset` on. OSError when they can't be read, ValueError when it is closed."""

    def close(self) -> None:
        """Give its disk space back. Idempotent."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The store answered that it does not give this document. `code` as in `worker.fetching`."""

    code: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Altered:
    """What the store gave is not what the event declares."""

    code: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Nothing was asked, or an answer led to where nothing may be asked."""

    code: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The store did not give it this time. `why` is a class such as `timeout`; `retry_after` in seconds."""

    why: str
    status: int | None = None
    retry_after: float | None = None


class Room(Protocol):
    """A share of the space for documents."""

    def close(self) -> None:
        """Give it back. Idempotent."""


class DocumentStore(Protocol):
    """Where referenced documents come from."""

    async def room(self, size: int) -> Room:
        """Wait for so many bytes of space, in order. More than there is at all: wait until nobody else has any.

        Whoever asks holds none: two shares taken one after another could wait for each other for ever.
        """

    async def fetch(self, reference: Reference) -> Document | Missing | Altered | NotAllowed | Unreachable:
        """The document, verified against the reference's size, digest and media type. The caller has room for it."""


class KraviaApi(Protocol):
    async def register(self, body: bytes, validity: Validity) -> Answer:
        """POST /invoice/register, at most once. Never `Done` or `NotVisible`."""

    async def attach(
        self, invoice_id: str, file_name: str, media_type: str, content: str | Document, validity: Validity
    ) -> Answer:
        """POST /invoice/{id}/document. `content`: base64 text, or a fetched document. Never `Registered`."""

    async def start(self, invoice_id: str, message: str, validity: Validity) -> Answer:
        """POST /invoice/{id}/action?action=Start. Never `Registered`."""

    async def details(self, invoice_id: str) -> Details | Answer:
        """GET /invoice/{id}/details; an `Answer` is why it could not be read."""

    async def search(self, since: datetime, *, skip: int, top: int) -> SearchPage | Answer:
        """GET /invoice/search of what changed since `since`, oldest first; an `Answer` is why it could not be read.

        `since` without a zone is a time as a row printed it; an aware one is sent as UTC.
        """


class Faults(Protocol):
    """Fault points for tests: kills or stops the process at a named step. Does nothing in production."""

    def hit(self, step: str) -> None: ...


class Observer:
    """What the core tells telemetry. Every method does nothing here; `telemetry` overrides them all."""

    def consumed(self, topic: str, partition: int) -> None: ...

    def settled(self, partition: int, outcome: str, reason: str, age_seconds: float) -> None: ...

    def called(self, step: str, status_class: str, seconds: float) -> None: ...

    def retried(self, step: Step, why: str) -> None: ...

    def committed(self, partition: int, records: int, seconds: float) -> None: ...

    def ownership(self, partition: int, what: str) -> None:
        """`started`, `restored`, `closed`, or why it was lost (`LostWhy`)."""

    def restored(self, partition: int, seconds: float, ledger_records: int, journal_records: int) -> None: ...

    def resolved(self, kind: str) -> None:
        """A doubt ended: `adopted`, `certainlynot`, or why it was given up."""

    def swept(self, result: str, rows: int, seconds: float) -> None:
        """A sweep of the search ended: `complete`, or its problem."""

    def trimmed(self, ok: bool) -> None: ...

    def gate(self, state: str, why: str) -> None:
        """`open`, `half_open`, `closed`."""

    def fetched(self, result: str, size: int, seconds: float) -> None:
        """A document was fetched, or was not: `ok`, or the code or class of what came instead; `size` in bytes read."""

    def spooled(self, size: int) -> None:
        """So many bytes of space for documents are taken now."""

    def warned(self, what: str) -> None:
        """Something odd that does not end an event, by its code."""
