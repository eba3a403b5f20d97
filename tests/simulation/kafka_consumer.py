"""A member of the simulated group: what `worker/kafka/consumer.py` is on aiokafka, and `ports.Intake`."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.simulation.kafka import Broker
from tests.simulation.kafka_group import Group, Joined
from tests.simulation.kafka_log import Chunk
from tests.simulation.kafka_reader import SimAdmin
from tests.simulation.process import Process
from tests.simulation.trace import Trace
from tests.simulation.wire import Reply, Wire
from worker.model import Partition, Record
from worker.ports import Committed, Isolation, Lost, LostWhy, Sink

_ROOM = 0.25
"""Seconds until a partition without room is asked again."""


class SimConsumer:
    """Joins, fetches, delivers; learns of rebalances by heartbeats. `sink` and `behind` must be set before `start`."""

    sink: Sink
    behind: Callable[[Partition, int], bool]
    """Whether the owner of a partition has not come as far as this position: polls go on telling it."""

    def __init__(
        self,
        broker: Broker,
        group: Group,
        wire: Wire,
        admin: SimAdmin,
        process: Process,
        rng: random.Random,
        trace: Trace,
        *,
        commit_timeout: float = 5.0,
        max_poll: int = 10,
    ) -> None:
        self._broker = broker
        self._group = group
        self._wire = wire
        self._admin = admin
        self._process = process
        self._random = rng
        self._trace = trace
        self._commit_timeout = commit_timeout
        self._max_poll = max_poll
        self._logs = [log for partition, log in broker.logs.items() if partition.topic in group.inputs]
        self._member = Joined("", -1, frozenset())
        self._attempts = 0
        self._positions: dict[Partition, int] = {}
        self._flowing: set[Partition] = set()
        self._wake = asyncio.Event()
        self._disturbed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> list["asyncio.Task[None]"]:
        """Its tasks; they end only by a bug."""
        loop = asyncio.get_running_loop()
        for log in self._logs:
            log.listeners.append(self._wake.set)
        self._tasks = [
            loop.create_task(self._membership(), name="membership"),
            loop.create_task(self._poll(), name="poll"),
        ]
        return self._tasks

    async def stop(self) -> None:
        """Leave the group."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for log in self._logs:
            log.listeners.remove(self._wake.set)
        name = self._member.member

        def effect(reply: Reply[None]) -> None:
            self._group.leave(name)
            reply(None)

        await self._wire.ask(f"leave {name}", effect)

    # Membership

    def _disturb(self) -> None:
        """Called by the coordinator: the next heartbeat's answer says so."""
        loop = asyncio.get_running_loop()
        beat = self._group.times.heartbeat
        loop.call_later(beat * self._random.random(), self._heard, loop.time() + beat, context=self._process.context)

    def _heard(self, latest: float) -> None:
        # Due while it was frozen: what runs first after that is not yet a heartbeat.
        if asyncio.get_running_loop().time() > latest:
            self._disturb()
        else:
            self._disturbed.set()

    async def _membership(self) -> None:
        while True:
            self._disturbed.clear()
            joined = await self._join()
            if isinstance(joined, Lost):
                await asyncio.sleep(0.1 + self._random.random())
                continue
            self._member = joined
            self._positions = dict.fromkeys(joined.partitions, 0)
            self._flowing.clear()
            self.sink.assigned(sorted(joined.partitions))
            await self._disturbed.wait()
            if joined.partitions:
                await self.sink.revoked()

    async def _join(self) -> Joined | Lost:
        known_as = self._member.member
        self._attempts += 1
        attempt = self._attempts

        def effect(reply: Reply[Joined]) -> None:
            self._group.join(known_as, self._process, attempt, self._disturb, reply)

        asked = self._wire.ask(f"join as {known_as or 'new'}", effect)
        disturbed = asyncio.ensure_future(self._disturbed.wait())
        either: set[asyncio.Future[Any]] = {asked, disturbed}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        disturbed.cancel()
        return asked.result() if asked.done() else Lost(LostWhy.NOT_MEMBER, "simulated: the join was disturbed")

    # Fetching

    async def _poll(self) -> None:
        while True:
            wanted = {
                partition: self._positions[partition] for partition in self.sink.with_room() if self._flows(partition)
            }
            if not any(self._broker.logs[partition].stable > position for partition, position in wanted.items()):
                for partition, position in wanted.items():
                    self.sink.advance(partition, position)
                await self._idle()
                continue
            chunks = await self._fetch(wanted)
            if isinstance(chunks, Lost):
                await asyncio.sleep(0.1)
                continue
            # No await between the answer and this: a rebalance can't come in between.
            batch: dict[Partition, list[Record]] = {}
            empty: dict[Partition, int] = {}
            for partition, chunk in chunks.items():
                if not self._flows(partition) or self._positions[partition] != wanted[partition]:
                    continue  # what was fetched before a seek or a pause is dropped
                self._positions[partition] = chunk.position
                if chunk.records:
                    batch[partition] = chunk.records
                else:
                    empty[partition] = chunk.position
            if batch:
                self.sink.offer(batch)
            for partition, position in empty.items():
                self.sink.advance(partition, position)

    def _flows(self, partition: Partition) -> bool:
        return partition in self._flowing and partition in self._positions

    async def _idle(self) -> None:
        """Wait for something that a poll would find; polling all the time would find the same, and take longer."""
        for partition in self._flowing:
            position = self._positions[partition]
            if self._broker.logs[partition].stable > position or self.behind(partition, position):
                await asyncio.sleep(_ROOM)  # no room yet, or records on their way before control records
                return
        self._wake.clear()
        await self._wake.wait()

    async def _fetch(self, wanted: Mapping[Partition, int]) -> Mapping[Partition, Chunk] | Lost:
        def effect(reply: Reply[Mapping[Partition, Chunk]]) -> None:
            logs = self._broker.logs
            reply(
                {
                    partition: logs[partition].read(position, Isolation.COMMITTED, self._max_poll)
                    for partition, position in wanted.items()
                }
            )

        return await self._wire.ask("fetch", effect)

    # Intake

    def release(self, partition: Partition, offset: int) -> bool:
        """See `ports.Intake`."""
        if partition not in self._positions:
            return False
        self._positions[partition] = offset
        self._flowing.add(partition)
        self._wake.set()
        return True

    def hold(self, partition: Partition) -> None:
        """See `ports.Intake`."""
        self._flowing.discard(partition)

    async def prove_membership(self, partitions: Sequence[Partition]) -> Lost | None:
        """See `ports.Intake`."""
        committed = await self._admin.committed(self._group.name, partitions)
        if isinstance(committed, Lost):
            return committed
        earliest = await self._admin.earliest(partitions)
        if isinstance(earliest, Lost):
            return earliest
        member, offsets = (
            self._member,
            {p: known or Committed(earliest[p]) for p, known in committed.items()},
        )

        told = {p: known.offset for p, known in offsets.items()}

        def effect(reply: Reply[None]) -> None:
            reply(self._group.commit(member.member, member.generation, offsets))

        try:
            async with asyncio.timeout(self._commit_timeout):
                return await self._wire.ask(f"commit {told} as {member.member}", effect)
        except TimeoutError:
            return Lost(LostWhy.NOT_MEMBER, "simulated: the membership commit was not answered")
