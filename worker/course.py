"""One event on its way: what it has tried, what failed, how long it may go on."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from worker.answers import Answer, answer_class, http_status
from worker.doubt import Doubt
from worker.drain import Drain
from worker.event_log import at_step, log
from worker.facts import Progress
from worker.flow import Slot
from worker.model import Event, Failed, History, Reason, Step
from worker.ownership import Ownership
from worker.ports import Details, Document
from worker.saga import Again, Ask


@dataclass(slots=True)
class Course:
    """Mutable state of one event while this ownership handles it.

    `failing_since`: the gate's open time at the first failure. `details`: the latest that `/details` told, until
    something uncertain happens again.
    """

    event: Event
    own: Ownership
    drain: Drain
    progress: Progress
    slot: Slot
    unsure: bool = False
    """A call of an earlier attempt may have been carried out: ask `/details` first."""
    own_documents: bool = True
    """No earlier event of this identity attached documents to the invoice."""
    attached: frozenset[str] = frozenset()
    """Digests of documents that earlier events of this identity attached."""
    documents: dict[str, Document] = field(default_factory=dict)
    """Fetched and at hand, by digest."""
    held: ExitStack = field(default_factory=ExitStack)
    """Their disk space."""
    details: Details | None = None
    invoice_id: str | None = None
    step: Step = Step.REGISTER
    tries: int = 0
    counted: int = 0
    failing_since: float | None = None
    first_failure: datetime | None = None
    last_failure: datetime | None = None
    last_class: str | None = None
    last_status: int | None = None
    spent: dict[Step, float] = field(default_factory=dict)
    """Seconds in calls, by step, all attempts of this ownership together."""
    waiting: str = field(default="queued")
    """For metrics and status: `queued`, `gate`, `backoff`, `doubt`, or the step under way."""
    doubt: Doubt | None = None
    """What is being reconciled."""
    retry_at: float | None = None
    """When it is tried again, while it waits for that; the monotonic clock."""

    @property
    def untouched(self) -> bool:
        """Nothing was done for this record yet, by no owner."""
        return self.progress.first is None

    def begin(self, step: Step) -> None:
        """A call of this step goes out."""
        self.step = step
        self.tries += 1
        self.waiting = step.value
        self.retry_at = None
        at_step(step.value)

    def backs_off(self, seconds: float, now: float) -> None:
        """It waits so long before it is tried again; `now` is the monotonic clock's."""
        self.waiting, self.retry_at = "backoff", now + seconds
        log.info(
            "retrying", step=self.step.value, attempts=self.tries, answer=self.last_class, seconds=round(seconds, 3)
        )

    def took(self, step: Step, seconds: float) -> None:
        """A call of this step took so long."""
        self.spent[step] = self.spent.get(step, 0.0) + seconds

    def is_attached(self, sha256: str) -> bool:
        """Whether a document with this digest is known to be attached."""
        return sha256 in self.attached or sha256 in self.progress.attached

    def keep(self, document: Document) -> None:
        """A fetched document is at hand until `let_go`."""
        self.held.callback(document.close)
        self.documents[document.sha256] = document

    def let_go(self) -> None:
        """Give back the documents at hand and their space. Idempotent."""
        self.documents.clear()
        self.held.close()

    def failed(self, answer: Answer, now: datetime, open_time: float) -> None:
        """An answer was not what was hoped for."""
        self.failed_with(answer_class(answer), http_status(answer), now, open_time)

    def failed_with(self, last_class: str, status: int | None, now: datetime, open_time: float) -> None:
        """A call or a fetch came to this class, and this HTTP status where there was one."""
        self.first_failure = self.first_failure or now
        self.last_failure = now
        self.last_class, self.last_status = last_class, status
        if self.failing_since is None:
            self.failing_since = open_time

    def gave_up(self, verdict: Again | Ask) -> Failed:
        """The ending when a bound is reached."""
        reason = Reason.EXPIRED
        if isinstance(verdict, Again) and verdict.forbidden:
            reason = Reason.FORBIDDEN
        elif isinstance(verdict, Again) and verdict.not_visible:
            reason = Reason.NOT_VISIBLE
        return self.ends(reason)

    def ends(self, reason: Reason, doubt: int | None = None) -> Failed:
        """`Failed` for this reason, at the present step."""
        return Failed(
            self.step,
            reason,
            attempts=self.tries,
            http_status=self.last_status,
            invoice_id=self.invoice_id,
            doubt=doubt,
            last_class=self.last_class,
        )

    def history(self) -> History:
        """For the receipts."""
        calls = tuple(attempt.as_call() for attempt in self.progress.attempts)
        return History(max(self.tries, len(calls)), self.first_failure, self.last_failure, calls)
