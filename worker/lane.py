"""A partition's records while one ownership lasts: in order for each identity, side by side across identities."""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never

from schemas.rules import DEFAULT_POLICY, RulePolicy
from schemas.violations import MORE
from worker.course import Course
from worker.decode import DEFAULT_LIMITS, NO_LIMITS, Limits, decode
from worker.drain import Drain
from worker.event_log import About
from worker.event_log import settled as log_settled
from worker.exemplar import Exemplar, MeasuredFor
from worker.flow import Budget
from worker.model import Command, Decoded, Ending, Envelope, Event, History, Invalid, Record, Rejected, TopicNames
from worker.ownership import Ownership
from worker.ownership.group_commit import Settlement
from worker.pipeline import Pipeline
from worker.ports import Clock, Lost, LostWhy, Observer
from worker.receipts import Desk, Receipt, dead_letter_record, outcome_record, receipt_id
from worker.spans import NO_SPAN, NO_TRACES, Span, Tracer
from worker.standing import Entry, standing_after
from worker.verdict import after_replay, before_replay, obey

_SHOWN = 5
"""Codes that are named where a record is refused."""


@dataclass(frozen=True, slots=True)
class LaneConfig:
    """`partitions`: of the inputs; `window`: unsettled records of this partition at the most; `drain_timeout` in s."""

    topics: TopicNames
    desk: Desk
    partitions: int
    window: int
    drain_timeout: float = 45.0
    rules: RulePolicy = DEFAULT_POLICY
    limits: Limits = DEFAULT_LIMITS


@dataclass(slots=True)
class Work:
    """A record on its way through the lane."""

    record: Record
    decoded: Decoded
    taken: datetime
    course: Course | None = None
    ended: bool = False
    span: Span = NO_SPAN

    @property
    def key(self) -> str:
        return self.decoded.identity or str(self.record.coordinates)

    @property
    def envelope(self) -> Envelope:
        return self.decoded.envelope

    @property
    def state(self) -> str:
        """Where it stands, in the words of the metrics."""
        if self.ended:
            return "settling"
        return "queued" if self.course is None else self.course.waiting


class Lane:
    """Takes records, runs events, settles endings. Ends with its ownership."""

    def __init__(
        self,
        config: LaneConfig,
        own: Ownership,
        pipeline: Pipeline,
        budget: Budget,
        clock: Clock,
        observer: Observer,
        tracer: Tracer = NO_TRACES,
    ) -> None:
        self.own = own
        self.drain = Drain()
        self._config = config
        self._pipeline = pipeline
        self._budget = budget
        self._clock = clock
        self._observer = observer
        self._tracer = tracer
        self._queues: dict[str, deque[Work]] = {}
        self._parked: dict[str, list[Work]] = {}
        """Events that wait for the record of another, by identity; see `Ownership.must_wait`."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0

    # Taking records

    @property
    def has_room(self) -> bool:
        """Whether more records may be taken."""
        # What is parked takes no place: the record that it waits for may be behind it.
        parked = sum(len(works) for works in self._parked.values())
        unsettled = sum(prefix.pending for prefix in self.own.prefixes.values()) - parked
        return unsettled < self._config.window and self._budget.has_room

    def position(self, topic: str) -> int:
        """Where the consumer goes on in this input."""
        return self.own.prefixes[topic].position

    def offer(self, records: Iterable[Record]) -> None:
        """Take records of this partition, in the order of their offsets."""
        taken = self._clock.now()
        for record in records:
            prefix = self.own.prefixes[record.topic]
            if not prefix.take(record.offset):
                continue
            self._observer.consumed(record.topic, record.partition)
            work = Work(record, self._decoded(record), taken)
            must_wait = self.own.must_wait(work.key, record.coordinates)
            if self._is_settled(work):
                prefix.settle(record.offset)
                self.own.forget(record.coordinates)
            elif must_wait:
                self._parked.setdefault(work.key, []).append(work)
            else:
                self._begin(work)
            if not must_wait:
                for parked in self._parked.pop(work.key, ()):
                    self._begin(parked)

    def _decoded(self, record: Record) -> Decoded:
        config = self._config
        commands, count = record.topic == config.topics.replays, config.partitions
        decoded = decode(record, partition_count=count, commands=commands, limits=config.limits, rules=config.rules)
        if isinstance(decoded, Invalid) and self.own.has_begun(record.coordinates):
            # A former owner may have registered it, by rules that were set otherwise: refused now, its call would be
            # forgotten, and a corrected event would be registered once more. What has begun ends by what lets it.
            decoded = decode(
                record, partition_count=count, commands=commands, limits=NO_LIMITS, rules=config.rules.lenient
            )
        return decoded

    def _begin(self, work: Work) -> None:
        """Let it have its turn, behind earlier events of its identity."""
        self._hold(work.record.size)
        queue = self._queues.get(work.key)
        if queue is not None:
            queue.append(work)
            return
        self._queues[work.key] = deque([work])
        task = asyncio.create_task(self._run(work.key), name=f"event-{work.record.coordinates}")
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _is_settled(self, work: Work) -> bool:
        record, table = work.record, self.own.table
        coordinates = str(record.coordinates).encode()
        return table.is_settled(record, work.key.encode()) or table.is_settled(record, coordinates)

    def _hold(self, size: int) -> None:
        self._held += size
        self._budget.held += size

    # Running events

    async def _run(self, key: str) -> None:
        """The events of one identity, one after another: the next begins when the former is committed."""
        queue = self._queues[key]
        while queue:
            if not await self._one(queue[0]):
                return
            self._hold(-queue.popleft().record.size)
        del self._queues[key]

    async def _one(self, work: Work) -> bool:
        """Whether it was settled; if not, this ownership is lost."""
        envelope, identity = work.envelope, work.decoded.identity
        with (
            About(envelope, identity),
            self._tracer.process(envelope, identity, work.record.size) as work.span,
            MeasuredFor(Exemplar(envelope.origin, work.span.traceparent or envelope.traceparent)),
        ):
            settled = await self._settled(work)
            if not settled:
                work.span.failed("lost")
            return settled

    async def _settled(self, work: Work) -> bool:
        settlement = await self._end(work)
        if isinstance(settlement, Lost):
            self.own.lose(settlement)
            return False
        work.ended = True
        self.own.settle(settlement)
        # Never both undone: a committed settlement completes the one, a lost ownership the other.
        either: set[asyncio.Future[Any]] = {settlement.committed, self.own.lost}
        with self._tracer.settle(work.envelope) as span:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not settlement.committed.done():
                span.failed("lost")
        return settlement.committed.done()

    async def _end(self, work: Work) -> Settlement | Lost:
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
        work.course = course = self._pipeline.course(event, self.own, self.drain)
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
        if self.own.has_begun(work.record.coordinates):
            # By an earlier version, whose contract took it. Refused, its calls would be forgotten.
            codes = ", ".join(problem.code for problem in invalid.problems[:_SHOWN])
            detail = (
                f"{work.record.coordinates} was begun by an earlier version of the worker and this one can't read it "
                f"({codes}): run the earlier version until it is settled"
            )
            return Lost(LostWhy.REFUSED, detail)
        before: Entry | None | Lost = None
        if invalid.identity is not None:
            before = await self.own.entry(invalid.identity)
        if isinstance(before, Lost):
            return before
        ending = before_replay(before, invalid.envelope) or Rejected(invalid.reason, invalid.problems)
        return self._settlement(work, ending, before or Entry(), History())

    async def _settle_command(self, work: Work, command: Command) -> Settlement | Lost:
        before: Entry | None | Lost = None
        if command.identity is not None:
            before = await self.own.entry(command.identity)
        if isinstance(before, Lost):
            return before
        ending, entry = obey(before, command)
        return self._settlement(work, ending, entry, History())

    def _settlement(self, work: Work, ending: Ending, entry: Entry, history: History) -> Settlement:
        record, envelope = work.record, work.envelope
        entry = entry.with_settled(self._config.topics.inputs, record.topic, record.offset)
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
            outcome_record(receipt, self._config.desk),
            dead_letter_record(receipt, record, self._config.desk),
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
            self.own.partition, type(ending).__name__.lower(), "" if reason is None else reason.value, age
        )

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # A bug of ours: the event is not settled and nothing may hang, so the ownership ends, loudly.
            self.own.lose(Lost(LostWhy.BROKEN, f"{task.get_name()}: {type(error).__name__}"))
            task.get_loop().call_exception_handler(
                {"message": "an event's task failed", "exception": error, "task": task}
            )

    # Stopping

    async def stop(self) -> Lost | None:
        """Let no step begin, wait for those under way, commit what is ready. The caller bounds the time."""
        self.drain.stop()
        await self.drain.idle()
        return await self.own.flush()

    def go(self) -> None:
        """Go on after `stop`: the partition stays."""
        self.drain.go()

    async def close(self) -> None:
        """Give up what waits between steps. A step under way is never cut.

        Its answer is waited for and journaled, unless this owner was fenced: then nothing of it would be acknowledged.
        """
        self.drain.close()
        for task in self._tasks - self.drain.busy:
            task.cancel()
        if not (self.own.lost.done() and self.own.lost.result().why is LostWhy.FENCED):
            with suppress(TimeoutError):
                async with asyncio.timeout(self._config.drain_timeout):
                    await self.drain.idle()
        await self.own.close()
        self._hold(-self._held)

    # What is unfinished

    def unfinished(self) -> Iterable[Work]:
        """Every record that is taken and not settled, oldest first within each identity."""
        for queue in (*self._queues.values(), *self._parked.values()):
            yield from queue

    def oldest(self) -> datetime | None:
        """The time of the oldest unfinished event."""
        return min((work.envelope.time for work in self.unfinished()), default=None)
