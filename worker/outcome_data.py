"""What an outcome event says: the data that a settled event's receipt comes to. Pure."""

from datetime import datetime
from typing import Literal, TypedDict, assert_never, cast

import schemas.outcomes
from schemas.identity import identity_parts
from schemas.outcomes import (
    CommandEcho,
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
)
from worker.model import (
    Audit,
    Discarded,
    Ending,
    Failed,
    Reason,
    Rejected,
    Repeated,
    Resolved,
    Scheduled,
)
from worker.receipt import Receipt, attempts


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
    amount: str | None
    currency: str | None
    command: CommandEcho | None
    warnings: list[OutcomeWarning]
    timings: Timings
    observed: Literal[True] | None


def called_at(
    reason: str, step: schemas.outcomes.Step | None, attempts: int, *, calls: bool = False
) -> schemas.outcomes.Step | None:
    """Of an outcome or a dead letter: the step whose call it ended at; None: no call was made for it.

    The format wants a step of all that failed. What is blocked, and what waited for a paused creditor until its time
    was up, names the call that it never came to. `calls`: whether it tells of register calls.
    """
    never = reason == Reason.BLOCKED or (reason == Reason.FORBIDDEN and not attempts and not calls)
    return None if never else step


def outcome_data(receipt: Receipt, *, observed: bool) -> Outcome:
    """The data of the outcome event that a receipt comes to. `observed`: no call was made."""
    envelope, history, ending = receipt.envelope, receipt.history, receipt.ending
    parts = None if receipt.identity is None else identity_parts(receipt.identity)
    warnings = receipt.event.warnings if receipt.event else ()
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
        attempts=attempts(receipt),
        calls=[RegisterCall(at=c.at, answer=c.answer, owner=c.owner, intent=c.intent) for c in history.calls],
        replayOf=envelope.replay_of,
        amount=None if receipt.event is None else f"{receipt.event.amount:f}",
        currency=None if receipt.event is None else receipt.event.currency,
        command=None if envelope.audit is None else _echo(envelope.audit, ending),
        warnings=[OutcomeWarning(pointer=w.pointer, code=w.code, message=w.message) for w in warnings],
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


def _echo(audit: Audit, ending: Ending) -> CommandEcho:
    return CommandEcho(
        id=audit.id,
        verb=cast("Literal['replay', 'edit', 'registered', 'not_registered', 'discard']", audit.verb),
        who=audit.who,
        when=audit.when,
        why=audit.why,
        changed=list(audit.changed) or None,
        seen=True if isinstance(ending, Repeated) and ending.seen else None,
    )


def _timings(receipt: Receipt) -> Timings:
    """In seconds, to the microsecond; a producer's clock that is ahead of ours makes no negative time."""
    queued = (receipt.taken_at - receipt.envelope.time).total_seconds()
    handled = (receipt.settled_at - receipt.taken_at).total_seconds()
    steps: dict[schemas.outcomes.Step, float] = {
        step.value: round(seconds, 6) for step, seconds in receipt.spent.items()
    }
    return Timings(queued=max(0.0, queued), handled=max(0.0, handled), steps=steps)
