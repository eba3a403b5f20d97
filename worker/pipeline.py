"""One event, from decoded to ended: the story of a bill. Read this first.

What the ledger and the journal say decides how it begins (`opening.open_event`). Documents that the event only names
are fetched before they are needed. Then register, attach, start, each until its answer says what follows. Nothing is
settled here: an ending is a value, and the lane settles it in one transaction. `Lost` means that this ownership is
over: no ending, a new owner takes the event up.
"""

from dataclasses import dataclass
from typing import assert_never

from worker.course import Course
from worker.drain import Drain
from worker.follow_up import attach, start
from worker.model import Ending, Event, Scheduled
from worker.opening import Beginning, Doubt, Fresh, Over, Resume, open_event
from worker.ownership import Ownership
from worker.ports import Lost
from worker.register import register, register_after_doubt
from worker.standing import Entry, digests
from worker.tools import Tools
from worker.verdict import before_replay


@dataclass(frozen=True, slots=True)
class Ended:
    """How an event ended, with all that its settlement needs."""

    ending: Ending
    course: Course
    before: Entry | None
    digests: dict[str, str]


class Pipeline:
    """Handles events; holds no state of its own between them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def course(self, event: Event, own: Ownership, drain: Drain) -> Course:
        """The state that `handle` works on, for the lane to watch."""
        return Course(event, own, drain, own.progress(event.envelope.origin), self._tools.budget.place())

    async def handle(self, course: Course) -> Ended | Lost:
        """Take one event to its end."""
        event, own = course.event, course.own
        before = await own.entry(event.identity)
        if isinstance(before, Lost):
            own.lose(before)
            return before
        content = digests(own.digest_key, event.fields)
        over = before_replay(before, event.envelope, self._tools.replay_limit) if course.untouched else None
        opening = Over(over) if over else open_event(before, content, course.progress)
        if isinstance(opening, Over):
            # No call to make, so no place among those that make some: a repeat must not wait behind a closed gate.
            return Ended(opening.ending, course, before, content)
        try:
            async with course.slot:
                ending = await self._run(course, opening)
        finally:
            course.let_go()
        return ending if isinstance(ending, Lost) else Ended(ending, course, before, content)

    async def _run(self, course: Course, opening: Beginning) -> Ending | Lost:
        registered = await self._registered(course, opening)
        if not isinstance(registered, Resume):
            return registered
        course.invoice_id = registered.invoice_id
        course.attached = registered.attached
        for index, attachment in enumerate(course.event.attachments):
            if course.is_attached(attachment.sha256):
                continue
            failed = await attach(self._tools, course, registered.invoice_id, index)
            if failed is not None:
                return failed
        course.let_go()
        if not registered.started:
            failed = await start(self._tools, course, registered.invoice_id)
            if failed is not None:
                return failed
        return Scheduled(registered.invoice_id)

    async def _registered(self, course: Course, opening: Beginning) -> Resume | Ending | Lost:
        match opening:
            case Resume():
                course.unsure = True
                course.own_documents = course.progress.invoice_id is not None
                return opening
            case Doubt(intent):
                return _resumed(await register_after_doubt(self._tools, course, intent))
            case Fresh():
                return _resumed(await register(self._tools, course))
            case _ as unreachable:
                assert_never(unreachable)


def _resumed(registered: str | Ending | Lost) -> Resume | Ending | Lost:
    return Resume(registered, frozenset(), False) if isinstance(registered, str) else registered
