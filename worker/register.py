"""Register: an intent, a call, a fact; again only when it is certain that the call was not carried out."""

import asyncio
from dataclasses import replace
from typing import assert_never

from worker import saga
from worker.course import Course
from worker.facts import Kind
from worker.model import Ending, Reason, Step
from worker.ports import Answer, Forbidden, Lost, Registered
from worker.tools import Tools, back_off, creditors_turn


async def register(tools: Tools, course: Course) -> str | Ending | Lost:
    """The invoice's id, or how the event ended without one."""
    while True:
        if (paused := await creditors_turn(tools, course)) is not None:
            return paused
        course.waiting = "gate"
        try:
            async with tools.gate.passage(Step.REGISTER) as passage, course.drain.step():
                called = await _call(tools, course)
                if isinstance(called, Lost):
                    return called
                passage.answer, intent = called
        finally:
            tools.creditors.unanswered(course.event.creditor_id)
        verdict = saga.after_register(passage.answer)
        if not isinstance(verdict, saga.Proceed | saga.Again):
            course.failed(passage.answer, tools.clock.now(), tools.gate.open_time())
        match verdict:
            case saga.Proceed(invoice_id):
                return invoice_id
            case saga.End(ending):
                return ending
            case saga.Uncertain():
                return course.ends(Reason.IN_DOUBT, doubt=intent)
            case saga.Again():
                counts = verdict.counts and not passage.trial
                gave_up = await back_off(tools, course, passage.answer, verdict, counts=counts)
                if gave_up is not None:
                    return gave_up
            case _ as unreachable:
                assert_never(unreachable)


async def _call(tools: Tools, course: Course) -> tuple[Answer, int] | Lost:
    """One intent, one call, one fact that closes it: the answer, and the intent's journal offset."""
    event, own = course.event, course.own
    origin = event.envelope.origin
    course.begin(Step.REGISTER)
    asyncio.get_running_loop().call_soon(tools.faults.hit, "intent-sent")
    # The age begins before the intent is handed to the producer: its acknowledgement may come late.
    age = own.journal.age()
    intent = await own.write(origin, own.fact(Kind.INTENT, origin, event.identity), age)
    if isinstance(intent, Lost):
        return intent
    tools.faults.hit("intent-acked")
    answer = await tools.api.register(event.body, age)
    tools.creditors.answered(event.creditor_id, forbidden=isinstance(answer, Forbidden))
    kind, answer_class = saga.register_fact(answer)
    invoice_id = answer.invoice_id if isinstance(answer, Registered) else None
    fact = replace(
        own.fact(kind, origin, event.identity), intent=intent, invoice_id=invoice_id, answer_class=answer_class
    )
    written = await own.write(origin, fact)
    if isinstance(written, Lost):
        return written
    tools.faults.hit("fact-acked")
    return answer, intent
