"""One ownership of a partition: from fencing the former owner to being fenced.

The order is the protocol's: both producers start (Kafka ends the former owner's transactions and fences it for good),
the journal's writes a claim (it is still ours after the second began), only then offsets, ledger and journal are read.
"""

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from worker.facts import Fact, Kind, Progress, UnreadableRecordError
from worker.model import Coordinates, Partition, TopicNames
from worker.offsets import Prefix
from worker.ownership.group_commit import CommitConfig, GroupCommit, Settlement
from worker.ownership.journal import Journal
from worker.ownership.restore import Restored, find_header, restore
from worker.ownership.table import LedgerTable
from worker.ownership.validity import Age
from worker.ports import Clock, Faults, LogAdmin, LogProducer, LogReader, Lost, LostWhy, Observer
from worker.standing import PARTITIONER, Entry, Header, decode_entry


@dataclass(frozen=True, slots=True)
class OwnershipConfig:
    """Names and times (seconds) of every ownership in this process."""

    topics: TopicNames
    group: str
    partitions: int
    """How many partitions requests, replays, journal and ledger have."""
    intent_validity: float = 5.0
    settle_interval: float = 0.05
    commit_timeout: float = 10.0
    transaction_timeout: float = 60.0
    takeover_timeout: float = 30.0
    """For fencing and the claim; reading ledger and journal takes as long as it takes."""

    @property
    def journal_commit_interval(self) -> float:
        """No transaction stays open longer than a third of its time-out."""
        return min(10.0, self.transaction_timeout / 3)


@dataclass(frozen=True, slots=True)
class Ports:
    """What an ownership stands on. `producer` makes a transactional producer by its transactional id."""

    producer: Callable[[str], LogProducer]
    reader: LogReader
    admin: LogAdmin
    clock: Clock
    faults: Faults
    observer: Observer


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
            ports.clock,
            ports.faults,
            ports.observer,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._settle_inherited()

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

    def inherited(self, attempt_owner: str) -> bool:
        """Whether a fact was written by a former ownership."""
        return attempt_owner != self.owner

    # What is done

    def fact(self, kind: Kind, origin: Coordinates, identity: str) -> Fact:
        """A fact of an event, of this ownership and this moment; `dataclasses.replace` adds what its kind needs."""
        return Fact(kind, self.owner, self._ports.clock.now(), origin, identity)

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


def transactional_ids(ledger: str, partition: int) -> tuple[str, str]:
    """The ids of a partition's producers. No group in them: what must be fenced is the ledger."""
    return f"{ledger}.{partition}.journal", f"{ledger}.{partition}.settle"


async def take_over(config: OwnershipConfig, ports: Ports, partition: int) -> Ownership | Lost:
    """Fence the former owner and become the new one."""
    ids = transactional_ids(config.topics.ledger, partition)
    producers = ports.producer(ids[0]), ports.producer(ids[1])
    try:
        taken = await _take_over(config, ports, partition, producers)
    except BaseException:
        await asyncio.gather(*(producer.close() for producer in producers))
        raise
    if isinstance(taken, Lost):
        await asyncio.gather(*(producer.close() for producer in producers))
        ports.observer.ownership(partition, taken.why)
    return taken


async def _take_over(
    config: OwnershipConfig, ports: Ports, partition: int, producers: tuple[LogProducer, LogProducer]
) -> Ownership | Lost:
    began = ports.clock.monotonic()
    # Looked at first: a worker of another group that found no header at its start must not fence the right owner over
    # and over. What counts is what is read after the claim.
    found = await find_header(ports.reader, config.topics, partition)
    if isinstance(found, Lost):
        return found
    if found is not None and (stranger := _of_another_worker(config, partition, found)) is not None:
        return stranger
    owner = secrets.token_hex(8)
    journal = Journal(
        producers[0],
        Partition(config.topics.journal, partition),
        ports.clock,
        intent_validity=config.intent_validity,
        commit_interval=config.journal_commit_interval,
        commit_timeout=config.commit_timeout,
    )
    try:
        async with asyncio.timeout(config.takeover_timeout):
            for producer in producers:
                if (lost := await producer.start()) is not None:
                    return lost
            ports.observer.ownership(partition, "started")
            claimed = ports.clock.boottime()
            claim = await journal.write(Fact(Kind.CLAIM, owner, ports.clock.now()))
    except TimeoutError:
        return Lost(LostWhy.TIMEOUT, "fencing the former owner took longer than the take-over time-out")
    if isinstance(claim, Lost):
        return claim
    ports.faults.hit("after-claim")
    # Its transaction ends here: nothing else would end it while ledger and journal are read, however long that takes.
    if (lost := await journal.commit()) is not None:
        return lost
    starts = await _starts(config, ports.admin, partition)
    if isinstance(starts, Lost):
        return starts
    floors = tuple(starts.values())
    restored = await restore(ports.reader, config.topics, partition, (floors[0], floors[1]))
    if isinstance(restored, Lost):
        return restored
    journal.read_up_to(restored.journal_end)
    header = restored.header or Header(config.group, config.topics, config.partitions, PARTITIONER, os.urandom(32))
    if (stranger := _of_another_worker(config, partition, header)) is not None:
        return stranger
    ownership = Ownership(config, ports, partition, owner, claimed, producers, journal, restored, header, starts)
    # The header is renewed on every take-over, so that retention does not eat it.
    if (lost := await ownership.commits.commit([], with_header=True)) is not None:
        return lost
    ports.faults.hit("after-restore")
    ports.observer.ownership(partition, "restored")
    ports.observer.restored(
        partition, ports.clock.monotonic() - began, restored.ledger_records, restored.journal_records
    )
    return ownership


def _of_another_worker(config: OwnershipConfig, partition: int, header: Header) -> Lost | None:
    differences = header.differences(config.group, config.topics, config.partitions)
    if not differences:
        return None
    return Lost(LostWhy.REFUSED, f"ledger partition {partition} belongs to another worker: " + "; ".join(differences))


async def _starts(config: OwnershipConfig, admin: LogAdmin, partition: int) -> dict[str, int] | Lost:
    """Where each input begins: its committed offset, else its earliest record. Refused when retention was faster."""
    inputs = [Partition(topic, partition) for topic in config.topics.inputs]
    committed = await admin.committed(config.group, inputs)
    if isinstance(committed, Lost):
        return committed
    earliest = await admin.earliest(inputs)
    if isinstance(earliest, Lost):
        return earliest
    starts: dict[str, int] = {}
    for input_ in inputs:
        offset = committed[input_]
        if offset is not None and offset < earliest[input_]:
            return Lost(
                LostWhy.REFUSED,
                f"{input_.topic}/{input_.number}: records {offset} to {earliest[input_] - 1} were deleted before they "
                'were settled; see docs/architecture.md, "Out of range", before the group\'s offset is moved',
            )
        starts[input_.topic] = earliest[input_] if offset is None else offset
    return starts


__all__ = ["Ownership", "OwnershipConfig", "Ports", "Settlement", "take_over", "transactional_ids"]
