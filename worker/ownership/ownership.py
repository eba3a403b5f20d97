"""One ownership of a partition: from fencing the former owner to being fenced.

The order is the protocol's: both producers start (Kafka ends the former owner's transactions and fences it for good),
the journal's writes a claim (it is still ours after the second began), only then offsets, ledger and journal are read.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from worker.facts import Fact, Kind, Progress, UnreadableRecordError
from worker.model import Coordinates, Event, Partition
from worker.offsets import Prefix
from worker.ownership.config import OwnershipConfig, Ports
from worker.ownership.group_commit import CommitConfig, GroupCommit, Settlement
from worker.ownership.journal import Journal
from worker.ownership.restore import Restored
from worker.ownership.table import LedgerTable
from worker.ownership.validity import Age
from worker.ports import LogProducer, Lost, LostWhy
from worker.standing import Entry, Header, decode_entry


class Ownership:
    """The state of a partition in its owner's hands. Made by `take_over`; every failure sets `lost`, once."""

    def __init__(
        self,
        config: OwnershipConfig,
        ports: Ports,
        partition: int,
        owner: str,
        claimed: float,
        producers: tuple[LogProducer, LogProducer],
        journal: Journal,
        restored: Restored,
        header: Header,
        starts: dict[str, int],
    ) -> None:
        """`producers`: the journal's and the settlement's; `starts`: where each input topic begins.

        `claimed`: when both producers had started (CLOCK_BOOTTIME): what a doubt about a former owner waits from.
        """
        self.partition = partition
        self.owner = owner
        self.claimed = claimed
        self.journal = journal
        self.table: LedgerTable = restored.table
        self.digest_key = header.digest_key
        self.prefixes = {topic: Prefix(offset) for topic, offset in starts.items()}
        self.lost: asyncio.Future[Lost] = asyncio.get_running_loop().create_future()
        self._config = config
        self._ports = ports
        self._producers = producers
        self._progress = restored.progress
        self._floors: dict[Coordinates, int] = {
            origin: progress.first for origin, progress in restored.progress.items() if progress.first is not None
        }
        self._trim_to = 0
        self.commits = GroupCommit(
            CommitConfig(
                Partition(config.topics.ledger, partition),
                config.group,
                header,
                config.settle_interval,
                config.commit_timeout,
            ),
            producers[1],
            self.prefixes,
            self.table,
            lambda: journal.end,
            ports.clock,
            ports.faults,
            ports.observer,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._settle_inherited()
        self._awaited: dict[str, set[Coordinates]] = {}
        for origin, progress in self._progress.items():
            if progress.identity is not None:
                self._awaited.setdefault(progress.identity, set()).add(origin)

    def _settle_inherited(self) -> None:
        """Facts of events that are settled already hold nothing back from the trim."""
        for origin in list(self._progress):
            prefix = self.prefixes.get(origin.topic)
            if prefix is None or origin.offset < prefix.next:
                self.forget(origin)

    def start(self) -> None:
        """Begin to settle and to keep the journal's transaction short."""
        self._tasks = [
            asyncio.create_task(self._watch(self.commits.run), name=f"settle-{self.partition}"),
            asyncio.create_task(self._watch(self.journal.run), name=f"journal-{self.partition}"),
        ]

    async def _watch(self, run: Callable[[], Awaitable[Lost]]) -> None:
        self.lose(await run())

    def lose(self, lost: Lost) -> None:
        """End this ownership: nothing more is written or settled by it."""
        if not self.lost.done():
            self.lost.set_result(lost)

    # What is known

    async def entry(self, identity: str) -> Entry | None | Lost:
        """The committed ledger entry of an identity, whole."""
        key = identity.encode()
        glance = self.table.glance(key)
        if glance is None:
            return None
        if (entry := self.table.recent(key)) is not None:
            return entry
        ledger = Partition(self._config.topics.ledger, self.partition)
        record = await self._ports.reader.read_one(ledger, glance.offset)
        if isinstance(record, Lost):
            return record
        if record is None or record.value is None or record.key != key:
            return Lost(LostWhy.BROKEN, "a ledger entry expired under its owner; the ledger is read anew")
        try:
            return decode_entry(record.value)
        except UnreadableRecordError as error:
            return Lost(LostWhy.REFUSED, str(error))

    def progress(self, origin: Coordinates) -> Progress:
        """What the journal says of an event; the same object until the event is settled."""
        return self._progress.setdefault(origin, Progress())

    def has_begun(self, origin: Coordinates) -> bool:
        """Whether the journal holds anything of an event: it was taken for valid then."""
        return origin in self._progress

    def must_wait(self, identity: str, origin: Coordinates) -> bool:
        """Whether an event that came must wait for another of its identity, of which a former owner left facts.

        Requests and replays have no order between them: begun before the other record has come again, it would know
        nothing of what was done for that one, and might register what is registered.
        """
        others = self._awaited.get(identity)
        if others is None:
            return False
        others.discard(origin)
        if not others:
            del self._awaited[identity]
        return bool(others)

    # What is done

    def fact(
        self,
        kind: Kind,
        event: Event,
        *,
        intent: int | None = None,
        invoice_id: str | None = None,
        answer_class: str | None = None,
        sha256: str | None = None,
    ) -> Fact:
        """A fact of an event, of this ownership and this moment, with what its kind needs."""
        return Fact(
            kind,
            self.owner,
            self._ports.clock.now(),
            event.envelope.origin,
            event.identity,
            intent,
            invoice_id,
            answer_class,
            sha256,
        )

    async def write(self, origin: Coordinates, fact: Fact, age: Age | None = None) -> int | Lost:
        """Journal a fact of an event and take it into its progress: the fact's offset. `Lost` ends the ownership.

        A lost ownership announces no more calls, but still says what came of those on their way, if it can: without
        the answer each would become a doubt.
        """
        if self.lost.done() and fact.kind in (Kind.INTENT, Kind.RENEW):
            return self.lost.result()
        # A bound from below on the offset, set before the write: the trim must not pass a fact on its way.
        self._floors.setdefault(origin, self.journal.end)
        offset = await self.journal.write(fact, age)
        if isinstance(offset, Lost):
            self.lose(offset)
            return offset
        self.progress(origin).add(offset, fact)
        return offset

    def settle(self, settlement: Settlement) -> None:
        """Queue an event's end for the next commit; `settlement.committed` tells when it is."""
        settlement.committed.add_done_callback(lambda done: None if done.cancelled() else self._settled(settlement))
        self.commits.add(settlement)

    def _settled(self, settlement: Settlement) -> None:
        self.forget(settlement.origin)
        floor = min(self._floors.values(), default=self.journal.end)
        self._trim_to = max(self._trim_to, floor)

    def forget(self, origin: Coordinates) -> None:
        """An event is settled: its facts are needed no more."""
        self._progress.pop(origin, None)
        self._floors.pop(origin, None)

    @property
    def trim_to(self) -> int:
        """The journal may be deleted before this offset. It moved only after commits known to be committed."""
        return self._trim_to

    @property
    def open_intents(self) -> int:
        """Intents without a known answer, inherited ones included."""
        return sum(progress.doubt is not None for progress in self._progress.values())

    @property
    def oldest_fact(self) -> datetime | None:
        """When the oldest fact of an unsettled event was written."""
        times = (progress.since for progress in self._progress.values())
        return min((since for since in times if since is not None), default=None)

    async def flush(self) -> Lost | None:
        """Wait until all that is queued is committed, or the ownership is lost."""
        flushed = asyncio.create_task(self.commits.flush())
        waiting: set[asyncio.Future[Any]] = {flushed, self.lost}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        flushed.cancel()
        return self.lost.result() if self.lost.done() else None

    async def close(self) -> None:
        """Let go: no commit is waited for (`flush` before), both producers close."""
        if not self.lost.done() and self._tasks:
            self.commits.close()
            await asyncio.shield(self.lost)
            await self.journal.commit()
        self.lose(Lost(LostWhy.CLOSED, "released"))
        self.journal.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(producer.close() for producer in self._producers))
        self._ports.observer.ownership(self.partition, "closed")
