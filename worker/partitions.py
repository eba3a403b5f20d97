"""Which partitions this process owns, through rebalances, fencing and failures."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from worker.keeper import FIRST_PAUSE, Keeper
from worker.lane import Lane
from worker.model import Partition, Record, TopicNames
from worker.ownership import Ownership
from worker.ports import Intake, Lost, LostWhy, Observer

log = structlog.get_logger(__name__)

_SETTLED_IN = 60.0
"""After so many seconds of ownership the next failure is the first again."""


class Partitions:
    """The partitions that the group gave us. Called by the consumer; calls the consumer through `Intake`."""

    def __init__(
        self,
        topics: TopicNames,
        intake: Intake,
        take_over: Callable[[int], Awaitable[Ownership | Lost]],
        make_lane: Callable[[Ownership], Lane],
        observer: Observer,
        *,
        drain_timeout: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`drain_timeout` in seconds."""
        self._topics = topics
        self._intake = intake
        self._take_over = take_over
        self._make_lane = make_lane
        self._observer = observer
        self._drain_timeout = drain_timeout
        self._jitter = jitter
        self._keepers: dict[int, Keeper] = {}
        self._assigned: frozenset[int] = frozenset()
        self._changed = asyncio.Event()
        self._closing = False
        self._leaving: set[asyncio.Task[None]] = set()
        self.broken: list[str] = []
        """Keepers that ended by a bug: only a restart of the process helps."""

    # What the consumer tells

    async def revoked(self) -> None:
        """Every partition is revoked (aiokafka rebalances eagerly): drain and commit, keep producers and state."""
        self._assigned = frozenset()
        await self._stop(self._keepers.values())

    def assigned(self, partitions: Iterable[Partition]) -> None:
        """These are ours now. Synchronous: aiokafka sends no heartbeat while a rebalance callback runs."""
        if self._closing:
            return
        found = set(partitions)
        both = {
            partition.number
            for partition in found
            if all(Partition(topic, partition.number) in found for topic in self._topics.inputs)
        }
        if alone := {partition.number for partition in found} - both:
            # Range skips a topic that has no metadata yet: the next rebalance brings it.
            log.warning("partition_without_its_pair", partitions=sorted(alone))
        self._assigned = frozenset(both)
        for number in [number for number in self._keepers if number not in both]:
            self._leave(self._keepers.pop(number))
        for number in both:
            keeper = self._keepers.get(number)
            if keeper is None:
                keeper = self._keepers[number] = Keeper(number)
                keeper.task = asyncio.create_task(self._keep(keeper), name=f"keeper-{number}")
                keeper.task.add_done_callback(self._ended)
            elif keeper.lane is not None:
                self._release(keeper, keeper.lane)
        self._changed.set()
        self._changed = asyncio.Event()

    def refuse(self, partition: Partition, why: str) -> None:
        """The consumer can't read it (out of range): stop this partition, loudly; the others go on."""
        keeper = self._keepers.get(partition.number)
        if keeper is not None and keeper.lane is not None:
            keeper.lane.own.lose(Lost(LostWhy.REFUSED, why))

    def with_room(self) -> list[Partition]:
        """The input partitions that records may be taken from now."""
        return [
            Partition(topic, keeper.partition)
            for keeper in self._keepers.values()
            if keeper.flowing and keeper.lane is not None and keeper.lane.has_room
            for topic in self._topics.inputs
        ]

    def offer(self, batch: Mapping[Partition, list[Record]]) -> None:
        """Records that were fetched; those of a partition that does not flow are fetched again later."""
        for partition, records in batch.items():
            keeper = self._keepers.get(partition.number)
            if keeper is not None and keeper.flowing and keeper.lane is not None:
                keeper.lane.offer(records)

    def advance(self, partition: Partition, position: int) -> None:
        """The consumer stands at `position` and had nothing to deliver: past control records, perhaps."""
        keeper = self._keepers.get(partition.number)
        if keeper is not None and keeper.flowing and keeper.lane is not None:
            keeper.lane.own.prefixes[partition.topic].advance(position)

    # Keeping

    async def _keep(self, keeper: Keeper) -> None:
        while not keeper.left.is_set():
            taken = await self._take_over(keeper.partition)
            if isinstance(taken, Lost):
                await self._start_over(keeper, taken)
                continue
            if keeper.left.is_set():
                await taken.close()
                return
            keeper.lane = lane = self._make_lane(taken)
            taken.start()
            began = asyncio.get_running_loop().time()
            if keeper.partition in self._assigned:
                self._release(keeper, lane)
            else:
                lane.drain.stop()
            lost = await asyncio.shield(taken.lost)
            keeper.lane, keeper.flowing = None, False
            self._hold(keeper)
            await asyncio.shield(lane.close())
            self._observer.ownership(keeper.partition, lost.why.value)
            if asyncio.get_running_loop().time() - began > _SETTLED_IN:
                keeper.failures = 0
            await self._start_over(keeper, lost)

    async def _start_over(self, keeper: Keeper, lost: Lost) -> None:
        """Pause with jitter, then prove that we are still a member: a zombie that took over would fence the owner."""
        keeper.fail(lost)
        log.error("ownership_lost", partition=keeper.partition, why=lost.why.value, detail=lost.detail)
        await asyncio.sleep(keeper.pause * (0.5 + self._jitter() / 2))
        inputs = [Partition(topic, keeper.partition) for topic in self._topics.inputs]
        while not keeper.left.is_set():
            if keeper.partition not in self._assigned:
                await self._changed.wait()
            elif (stale := await self._intake.prove_membership(inputs)) is None:
                return
            else:
                log.warning("membership_not_proven", partition=keeper.partition, detail=stale.detail)
                await asyncio.sleep(FIRST_PAUSE + self._jitter())

    def _release(self, keeper: Keeper, lane: Lane) -> None:
        keeper.flowing = all(
            self._intake.release(Partition(topic, keeper.partition), lane.position(topic))
            for topic in self._topics.inputs
        )
        if keeper.flowing:
            keeper.problem = keeper.lost_why = None
            lane.go()
            log.info("partition_flows", partition=keeper.partition, owner=lane.own.owner)

    def _hold(self, keeper: Keeper) -> None:
        for topic in self._topics.inputs:
            self._intake.hold(Partition(topic, keeper.partition))

    # Stopping

    async def _stop(self, keepers: Iterable[Keeper]) -> None:
        """Drain and commit within the budget; a lane that can't in time is lost."""
        lanes = []
        for keeper in keepers:
            keeper.flowing = False
            if keeper.lane is not None:
                lanes.append(keeper.lane)
        await asyncio.gather(*(self._drain(lane) for lane in lanes))

    async def _drain(self, lane: Lane) -> None:
        try:
            async with asyncio.timeout(self._drain_timeout):
                await lane.stop()
        except TimeoutError:
            lane.own.lose(Lost(LostWhy.TIMEOUT, "draining took longer than the drain time-out"))

    def _leave(self, keeper: Keeper) -> None:
        """The partition went to another member: let go of it in a task of its own."""
        task = asyncio.create_task(self._close(keeper), name=f"leave-{keeper.partition}")
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken.append(f"{task.get_name()}: {type(error).__name__}")
            log.error("keeper_failed", task=task.get_name(), exc_info=error)

    async def _close(self, keeper: Keeper) -> None:
        keeper.left.set()
        if keeper.task is not None:
            keeper.task.cancel()
            await asyncio.gather(keeper.task, return_exceptions=True)
        if keeper.lane is not None:
            await keeper.lane.close()
            keeper.lane = None

    async def close(self) -> None:
        """Drain, commit and release everything."""
        self._closing = True
        await self._stop(self._keepers.values())
        keepers = list(self._keepers.values())
        self._keepers.clear()
        await asyncio.gather(*(self._close(keeper) for keeper in keepers), *self._leaving)

    # What is known

    def lanes(self) -> Iterable[Lane]:
        """The lanes of the partitions that are owned now."""
        return [keeper.lane for keeper in self._keepers.values() if keeper.lane is not None]

    def served(self) -> Mapping[int, bool]:
        """Each assigned partition, and whether its records flow."""
        return {keeper.partition: keeper.problem is None for keeper in self._keepers.values()}

    def lost(self) -> Mapping[str, int]:
        """How many assigned partitions are lost now, by why; each until its records flow again."""
        return Counter(keeper.lost_why.value for keeper in self._keepers.values() if keeper.lost_why is not None)

    def unserved(self) -> Mapping[int, str]:
        """Assigned partitions that are not served, and why."""
        return {keeper.partition: keeper.problem for keeper in self._keepers.values() if keeper.problem is not None}

    def problems(self) -> list[str]:
        """The same, a sentence each."""
        return [f"partition {number}: {why}" for number, why in self.unserved().items()]
