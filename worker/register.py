"""Register: an intent, a call, a fact; again only when it is certain that the call was not carried out.

A call that may have been carried out is in doubt: the reconciler finds out, or a person must.
"""

import asyncio
from dataclasses import dataclass
from typing import assert_never

from worker import saga
from worker.answers import Answer, Forbidden, Registered
from worker.course import Course
from worker.doubt import Adopted, CertainlyNot, Doubt, GivenUp, identity_of, inherited_doubt, own_doubt
from worker.event_log import log
from worker.facts import Kind
from worker.fetch import fetch, not_fetched, unattached
from worker.fetching import FetchAgain
from worker.gate import GateState
from worker.model import Ending, Reason, Rejected, Step
from worker.ports import Lost
from worker.tools import Tools, back_off, creditors_turn


async def register(tools: Tools, course: Course) -> str | Ending | Lost:
    """The invoice's id, or how the event ended without one."""
    while True:
        course.step = Step.REGISTER
        if (over := _too_many(tools, course)) is not None:
            return over
        if (paused := await creditors_turn(tools, course)) is not None:
            return paused
        try:
            missing = await fetch(tools, course, unattached(course))
            called = await _pass(tools, course) if missing is None else missing
        finally:
            tools.creditors.unanswered(course.event.creditor_id)
        if isinstance(called, Lost):
            return called
        if isinstance(called, Rejected | FetchAgain):
            if (ended := await not_fetched(tools, course, called)) is not None:
                return ended
            continue
        if called is None:
            continue
        verdict = saga.after_register(called.answer)
        if not isinstance(verdict, saga.Proceed | saga.Again):
            course.failed(called.answer, tools.clock.now(), tools.gate.open_time())
        match verdict:
            case saga.Proceed(invoice_id):
                return invoice_id
            case saga.End(ending):
                return ending
            case saga.Uncertain():
                since = course.progress.attempts[-1].at
                # The wait begins at the call's end, never at its beginning.
                policy = tools.reconciler.policy
                doubt = own_doubt(policy, course.event, called.intent, since, tools.clock.boottime())
                resolved = await _resolve(tools, course, doubt)
                if not isinstance(resolved, CertainlyNot):
                    return resolved
            case saga.Again():
                counts = verdict.counts and called.counts
                gave_up = await back_off(tools, course, called.answer, verdict, counts=counts)
                if gave_up is not None:
                    return gave_up
            case _ as unreachable:
                assert_never(unreachable)


async def register_after_doubt(tools: Tools, course: Course, intent: int) -> str | Ending | Lost:
    """Like `register`, for an event that a former owner left with an intent whose answer nobody knows."""
    course.step = Step.REGISTER
    attempt = next(attempt for attempt in course.progress.attempts if attempt.intent == intent)
    policy, claimed = tools.reconciler.policy, course.own.claimed
    resolved = await _resolve(tools, course, inherited_doubt(policy, course.event, intent, attempt.at, claimed))
    return await register(tools, course) if isinstance(resolved, CertainlyNot) else resolved


async def _resolve(tools: Tools, course: Course, doubt: Doubt) -> str | CertainlyNot | Ending | Lost:
    """Wait for the reconciler; journal what it found, so that it is found once. The id when the invoice is there."""
    course.let_go()
    course.waiting, course.doubt = "doubt", doubt
    log.warning("in_doubt", intent=doubt.intent, since=doubt.since, last_answer=course.last_class)
    with tools.tracer.step("reconcile", course.tries) as span:
        async with course.slot.aside():
            resolution = await tools.reconciler.resolve(doubt)
        if isinstance(resolution, GivenUp):
            span.failed(resolution.why)
    course.doubt = None
    match resolution:
        case GivenUp(why):
            course.last_class = why
            return course.ends(Reason.IN_DOUBT, doubt=doubt.intent)
        case Adopted(invoice_id):
            lost = await _close(course, doubt, Kind.REGISTERED, "adopted", invoice_id)
            course.unsure = True
            return invoice_id if lost is None else lost
        case CertainlyNot():
            lost = await _close(course, doubt, Kind.NOT_CARRIED_OUT, "witnessed")
            return resolution if lost is None else lost
        case _ as unreachable:
            assert_never(unreachable)


async def _close(
    course: Course, doubt: Doubt, kind: Kind, answer_class: str, invoice_id: str | None = None
) -> Lost | None:
    """The fact that closes a doubtful intent for good."""
    own = course.own
    async with course.drain.step():
        fact = own.fact(kind, course.event, intent=doubt.intent, invoice_id=invoice_id, answer_class=answer_class)
        written = await own.write(course.event.envelope.origin, fact)
    return written if isinstance(written, Lost) else None


def _too_many(tools: Tools, course: Course) -> Ending | None:
    """Registered again after doubts: a bounded number of times."""
    again = sum(attempt.answer_class == "witnessed" for attempt in course.progress.attempts)
    return course.ends(Reason.EXPIRED) if again >= tools.reconciler.policy.registers else None


@dataclass(frozen=True, slots=True)
class _Called:
    """A register call, its intent's journal offset, and whether a failure counts against the event."""

    answer: Answer
    intent: int
    counts: bool


async def _pass(tools: Tools, course: Course) -> _Called | Lost | None:
    """One call through the gate; None: it closed while this waited for a drain to end."""
    course.step, course.waiting = Step.REGISTER, "gate"
    async with tools.gate.passage(Step.REGISTER) as passage, course.drain.step():
        if tools.gate.state is GateState.CLOSED:
            return None
        called = await _call(tools, course)
        if isinstance(called, Lost):
            return called
        passage.answer, intent = called
        return _Called(passage.answer, intent, passage.counts)


async def _call(tools: Tools, course: Course) -> tuple[Answer, int] | Lost:
    """One intent, one call, one fact that closes it: the answer, and the intent's journal offset."""
    event, own = course.event, course.own
    origin = event.envelope.origin
    course.begin(Step.REGISTER)
    asyncio.get_running_loop().call_soon(tools.faults.hit, "intent-sent")
    # The age begins before the intent is handed to the producer: its acknowledgement may come late.
    age = own.journal.age()
    intent = await own.write(origin, own.fact(Kind.INTENT, event), age)
    if isinstance(intent, Lost):
        return intent
    tools.faults.hit("intent-acked")
    began = tools.clock.monotonic()
    with tools.tracer.step("register", course.tries) as span:
        answer = await tools.api.register(event.body, age)
        span.answered(answer)
    course.took(Step.REGISTER, tools.clock.monotonic() - began)
    tools.creditors.answered(event.creditor_id, forbidden=isinstance(answer, Forbidden))
    kind, answer_class = saga.register_fact(answer)
    invoice_id = None
    if isinstance(answer, Registered):
        invoice_id = answer.invoice_id
        # Dated by the intent, which is before the sending: a witness must be sent after a doubt's deadline.
        tools.reconciler.registered(invoice_id, identity_of(event), age.boottime)
    fact = own.fact(kind, event, intent=intent, invoice_id=invoice_id, answer_class=answer_class)
    written = await own.write(origin, fact)
    if isinstance(written, Lost):
        return written
    tools.faults.hit("fact-acked")
    return answer, intent
