"""Writing the journal: facts inside an open transaction that nobody waits for, committed rarely."""

import asyncio

from worker.facts import Fact, encode
from worker.model import OutRecord, Partition
from worker.ownership.validity import Age
from worker.ports import Acked, Clock, LogProducer, Lost, LostWhy


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
        self._writing = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._turn = asyncio.Lock()
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
        age = age or self.age()
        # Entered one at a time, so that a commit never meets a write; left at once, so that writes share a batch.
        async with self._turn:
            if self._lost is None and self._open_since is None:
                self._lost = await self._producer.begin()
                self._open_since = self._clock.monotonic()
            if self._lost is not None:
                return self._lost
            self._writing += 1
            self._idle.clear()
        try:
            key = (fact.identity or "").encode() or None
            record = OutRecord(self._partition.topic, self._partition.number, key, encode(fact))
            async with asyncio.timeout(self._intent_validity):
                sent = await self._producer.send([record])
        except TimeoutError:
            sent = Lost(LostWhy.TIMEOUT, "a journal record was not acknowledged within the intent's validity")
        finally:
            self._writing -= 1
            if not self._writing:
                self._idle.set()
        match sent:
            case Acked((offset,)):
                self._end = max(self._end, offset + 1)
                if self._latest.boottime < age.boottime:
                    self._latest = age
                return offset
            case Acked():
                self._lost = Lost(LostWhy.UNCLEAR, "a journal record was acknowledged without its offset")
            case Lost():
                self._lost = sent
        return self._lost

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
            await self._idle.wait()
            try:
                async with asyncio.timeout(self._commit_timeout):
                    self._lost = await self._producer.commit()
            except TimeoutError:
                self._lost = Lost(LostWhy.TIMEOUT, "the journal's commit took longer than the commit time-out")
            self._open_since = None
            return self._lost
