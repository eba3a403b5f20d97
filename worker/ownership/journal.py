"""Writing the journal: facts inside an open transaction that nobody waits for, committed rarely."""

import asyncio
from contextvars import copy_context
from dataclasses import dataclass

from worker.facts import Fact, encode
from worker.model import OutRecord, Partition
from worker.ownership.validity import Age
from worker.ports import Acked, Clock, LogProducer, Lost, LostWhy


@dataclass(slots=True)
class _Write:
    """A fact on its way; `offset` is what `write` returns."""

    record: OutRecord
    age: Age
    offset: asyncio.Future[int | Lost]


class Journal:
    """The journal of one ownership. Every failure is final: `Lost`, and the owner starts over."""

    def __init__(
        self,
        producer: LogProducer,
        partition: Partition,
        clock: Clock,
        *,
        intent_validity: float,
        commit_interval: float,
        commit_timeout: float,
    ) -> None:
        """Times in seconds. `commit_interval`: how long a transaction may stay open."""
        self._producer = producer
        self._partition = partition
        self._clock = clock
        self._intent_validity = intent_validity
        self._commit_interval = commit_interval
        self._commit_timeout = commit_timeout
        self._end = 0
        self._open_since: float | None = None
        # The owner's: the writer writes for many events, and its log lines name none, whoever's turn begins it.
        self._context = copy_context()
        self._queue: list[_Write] = []
        self._turn = asyncio.Lock()
        self._sending: list[_Write] = []
        self._writer: asyncio.Task[None] | None = None
        self._latest = Age(clock, float("-inf"), clock.now(), 0.0)
        self._lost: Lost | None = None

    @property
    def end(self) -> int:
        """One past the last record that was read or acknowledged: in memory, never the broker's end."""
        return self._end

    def read_up_to(self, position: int) -> None:
        """The restore has read everything before `position`."""
        self._end = max(self._end, position)

    def age(self) -> Age:
        """The validity of an intent that is handed to the producer now."""
        return Age.begin(self._clock, self._intent_validity)

    @property
    def latest(self) -> Age:
        """The validity that the last acknowledged write gives to attach and start."""
        return self._latest

    async def write(self, fact: Fact, age: Age | None = None) -> int | Lost:
        """Append a fact and wait for its acknowledgement: its offset.

        `age` began before this call. No acknowledgement within the intent's validity is `Lost`: the write may still
        arrive, so this ownership can't go on.
        """
        if self._lost is not None:
            return self._lost
        key = (fact.identity or "").encode() or None
        record = OutRecord(self._partition.topic, self._partition.number, key, encode(fact))
        write = _Write(record, age or self.age(), asyncio.get_running_loop().create_future())
        self._queue.append(write)
        if self._writer is None:
            self._writer = asyncio.create_task(
                self._write_queued(), name=f"journal-write-{self._partition.number}", context=self._context.copy()
            )
            self._writer.add_done_callback(self._writer_ended)
        return await write.offset

    async def _write_queued(self) -> None:
        """Write what is queued, all of it in one batch, until nothing is: one request for each of many facts."""
        while self._queue:
            async with self._turn:  # a commit never meets a write
                self._sending, self._queue = self._queue, []
                sent = await self._send(self._sending)
            self._answer(self._sending, sent)
            if isinstance(sent, Lost):
                self._lost = sent
                self._answer(self._queue, sent)
                self._queue = []
        # Here and not when the task is done: a fact that comes in between would wait for ever.
        self._writer = None

    async def _send(self, batch: list["_Write"]) -> Acked | Lost:
        if self._lost is not None:
            return self._lost
        if self._open_since is None:
            if (lost := await self._producer.begin()) is not None:
                return lost
            self._open_since = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._intent_validity):
                sent = await self._producer.send([write.record for write in batch])
        except TimeoutError:
            return Lost(LostWhy.TIMEOUT, "a journal record was not acknowledged within the intent's validity")
        if isinstance(sent, Acked) and len(sent.offsets) != len(batch):
            return Lost(LostWhy.UNCLEAR, "a journal record was acknowledged without its offset")
        return sent

    def _answer(self, batch: list["_Write"], sent: Acked | Lost) -> None:
        if isinstance(sent, Acked):
            self._end = max(self._end, sent.offsets[-1] + 1)
            latest = max((write.age for write in batch), key=lambda age: age.boottime)
            if self._latest.boottime < latest.boottime:
                self._latest = latest
        for number, write in enumerate(batch):
            if not write.offset.done():  # else whoever waited was cancelled
                write.offset.set_result(sent if isinstance(sent, Lost) else sent.offsets[number])

    def _writer_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            for write in (*self._sending, *self._queue):  # a bug of ours: loud, and nobody waits for ever
                if not write.offset.done():
                    write.offset.set_exception(error)

    async def run(self) -> Lost:
        """Commit the open transaction when it has been open for the interval, events or not, until it is lost."""
        while self._lost is None:
            await asyncio.sleep(self._commit_interval / 4)
            if self._open_since is None or self._clock.monotonic() - self._open_since < self._commit_interval / 2:
                continue
            await self.commit()
        return self._lost

    def close(self) -> None:
        """Let nothing more be written: a call that is still on its way has nowhere to say what came of it."""
        self._lost = self._lost or Lost(LostWhy.CLOSED, "the journal is closed")

    async def commit(self) -> Lost | None:
        """Commit the open transaction, if there is one. The facts counted before: this only keeps it short."""
        async with self._turn:
            if self._open_since is None or self._lost is not None:
                return self._lost
            try:
                async with asyncio.timeout(self._commit_timeout):
                    self._lost = await self._producer.commit()
            except TimeoutError:
                self._lost = Lost(LostWhy.TIMEOUT, "the journal's commit took longer than the commit time-out")
            self._open_since = None
            return self._lost
