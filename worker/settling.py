"""What each record ends as, and what its settlement writes: ledger entry, outcome and, where it is due, dead letter."""

from typing import assert_never

from schemas.violations import MORE
from worker.drain import Drain
from worker.event_log import settled as log_settled
from worker.model import Command, Ending, Envelope, Event, History, Invalid, Rejected, TopicNames
from worker.ownership import Ownership
from worker.ownership.group_commit import Settlement
from worker.pipeline import Pipeline
from worker.ports import Clock, Lost, LostWhy, Observer
from worker.receipts import Desk, Receipt, dead_letter_record, outcome_record, receipt_id
from worker.standing import Entry, standing_after
from worker.verdict import after_replay, before_replay, obey
from worker.work import Work

_SHOWN = 5
"""Codes that are named where a record is refused."""


class Settler:
    """Takes each record of a lane to its end, by what it was decoded to."""

    def __init__(
        self,
        topics: TopicNames,
        desk: Desk,
        own: Ownership,
        pipeline: Pipeline,
        drain: Drain,
        clock: Clock,
        observer: Observer,
    ) -> None:
        self._topics = topics
        self._desk = desk
        self._own = own
        self._pipeline = pipeline
        self._drain = drain
        self._clock = clock
        self._observer = observer

    async def end(self, work: Work) -> Settlement | Lost:
        """Take it to its end; `Lost`: this ownership is over, and a new owner takes it up."""
        match work.decoded:
            case Event() as event:
                return await self._settle_event(work, event)
            case Invalid() as invalid:
                return await self._settle_invalid(work, invalid)
            case Command() as command:
                return await self._settle_command(work, command)
            case _ as unreachable:
                assert_never(unreachable)

    async def _settle_event(self, work: Work, event: Event) -> Settlement | Lost:
        for code in {warning.code for warning in event.warnings} - {MORE}:
            self._observer.warned(code)
        work.course = course = self._pipeline.course(event, self._own, self._drain)
        ended = await self._pipeline.handle(course)
        if isinstance(ended, Lost):
            return ended
        entry = standing_after(
            ended.before,
            event,
            ended.ending,
            digests=ended.digests,
            progress=course.progress,
            outcome=receipt_id(work.record.coordinates),
        )
        return self._settlement(work, ended.ending, entry, course.history())

    async def _settle_invalid(self, work: Work, invalid: Invalid) -> Settlement | Lost:
        if self._own.has_begun(work.record.coordinates):
            # By an earlier version, whose contract took it. Refused, its calls would be forgotten.
            codes = ", ".join(problem.code for problem in invalid.problems[:_SHOWN])
            detail = (
                f"{work.record.coordinates} was begun by an earlier version of the worker and this one can't read it "
                f"({codes}): run the earlier version until it is settled"
            )
            return Lost(LostWhy.REFUSED, detail)
        before: Entry | None | Lost = None
        if invalid.identity is not None:
            before = await self._own.entry(invalid.identity)
        if isinstance(before, Lost):
            return before
        ending = before_replay(before, invalid.envelope) or Rejected(invalid.reason, invalid.problems)
        return self._settlement(work, ending, before or Entry(), History())

    async def _settle_command(self, work: Work, command: Command) -> Settlement | Lost:
        before: Entry | None | Lost = None
        if command.identity is not None:
            before = await self._own.entry(command.identity)
        if isinstance(before, Lost):
            return before
        ending, entry = obey(before, command)
        return self._settlement(work, ending, entry, History())

    def _settlement(self, work: Work, ending: Ending, entry: Entry, history: History) -> Settlement:
        record, envelope = work.record, work.envelope
        entry = entry.with_settled(self._topics.inputs, record.topic, record.offset)
        if not isinstance(work.decoded, Command):
            entry = after_replay(entry, envelope)
        now = self._clock.now()
        event = work.decoded if isinstance(work.decoded, Event) else None
        spent = work.course.spent if work.course else {}
        receipt = Receipt(
            envelope,
            work.decoded.identity,
            ending,
            history,
            now,
            work.taken,
            spent,
            event,
            traceparent=work.span.traceparent,
        )
        work.span.ended(ending)
        settlement = Settlement(
            record.coordinates,
            work.key.encode(),
            entry,
            outcome_record(receipt, self._desk),
            dead_letter_record(receipt, record, self._desk),
        )
        settlement.committed.add_done_callback(
            lambda done: None if done.cancelled() else self._report(ending, envelope, history.attempts)
        )
        return settlement

    def _report(self, ending: Ending, envelope: Envelope, attempts: int) -> None:
        log_settled(ending, attempts)
        reason = getattr(ending, "reason", None)
        age = max(0.0, (self._clock.now() - envelope.time).total_seconds())
        self._observer.settled(
            self._own.partition, type(ending).__name__.lower(), "" if reason is None else reason.value, age
        )
