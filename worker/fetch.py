"""Fetch: the documents that an event names by reference, verified and on disk before they are needed.

A new event's are fetched, all of them, before its intent to register: a document that is missing leaves no registered
invoice behind. Of an event that is resumed each is fetched before it is attached, those that are attached never.

A fetch changes nothing in the world, so it is no step of the drain: a rebalance does not wait for it, and a lane that
closes cuts it. Space is taken for all that is fetched together, and given back wherever the event waits for something
other than Kravia: nobody holds space while he waits for more, or for minutes.
"""

from collections.abc import Sequence

from worker.course import Course
from worker.fetching import FetchAgain, Fetched, after_fetch
from worker.model import Failed, Reason, Reference, Rejected, Step
from worker.ports import Altered, Missing, NotAllowed, Unreachable
from worker.tools import Tools, wait_or_give_up

Wanted = Sequence[tuple[int, Reference]]
"""References with their index among the event's attachments."""


def unattached(course: Course) -> Wanted:
    """The references whose documents are not known to be attached, each digest once."""
    by_digest: dict[str, tuple[int, Reference]] = {}
    for index, attachment in enumerate(course.event.attachments):
        if isinstance(attachment, Reference) and not course.is_attached(attachment.sha256):
            by_digest.setdefault(attachment.sha256, (index, attachment))
    return list(by_digest.values())


async def fetch(tools: Tools, course: Course, wanted: Wanted) -> Rejected | FetchAgain | None:
    """One try to have all of `wanted` at hand; None: they are."""
    if all(reference.sha256 in course.documents for _, reference in wanted):
        return None
    course.let_go()
    course.begin(Step.FETCH)
    began = tools.clock.monotonic()
    results: list[tuple[int, Fetched]] = []
    # Without its place among the events in flight: a store that is slow must not hold up those that need none of it.
    async with course.slot.aside():
        room = await tools.documents.room(sum(reference.size for _, reference in wanted))
        course.held.callback(room.close)
        for index, reference in wanted:
            with tools.tracer.step("fetch", course.tries) as span:
                fetched = await tools.documents.fetch(reference)
                if isinstance(fetched, Unreachable):
                    span.failed(f"unreachable_{fetched.why}")
                elif isinstance(fetched, Missing | Altered | NotAllowed):
                    span.failed(fetched.code)
            results.append((index, fetched))
            if isinstance(fetched, Unreachable):
                break
            if not isinstance(fetched, Missing | Altered | NotAllowed):
                course.keep(fetched)
        course.took(Step.FETCH, tools.clock.monotonic() - began)
        verdict = after_fetch(results, course.invoice_id)
        if verdict is not None:
            course.let_go()
    return verdict


async def not_fetched(tools: Tools, course: Course, verdict: Rejected | FetchAgain) -> Rejected | Failed | None:
    """Wait before the next try; an ending when there is none."""
    open_time = tools.gate.open_time()
    if isinstance(verdict, Rejected):
        course.failed_with(verdict.problems[0].code, verdict.http_status, tools.clock.now(), open_time)
        return verdict
    course.failed_with(verdict.why, verdict.status, tools.clock.now(), open_time)
    tools.observer.retried(Step.FETCH, verdict.why)
    async with course.slot.aside():
        gave_up = await wait_or_give_up(tools, course, at_least=verdict.at_least)
    return course.ends(Reason.DOCUMENT_UNREACHABLE) if gave_up else None
