"""A partition's records while one ownership lasts: in order for each identity, side by side across identities."""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.rules import DEFAULT_POLICY, RulePolicy
from worker.decode import DEFAULT_LIMITS, NO_LIMITS, Limits, decode
from worker.drain import Drain
from worker.event_log import About
from worker.exemplar import Exemplar, MeasuredFor
from worker.flow import Budget
from worker.model import Decoded, Invalid, Record, TopicNames
from worker.ownership import Ownership
from worker.pipeline import Pipeline
from worker.ports import Clock, Lost, LostWhy, Observer
from worker.receipts import Desk
from worker.settling import Settler
from worker.spans import NO_TRACES, Tracer
from worker.work import Work


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
        self._settler = Settler(config.topics, config.desk, own, pipeline, self.drain, clock, observer)
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
        settlement = await self._settler.end(work)
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
