"""What happened to an invoice, in the order of time. Pure.

A register call is told once, though the journal, an outcome and the ledger may all know of it. Messages and a person's
name and reasons are left out: pointer and code say what was wrong, coordinates say where to read more.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.outcomes import FailedOutcome, Outcome, RejectedOutcome, RepeatedOutcome, ResolvedOutcome
from worker.facts import Kind
from worker.inquiry.evidence import Evidence
from worker.inquiry.story import Moment
from worker.model import Coordinates, Partition
from worker.outcome_data import called_at

_SHOWN_ERRORS: Final = 10


def moments_of(evidence: Evidence) -> tuple[Moment, ...]:
    """Everything with a time, oldest first."""
    found = [*_inputs(evidence), *_outcomes(evidence), *_facts(evidence), *_calls(evidence), *_letters(evidence)]
    return tuple(sorted(found, key=lambda moment: moment.at))


def _inputs(evidence: Evidence) -> Iterator[Moment]:
    for one in evidence.unsettled:
        envelope = one.envelope
        details = {"event": envelope.event_id, "replay_of": envelope.replay_of}
        what = _arrival(command=one.command, replay=envelope.replay_of is not None)
        yield Moment(envelope.time, what, envelope.origin, envelope.origin, _known(details))


def _outcomes(evidence: Evidence) -> Iterator[Moment]:
    for record, outcome in evidence.outcomes:
        origin = Coordinates(outcome.origin.topic, outcome.origin.partition, outcome.origin.offset)
        arrived = {"event": outcome.eventId, "replay_of": outcome.replayOf}
        what = _arrival(command=isinstance(outcome, ResolvedOutcome), replay=outcome.replayOf is not None)
        yield Moment(outcome.receivedAt, what, origin, origin, _known(arrived))
        yield Moment(outcome.settledAt, outcome.outcome, record, origin, _known(_ending(outcome)))


def _arrival(*, command: bool, replay: bool) -> str:
    return "verdict" if command else "replayed" if replay else "received"


def _ending(outcome: Outcome) -> dict[str, str | int | None]:
    details: dict[str, str | int | None] = {"attempts": outcome.attempts or None}
    if outcome.observed:
        details["observed"] = "no call was made"
    match outcome:
        case RejectedOutcome():
            shown = [f"{error.pointer or 'the record'} {error.code}" for error in outcome.errors[:_SHOWN_ERRORS]]
            more = len(outcome.errors) - len(shown)
            details |= {
                "reason": outcome.reason,
                **_step(outcome),
                "status": outcome.httpStatus,
                "errors": ", ".join([*shown, f"and {more} more"] if more else shown) or None,
                "id": outcome.invoiceId,
            }
        case FailedOutcome():
            details |= {
                "reason": outcome.reason,
                **_step(outcome),
                "status": outcome.httpStatus,
                "last_answer": outcome.lastAnswer,
                "doubt": outcome.doubt,
                "id": outcome.invoiceId,
            }
        case RepeatedOutcome():
            details |= {"earlier_outcome": outcome.earlierOutcome, "id": outcome.invoiceId}
        case ResolvedOutcome():
            details |= {"verdict": outcome.verdict, "doubt": outcome.doubt, "id": outcome.invoiceId}
        case _:
            details["id"] = getattr(outcome, "invoiceId", None)
    return details


def _step(outcome: RejectedOutcome | FailedOutcome) -> dict[str, str | None]:
    step = called_at(outcome.reason, outcome.step, outcome.attempts, calls=bool(outcome.calls))
    return {"step": step} if step or outcome.attempts else {"call": "none"}


def _facts(evidence: Evidence) -> Iterator[Moment]:
    journal = Partition(evidence.topics.journal, evidence.target.partition)
    told = _told_by_outcomes(evidence)
    for offset, fact in evidence.facts:
        intent = offset if fact.kind is Kind.INTENT else fact.intent
        register = fact.kind in (Kind.INTENT, Kind.REGISTERED, Kind.NOT_CARRIED_OUT, Kind.UNCLEAR)
        if fact.kind is Kind.RENEW or (register and (fact.owner, intent) in told):
            continue
        details = {
            "intent": None if fact.kind is Kind.INTENT else fact.intent,
            "class": fact.answer_class,
            "id": fact.invoice_id,
            "document": fact.sha256[:12] if fact.sha256 else None,
        }
        record = Coordinates(journal.topic, journal.number, offset)
        yield Moment(fact.at, fact.kind.value, record, fact.input, _known(details))


def _calls(evidence: Evidence) -> Iterator[Moment]:
    """Register calls that outcomes or the ledger tell of."""
    seen = {(fact.owner, offset) for offset, fact in evidence.facts if fact.kind is Kind.INTENT}
    seen -= _told_by_outcomes(evidence)
    for _, outcome in evidence.outcomes:
        origin = Coordinates(outcome.origin.topic, outcome.origin.partition, outcome.origin.offset)
        for call in outcome.calls:
            if (call.owner, call.intent) not in seen:
                seen.add((call.owner, call.intent))
                yield Moment(call.at, "register", None, origin, {"intent": call.intent, "answer": call.answer})
    for known in evidence.entry.calls if evidence.entry else ():
        if (known.owner, known.intent) not in seen:
            seen.add((known.owner, known.intent))
            yield Moment(known.at, "register", None, None, {"intent": known.intent, "answer": known.answer})


def _told_by_outcomes(evidence: Evidence) -> set[tuple[str, int | None]]:
    return {(call.owner, call.intent) for _, outcome in evidence.outcomes for call in outcome.calls}


def _letters(evidence: Evidence) -> Iterator[Moment]:
    for record, headers in evidence.letters:
        about = Coordinates(headers.topic, headers.partition, headers.offset)
        details = {
            "reason": headers.reason,
            "fingerprint": headers.fingerprint,
            "replays": headers.replay_count or None,
        }
        yield Moment(headers.last_failure, "dead_letter", record, about, _known(details))


def _known(details: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in details.items() if value is not None}
