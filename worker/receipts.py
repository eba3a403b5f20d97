"""What a settled event leaves behind: its outcome event, and its dead letter when it did not end well. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypedDict, assert_never
from urllib.parse import quote

import schemas.outcomes
from schemas.dead_letters import NAMES, DeadLetterHeaders, read_headers
from schemas.identity import identity_parts
from schemas.outcomes import (
    OUTCOME_TYPES,
    DiscardedOutcome,
    FailedOutcome,
    Origin,
    Outcome,
    OutcomeError,
    OutcomeWarning,
    RegisterCall,
    RejectedOutcome,
    RepeatedOutcome,
    ResolvedOutcome,
    ScheduledOutcome,
    Timings,
    outcome_id,
)
from worker.model import (
    Coordinates,
    Discarded,
    Ending,
    Envelope,
    Failed,
    History,
    OutRecord,
    Problem,
    Record,
    Rejected,
    Repeated,
    Resolved,
    Scheduled,
    Step,
    TopicNames,
)
from worker.receipt_headers import fingerprint, message


class _Common(TypedDict):
    """What every outcome says."""

    version: Literal[1]
    identity: str | None
    creditorId: int | None
    claimType: str | None
    invoiceNo: str | None
    accountingInvoiceId: str | None
    origin: Origin
    eventId: str | None
    eventSource: str | None
    receivedAt: datetime
    settledAt: datetime
    attempts: int
    calls: list[RegisterCall]
    replayOf: str | None
    warnings: list[OutcomeWarning]
    timings: Timings
    observed: Literal[True] | None


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
    warnings: tuple[Problem, ...] = ()
    traceparent: str | None = None
    """Of the worker's own span, where it traces; it leads on to the producer's."""


def receipt_id(origin: Coordinates) -> str:
    """Id of the outcome of the input record that stands at `origin`."""
    return str(outcome_id(*origin))


def outcome_record(receipt: Receipt, desk: Desk) -> OutRecord:
    """The outcome event, a CloudEvent in Kafka's binary mode, for the partition that its input's leads to."""
    envelope = receipt.envelope
    origin = envelope.origin
    outcome = _outcome(receipt, observed=desk.observed)
    key = receipt.identity or str(origin)
    texts = {
        "ce_specversion": "1.0",
        "ce_id": receipt_id(origin),
        "ce_type": OUTCOME_TYPES[outcome.outcome],
        "ce_source": f"/kravia-invoice-worker/{quote(desk.group, safe='')}",
        "ce_time": _timestamp(receipt.settled_at),
        "ce_subject": key,
        # Without an id of its own an event is named by where it stands, as is its identity.
        "ce_correlationid": envelope.correlation_id or envelope.event_id or str(origin),
        "ce_causationid": envelope.event_id or str(origin),
        "traceparent": receipt.traceparent or envelope.traceparent,
        "replay-of": envelope.replay_of,
        "content-type": "application/json",
    }
    return OutRecord(
        topic=desk.topics.outcomes,
        partition=origin.partition % desk.outcome_partitions,
        key=key.encode(),
        value=outcome.model_dump_json(exclude_none=True).encode(),
        headers=tuple((name, text.encode()) for name, text in texts.items() if text is not None),
    )


def dead_letter_record(receipt: Receipt, record: Record, desk: Desk) -> OutRecord | None:
    """The dead letter of a rejected or failed record: key, value and headers as they came, the cause behind them.

    None when it ended otherwise. Of a replay that fails again the headers of its last failure are replaced, but for
    those that say where and when the event failed first.
    """
    ending = receipt.ending
    if isinstance(ending, Scheduled | Repeated | Discarded | Resolved):
        return None
    replayed = receipt.envelope.replay_of is not None
    earlier = read_headers(record.headers) if replayed else None
    if not isinstance(earlier, DeadLetterHeaders):
        earlier = None
    cause = _cause(receipt, ending, desk, earlier)
    return OutRecord(
        topic=desk.topics.dead_letters,
        partition=record.partition % desk.dead_letter_partitions,
        key=record.key,
        value=record.value,
        headers=(
            # Only on a replay are headers of these names ours; whatever else a producer wrote stays as it is.
            *((name, value) for name, value in record.headers if not (replayed and name in NAMES)),
            *cause.to_headers(),
        ),
    )


def _outcome(receipt: Receipt, *, observed: bool) -> Outcome:
    envelope, history, ending = receipt.envelope, receipt.history, receipt.ending
    parts = None if receipt.identity is None else identity_parts(receipt.identity)
    common = _Common(
        version=1,
        identity=receipt.identity,
        creditorId=parts.creditor_id if parts else None,
        claimType=parts.claim_type if parts else None,
        invoiceNo=parts.invoice_no if parts else None,
        accountingInvoiceId=parts.accounting_invoice_id if parts else None,
        origin=Origin(topic=envelope.origin.topic, partition=envelope.origin.partition, offset=envelope.origin.offset),
        eventId=envelope.event_id,
        eventSource=envelope.source,
        receivedAt=envelope.time,
        settledAt=receipt.settled_at,
        attempts=_attempts(receipt),
        calls=[RegisterCall(at=c.at, answer=c.answer, owner=c.owner, intent=c.intent) for c in history.calls],
        replayOf=envelope.replay_of,
        warnings=[OutcomeWarning(pointer=w.pointer, code=w.code, message=w.message) for w in receipt.warnings],
        timings=_timings(receipt),
        observed=True if observed else None,
    )
    match ending:
        case Scheduled(invoice_id):
            return ScheduledOutcome(**common, outcome="scheduled", invoiceId=invoice_id)
        case Rejected(reason, problems, step, status, invoice_id):
            return RejectedOutcome(
                **common,
                outcome="rejected",
                reason=reason.value,
                errors=[OutcomeError(pointer=p.pointer, code=p.code, message=p.message) for p in problems],
                step=step.value if step else None,
                httpStatus=status,
                invoiceId=invoice_id,
            )
        case Failed(step, reason, _, status, invoice_id, doubt, last_class):
            return FailedOutcome(
                **common,
                outcome="failed",
                reason=reason.value,
                step=step.value,
                httpStatus=status,
                invoiceId=invoice_id,
                doubt=doubt,
                lastAnswer=last_class,
            )
        case Repeated(earlier, invoice_id):
            return RepeatedOutcome(**common, outcome="repeated", earlierOutcome=earlier, invoiceId=invoice_id)
        case Resolved(verdict, who, why, doubt, invoice_id):
            return ResolvedOutcome(
                **common,
                outcome="resolved",
                verdict="registered" if verdict == "registered" else "not_registered",
                who=who,
                why=why,
                doubt=doubt,
                invoiceId=invoice_id,
            )
        case Discarded(who, why):
            return DiscardedOutcome(**common, outcome="discarded", who=who, why=why)
        case _:
            assert_never(ending)


def _timings(receipt: Receipt) -> Timings:
    """In seconds, to the microsecond; a producer's clock that is ahead of ours makes no negative time."""
    queued = (receipt.taken_at - receipt.envelope.time).total_seconds()
    handled = (receipt.settled_at - receipt.taken_at).total_seconds()
    steps: dict[schemas.outcomes.Step, float] = {
        step.value: round(seconds, 6) for step, seconds in receipt.spent.items()
    }
    return Timings(queued=max(0.0, queued), handled=max(0.0, handled), steps=steps)


def _attempts(receipt: Receipt) -> int:
    return receipt.ending.attempts if isinstance(receipt.ending, Failed) else receipt.history.attempts


def _cause(
    receipt: Receipt, ending: Rejected | Failed, desk: Desk, earlier: DeadLetterHeaders | None
) -> DeadLetterHeaders:
    history = receipt.history
    origin = _first_origin(receipt.envelope, earlier)
    first_failure = history.first_failure or receipt.settled_at
    return DeadLetterHeaders(
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        group=desk.group,
        delivery_count=max(1, _attempts(receipt)),
        message=message(ending),
        version=1,
        outcome="failed" if isinstance(ending, Failed) else "rejected",
        outcome_id=receipt_id(receipt.envelope.origin),
        reason=ending.reason.value,
        fingerprint=fingerprint(ending),
        identity=receipt.identity,
        step=ending.step.value if ending.step else None,
        http_status=ending.http_status,
        invoice_id=ending.invoice_id,
        doubt=ending.doubt if isinstance(ending, Failed) else None,
        attempts=_attempts(receipt),
        replay_count=(earlier.replay_count if earlier else 0) + (receipt.envelope.replay_of is not None),
        first_failure=earlier.first_failure if earlier else first_failure,
        last_failure=history.last_failure or receipt.settled_at,
        worker_version=desk.worker_version,
        traceparent=receipt.traceparent,
    )


def _first_origin(envelope: Envelope, earlier: DeadLetterHeaders | None) -> Coordinates:
    if earlier is not None:
        return Coordinates(earlier.topic, earlier.partition, earlier.offset)
    if envelope.replay_of is not None:
        topic, partition, offset = envelope.replay_of.rsplit("/", 2)
        return Coordinates(topic, int(partition), int(offset))
    return envelope.origin


def _timestamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
