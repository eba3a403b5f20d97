"""Makes a story of the evidence: where the invoice is, and what is next. Pure.

What is unsettled comes first, since the worker is at it; then what the ledger says; then the latest outcome.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.outcomes import FailedOutcome, Outcome, RejectedOutcome, ResolvedOutcome
from worker.doubt import DoubtPolicy
from worker.facts import Attempt, Kind
from worker.inquiry.advice import after_failed, after_rejected, decide, send_again
from worker.inquiry.evidence import Evidence, Unsettled
from worker.inquiry.story import Story, Turn, Where
from worker.inquiry.timeline import moments_of
from worker.model import Coordinates
from worker.outcome_data import called_at
from worker.standing import State


@dataclass(frozen=True, slots=True)
class _Told:
    where: Where
    sentence: str
    turn: Turn
    next: str
    doubt: int | None = None


def tell(evidence: Evidence, policy: DoubtPolicy, now: datetime) -> Story:
    """The story. `policy`: the waits of a doubt, as the worker's settings have them; `now`: aware."""
    unsettled, target = evidence.unsettled, evidence.target
    told = _under_way(evidence, unsettled[0], policy, now) if unsettled else _settled(evidence)
    notes = [f"{where} is in a form that this version can't read: ask with the newer one." for where in _odd(evidence)]
    if evidence.entry is not None and evidence.entry.possible_double:
        notes.append("More than one register call may have been carried out (docs/how-to/doubts.md).")
    return Story(
        identity=target.identity,
        record=target.record,
        partition=target.partition,
        where=told.where,
        sentence=told.sentence,
        turn=told.turn,
        next=told.next,
        moments=moments_of(evidence),
        invoice_id=_invoice_id(evidence, unsettled),
        doubt=told.doubt,
        unsettled=tuple(one.envelope.origin for one in unsettled),
        notes=tuple(notes),
    )


def _odd(evidence: Evidence) -> list[Coordinates]:
    return evidence.unreadable[:3]


def _invoice_id(evidence: Evidence, unsettled: list[Unsettled]) -> str | None:
    for one in unsettled:
        if found := evidence.progress(one.envelope.origin).invoice_id:
            return found
    if evidence.entry is not None and evidence.entry.invoice_id:
        return evidence.entry.invoice_id
    ids = [getattr(outcome, "invoiceId", None) for outcome in _by_time(evidence)]
    return next((found for found in reversed(ids) if found), None)


def _by_time(evidence: Evidence) -> list[Outcome]:
    return sorted((outcome for _, outcome in evidence.outcomes), key=lambda outcome: outcome.settledAt)


# What the worker is at.


def _under_way(evidence: Evidence, first: Unsettled, policy: DoubtPolicy, now: datetime) -> _Told:
    origin = first.envelope.origin
    progress = evidence.progress(origin)
    if progress.invoice_id is not None:
        rest = "started; its outcome is to come" if progress.started else "documents and start are under way"
        sentence = f"Registered as {progress.invoice_id}; {rest} ({origin})."
        return _Told(Where.REGISTERED, sentence, Turn.WORKER, _patience(progress.attempts))
    if progress.doubt is not None:
        attempt = next(one for one in progress.attempts if one.intent == progress.doubt)
        return _doubtful(evidence, origin, attempt, policy, now)
    if progress.attempts:
        last = progress.attempts[-1]
        sentence = f"Register was certainly not carried out ({last.answer_class or 'no class'}) and is tried again."
        return _Told(Where.RETRYING, f"{sentence[:-1]} ({origin}).", Turn.WORKER, _patience(progress.attempts))
    what = "A verdict" if first.command else "A replay" if first.envelope.replay_of else "Its event"
    sentence = f"{what} stands at {origin} and is not settled; no call was made for it yet."
    if evidence.entry is not None and evidence.entry.state is State.IN_DOUBT and not first.command:
        turn, text = decide(evidence.target.identity, evidence.entry.doubt)
        return _Told(Where.WAITING, f"{sentence} It will end blocked.", turn, text, evidence.entry.doubt)
    text = "The worker takes it in its turn. When it stays: is a worker running, and what do /readyz and its lag say?"
    return _Told(Where.WAITING, sentence, Turn.WORKER, text)


def _patience(attempts: list[Attempt]) -> str:
    made = f" Register calls made: {len(attempts)}." if attempts else ""
    return f"The worker goes on by itself. When it stays: what does /readyz say of the gate?{made}"


def _doubtful(evidence: Evidence, origin: Coordinates, attempt: Attempt, policy: DoubtPolicy, now: datetime) -> _Told:
    begun = attempt.at + timedelta(seconds=policy.intent_validity + policy.register_timeout)
    claim = evidence.claim
    inherited = claim is not None and claim.owner != attempt.owner
    if attempt.answer is None and not inherited and now < begun:
        sentence = f"A register call is under way, or its answer was just lost ({origin}, intent {attempt.intent})."
        return _Told(Where.REGISTERING, sentence, Turn.WORKER, "Wait half a minute and ask again.", attempt.intent)
    if claim is not None and inherited:
        frozen = policy.intent_validity + policy.register_timeout + policy.clock_error
        since = claim.at + timedelta(seconds=frozen)
    else:
        since = _answered(evidence, attempt) or begun
    ripe = since + timedelta(seconds=policy.late_processing + policy.search_delay)
    until = ripe + timedelta(seconds=policy.witness_timeout)
    sentence = (
        f"In doubt: whether Kravia carried out the register call of {_time(attempt.at)} is not known "
        f"({attempt.answer_class or 'no answer was journaled'}; {origin}, doubt {attempt.intent})."
    )
    text = (
        f"The worker looks for it in Kravia's search; nothing is believed before {_time(ripe)}, and it is left to a "
        f"person no sooner than {_time(until)} unless the search tells something else (by the settings of this "
        "command; time with a closed gate comes on top). Don't send the invoice again under another number."
    )
    return _Told(Where.RECONCILING, sentence, Turn.WORKER, text, attempt.intent)


def _answered(evidence: Evidence, attempt: Attempt) -> datetime | None:
    """When the unclear answer was journaled: the end of the call, or a little later."""
    times = [
        fact.at
        for _, fact in evidence.facts
        if fact.kind is Kind.UNCLEAR and fact.intent == attempt.intent and fact.owner == attempt.owner
    ]
    return times[-1] if times else None


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


# What is settled.


def _settled(evidence: Evidence) -> _Told:
    entry, identity = evidence.entry, evidence.target.identity
    outcomes = _by_time(evidence)
    last = outcomes[-1] if outcomes else None
    if last is not None and last.observed:
        sentence = f"Observed only: it would have ended {last.outcome}; no call was made."
        return _Told(Where.OBSERVED, sentence, Turn.NOBODY, "Nothing.")
    match entry.state if entry else None:
        case State.SCHEDULED:
            return _scheduled(evidence, last)
        case State.IN_DOUBT:
            assert entry is not None, "it has a state"
            sentence = f"In doubt, given up: whether Kravia registered it is not known (doubt {entry.doubt})."
            return _Told(Where.IN_DOUBT, sentence, *decide(identity, entry.doubt), entry.doubt)
        case State.DISCARDED:
            return _Told(Where.DISCARDED, "A person decided against it.", Turn.NOBODY, "Nothing.")
        case State.ABSENT | State.REGISTERED | None:
            return _latest(evidence, last)


def _latest(evidence: Evidence, last: Outcome | None) -> _Told:
    """Of an invoice that is not registered, or not all of the way."""
    entry = evidence.entry
    letter = evidence.letters[-1][0] if evidence.letters else None
    if isinstance(last, ResolvedOutcome):
        registered = last.verdict == "registered"
        word = f"registered as {last.invoiceId}" if registered else "certainly not registered"
        sentence = f"A person decided: {word}. Its event was not sent again since."
        return _Told(Where.DECIDED, sentence, *send_again(letter, registered=registered))
    if entry is not None and entry.state is State.REGISTERED:
        return _stuck(last, entry.invoice_id, letter)
    match last:
        case RejectedOutcome():
            sentence = f"Rejected ({last.reason}): {_not_registered(last)}."
            return _Told(Where.REJECTED, sentence, *after_rejected(last.reason, registered=False))
        case FailedOutcome():
            sentence = f"Failed {_at(last)} ({last.reason}): {_not_registered(last)}."
            return _Told(Where.FAILED, sentence, *after_failed(last.reason, letter))
        case None if entry is not None:
            sentence = "Settled; its outcomes are older than the topic's retention, and it is certainly not registered."
            return _Told(Where.FAILED, sentence, Turn.PRODUCER, "Send it again when it shall be billed.")
        case None:
            return _unseen(evidence)
        case _:
            return _Told(Where.SCHEDULED, f"Settled: {last.outcome}.", Turn.NOBODY, "Nothing.")


def _not_registered(outcome: RejectedOutcome | FailedOutcome) -> str:
    return f"settled {_time(outcome.settledAt)}, not registered"


def _at(outcome: RejectedOutcome | FailedOutcome) -> str:
    step = called_at(outcome.reason, outcome.step, outcome.attempts, calls=bool(outcome.calls))
    return f"at {step}" if step else "before any call"


def _scheduled(evidence: Evidence, last: Outcome | None) -> _Told:
    assert evidence.entry is not None, "it is scheduled"
    sentence = f"Scheduled at Kravia as {evidence.entry.invoice_id}."
    if isinstance(last, RejectedOutcome):
        turn, text = after_rejected(last.reason, registered=True)
        return _Told(Where.SCHEDULED, f"{sentence} A later event of it was rejected ({last.reason}).", turn, text)
    return _Told(Where.SCHEDULED, sentence, Turn.NOBODY, "Nothing: it is done.")


def _stuck(last: Outcome | None, invoice_id: str | None, letter: Coordinates | None) -> _Told:
    sentence = f"Registered at Kravia as {invoice_id}, not started"
    match last:
        case RejectedOutcome():
            turn, text = after_rejected(last.reason, registered=True)
            return _Told(Where.STUCK, f"{sentence}: rejected ({last.reason}) {_at(last)}.", turn, text)
        case FailedOutcome():
            turn, text = after_failed(last.reason, letter)
            return _Told(Where.STUCK, f"{sentence}: failed ({last.reason}) {_at(last)}.", turn, text)
        case _:
            return _Told(Where.STUCK, f"{sentence}.", *send_again(letter, registered=True))


def _unseen(evidence: Evidence) -> _Told:
    record = evidence.target.record
    if record is not None:
        sentence = f"No record stands at {record}, or it was settled and its outcome deleted since."
        return _Told(Where.UNSEEN, sentence, Turn.NOBODY, "Check topic, partition and offset.")
    sentence = "Never seen: no record of this invoice in its partition, none settled, none waiting."
    text = (
        "Check the identity, letter by letter. An event that was written to a wrong partition, or can't be decoded, is "
        "found by its event id or its topic/partition/offset."
    )
    return _Told(Where.UNSEEN, sentence, Turn.PRODUCER, text)


def unseen_event(event_id: str, topic: str) -> str:
    """The answer for an event id that nothing names."""
    return (
        f"Never seen: no outcome and no waiting record names the event {event_id}. Did Kafka acknowledge it, on "
        f"{topic} of this cluster? A bare JSON event has no id: ask by its identity, or by topic/partition/offset."
    )
