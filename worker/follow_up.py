"""Attach and start: repeatable calls, so no intent; `/details` is asked wherever one may have been carried out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import assert_never

from worker import saga
from worker.answers import Answer, Forbidden, Refused, answer_class
from worker.course import Course
from worker.facts import Kind
from worker.gate import GateState
from worker.model import Attachment, Ending, Failed, Reason, Step
from worker.ports import Details, Lost, Validity
from worker.tools import Tools, back_off, creditors_turn


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The call did not come through, or may have: once more."""


async def attach(tools: Tools, course: Course, invoice_id: str, attachment: Attachment) -> Ending | Lost | None:
    """Attach one document. None when it is there."""
    course.step = Step.ATTACH

    def send(validity: Validity) -> Awaitable[Answer]:
        return tools.api.attach(invoice_id, attachment.file_name, attachment.media_type, attachment.content, validity)

    def done() -> Awaitable[Lost | None]:
        return _note(course, Kind.ATTACHED, attachment.sha256)

    while True:
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
        over = await _call(tools, course, invoice_id, send, done)
        if not isinstance(over, TryAgain):
            tools.faults.hit("attached")
            return over


async def start(tools: Tools, course: Course, invoice_id: str) -> Ending | Lost | None:
    """Start the distribution. None when it is started."""
    course.step = Step.START

    def send(validity: Validity) -> Awaitable[Answer]:
        return tools.api.start(invoice_id, course.event.start_message, validity)

    def done() -> Awaitable[Lost | None]:
        return _note(course, Kind.STARTED)

    while True:
        if course.unsure:
            details = await _ask(tools, course, invoice_id)
            if not isinstance(details, Details):
                return details
            if isinstance(saga.start_after_details(details), saga.Skip):
                return await done()
        over = await _call(tools, course, invoice_id, send, done)
        if not isinstance(over, TryAgain):
            tools.faults.hit("started")
            return over


async def _call(
    tools: Tools,
    course: Course,
    invoice_id: str,
    send: Callable[[Validity], Awaitable[Answer]],
    done: Callable[[], Awaitable[Lost | None]],
) -> Ending | Lost | None | TryAgain:
    """One call of `course.step`; `done` journals that it came through."""
    if (paused := await creditors_turn(tools, course)) is not None:
        return paused
    course.waiting = "gate"
    step = course.step
    try:
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
    finally:
        tools.creditors.unanswered(course.event.creditor_id)
    match verdict:
        case saga.End(ending):
            course.failed(passage.answer, tools.clock.now(), tools.gate.open_time())
            return ending
        case saga.Ask() | saga.Again():
            if isinstance(verdict, saga.Ask):
                course.unsure, course.details = True, None
            counts = passage.counts and (isinstance(verdict, saga.Ask) or verdict.counts)
            gave_up = await back_off(tools, course, passage.answer, verdict, counts=counts)
            return TryAgain() if gave_up is None else gave_up
        case _ as unreachable:
            assert_never(unreachable)


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
