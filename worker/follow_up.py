"""Attach and start: repeatable calls, so no intent; `/details` is asked wherever one may have been carried out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import assert_never

from worker import saga
from worker.answers import Answer, Forbidden, Refused, answer_class
from worker.course import Course
from worker.facts import Kind
from worker.fetch import Wanted, fetch, not_fetched
from worker.fetching import FetchAgain
from worker.gate import GateState
from worker.model import Attachment, Ending, Failed, Reason, Reference, Rejected, Step
from worker.ports import Details, Lost, Validity
from worker.tools import Tools, back_off, creditors_turn


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The call did not come through, or may have: once more."""


async def attach(tools: Tools, course: Course, invoice_id: str, index: int) -> Ending | Lost | None:
    """Attach the document at this index of the event's. None when it is there."""
    attachment = course.event.attachments[index]
    wanted = [(index, attachment)] if isinstance(attachment, Reference) else []

    def send(validity: Validity) -> Awaitable[Answer]:
        content = attachment.content if isinstance(attachment, Attachment) else course.documents[attachment.sha256]
        return tools.api.attach(invoice_id, attachment.file_name, attachment.media_type, content, validity)

    def done() -> Awaitable[Lost | None]:
        return _note(course, Kind.ATTACHED, attachment.sha256)

    while True:
        course.step = Step.ATTACH
        if course.unsure:
            details = await _ask(tools, course, invoice_id)
            if not isinstance(details, Details):
                return details
            what = saga.attach_after_details(
                details,
                attachment.file_name,
                names_tell=course.own_documents,
                unknown_to_person=tools.attach_unknown_to_person,
            )
            match what:
                case saga.Skip():
                    return await done()
                case saga.LeaveToPerson():
                    return course.ends(Reason.ATTACH_UNKNOWN)
                case saga.Resend():
                    pass
                case _ as unreachable:
                    assert_never(unreachable)
        over = await _call(tools, course, Step.ATTACH, invoice_id, send, done, wanted)
        if not isinstance(over, TryAgain):
            tools.faults.hit("attached")
            return over


async def start(tools: Tools, course: Course, invoice_id: str) -> Ending | Lost | None:
    """Start the distribution. None when it is started."""

    def send(validity: Validity) -> Awaitable[Answer]:
        return tools.api.start(invoice_id, course.event.start_message, validity)

    def done() -> Awaitable[Lost | None]:
        return _note(course, Kind.STARTED)

    while True:
        course.step = Step.START
        if course.unsure:
            details = await _ask(tools, course, invoice_id)
            if not isinstance(details, Details):
                return details
            if isinstance(saga.start_after_details(details), saga.Skip):
                return await done()
        over = await _call(tools, course, Step.START, invoice_id, send, done)
        if not isinstance(over, TryAgain):
            tools.faults.hit("started")
            return over


async def _call(
    tools: Tools,
    course: Course,
    step: Step,
    invoice_id: str,
    send: Callable[[Validity], Awaitable[Answer]],
    done: Callable[[], Awaitable[Lost | None]],
    wanted: Wanted = (),
) -> Ending | Lost | None | TryAgain:
    """One call of `step`; `done` journals that it came through. `wanted`: the document that it needs at hand."""
    if (paused := await creditors_turn(tools, course)) is not None:
        return paused
    try:
        missing = await fetch(tools, course, wanted)
        over = await _pass(tools, course, step, invoice_id, send, done) if missing is None else missing
    finally:
        tools.creditors.unanswered(course.event.creditor_id)
    match over:
        case None | Lost() | TryAgain():
            return over
        case Rejected() | FetchAgain():
            ending = await not_fetched(tools, course, over)
            return TryAgain() if ending is None else ending
        case _Called(answer, verdict, counts):
            if isinstance(verdict, saga.End):
                course.failed(answer, tools.clock.now(), tools.gate.open_time())
                return verdict.ending
            if isinstance(verdict, saga.Ask):
                course.unsure, course.details = True, None
            counts = counts and (isinstance(verdict, saga.Ask) or verdict.counts)
            gave_up = await back_off(tools, course, answer, verdict, counts=counts)
            return TryAgain() if gave_up is None else gave_up
        case _ as unreachable:
            assert_never(unreachable)


@dataclass(frozen=True, slots=True)
class _Called:
    """A call that did not come through, or may not have; whether the gate lets that count against the event."""

    answer: Answer
    verdict: saga.Again | saga.Ask | saga.End
    counts: bool


async def _pass(
    tools: Tools,
    course: Course,
    step: Step,
    invoice_id: str,
    send: Callable[[Validity], Awaitable[Answer]],
    done: Callable[[], Awaitable[Lost | None]],
) -> _Called | Lost | None | TryAgain:
    """One call through the gate."""
    course.step, course.waiting = step, "gate"
    async with tools.gate.passage(step) as passage, course.drain.step():
        if tools.gate.state is GateState.CLOSED:
            return TryAgain()  # it closed while this waited for a drain to end
        tools.faults.hit("before-attach" if step is Step.ATTACH else "before-start")
        lost = await _renew(course)
        if lost is not None:
            return lost
        if course.own.lost.done():
            return course.own.lost.result()
        course.begin(step)
        began = tools.clock.monotonic()
        with tools.tracer.step(step.value, course.tries) as span:
            passage.answer = await send(course.own.journal.latest)
            span.answered(passage.answer)
        course.took(step, tools.clock.monotonic() - began)
        tools.creditors.answered(course.event.creditor_id, forbidden=isinstance(passage.answer, Forbidden))
        verdict = saga.after_follow_up(step, passage.answer, invoice_id)
        if isinstance(verdict, saga.Through):
            return await done()
        return _Called(passage.answer, verdict, passage.counts)


async def _ask(tools: Tools, course: Course, invoice_id: str) -> Details | Failed | Lost:
    """What `/details` tells; asked once until something uncertain happens again."""
    while course.details is None:
        course.waiting = "gate"
        async with tools.gate.passage(course.step) as passage, course.drain.step():
            if course.own.lost.done():
                return course.own.lost.result()
            if tools.gate.state is GateState.CLOSED:
                continue
            course.waiting = course.step.value
            with tools.tracer.step("details", course.tries) as span:
                answer = await tools.api.details(invoice_id)
                span.answered(None if isinstance(answer, Details) else answer)
            if isinstance(answer, Details):
                course.details = answer
                continue
            passage.answer = answer
        if isinstance(answer, Refused):
            course.details = Details(None, None)  # it does not tell
            continue
        verdict = saga.after_follow_up(course.step, answer, invoice_id)
        again = verdict if isinstance(verdict, saga.Again) else saga.Again(answer_class(answer))
        gave_up = await back_off(
            tools, course, answer, replace(again, forbidden=False), counts=again.counts and passage.counts
        )
        if gave_up is not None:
            return gave_up
    return course.details


async def _renew(course: Course) -> Lost | None:
    """Make sure that this owner's last acknowledged journal write is young: the proof that it is not fenced."""
    own, origin = course.own, course.event.envelope.origin
    if own.journal.latest.holds():
        return None
    written = await own.write(origin, own.fact(Kind.RENEW, course.event))
    return written if isinstance(written, Lost) else None


async def _note(course: Course, kind: Kind, sha256: str | None = None) -> Lost | None:
    """Journal that a document is attached or that the invoice is started."""
    own, origin, attempts = course.own, course.event.envelope.origin, course.progress.attempts
    fact = own.fact(kind, course.event, intent=attempts[-1].intent if attempts else None, sha256=sha256)
    written = await own.write(origin, fact)
    return written if isinstance(written, Lost) else None
