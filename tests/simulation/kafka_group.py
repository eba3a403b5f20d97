"""The group coordinator of the simulated Kafka: members, generations, eager rebalances, evictions."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import NamedTuple

from tests.simulation.kafka_coordinator import Coordinator
from tests.simulation.process import Condition, Process
from tests.simulation.trace import Trace
from tests.simulation.wire import Reply
from worker.model import Partition
from worker.ports import Committed, Lost, LostWhy

UNKNOWN = Lost(LostWhy.NOT_MEMBER, "simulated: unknown member or former generation")


class Joined(NamedTuple):
    """A member's part of a new generation."""

    member: str
    generation: int
    partitions: frozenset[Partition]


@dataclass(slots=True)
class Member:
    """`disturb` tells it, by a heartbeat's answer, that it must join again. `reply`: its JoinGroup waits."""

    name: str
    process: Process
    disturb: Callable[[], None]
    reply: Reply[Joined] | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class GroupTimes:
    """In seconds."""

    session: float = 10.0
    heartbeat: float = 3.0
    rebalance: float = 20.0


class Group:
    """One consumer group; heartbeats are not sent but reckoned from whether a process runs."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        outside: Context,
        rng: random.Random,
        coordinator: Coordinator,
        name: str,
        inputs: Mapping[str, int],
        times: GroupTimes,
        trace: Trace,
    ) -> None:
        """`inputs`: partitions of each subscribed topic."""
        self._loop = loop
        self._outside = outside
        self._random = rng
        self._coordinator = coordinator
        self.inputs = inputs
        self._trace = trace
        self._joins = 0
        self._shares: dict[Process, frozenset[int]] = {}
        self._deadline: asyncio.TimerHandle | None = None
        self.name = name
        self.times = times
        self.generation = 0
        self.members: dict[str, Member] = {}
        self._strays: Counter[tuple[str, int]] = Counter()
        """How often a process began to take over a partition of another's, since it was its own or it proved so."""
        self.stale: list[str] = []
        """Who did so more than once, a sentence each: it would fence the right owner for ever."""

    def join(
        self,
        known_as: str,
        process: Process,
        attempt: int,
        disturb: Callable[[], None],
        reply: Reply[Joined],
    ) -> None:
        """JoinGroup: answered when every member has joined, or the rebalance time-out is over.

        `attempt` counts the joins of a process: one that was overtaken on its way has no effect.
        """
        # A client gets its member id before it joins (KIP-394), so a join that is asked again makes no second member.
        own = (member for member in self.members.values() if member.process is process)
        member = self.members.get(known_as) or next(own, None)
        if member is None:
            self._joins += 1
            member = Member(f"{process.name}-{self._joins:03}", process, disturb)
            self.members[member.name] = member
        if attempt < member.attempt:
            reply(UNKNOWN)
            return
        member.attempt, member.reply = attempt, reply
        if process.condition is not Condition.RUNNING:
            self.silent(process)
        self._rebalance()

    def leave(self, name: str) -> None:
        """LeaveGroup."""
        if self.members.pop(name, None) is not None:
            self._rebalance()

    def commit(self, name: str, generation: int, offsets: Mapping[Partition, Committed]) -> Lost | None:
        """OffsetCommit of a member."""
        if name not in self.members or generation != self.generation:
            return UNKNOWN
        for partition in offsets:
            del self._strays[self.members[name].process.name, partition.number]
        self._coordinator.offsets.setdefault(self.name, {}).update(offsets)
        return None

    def takes_over(self, process: Process, partition: int) -> None:
        """A process begins to take a partition over."""
        if partition not in self._shares.get(process, ()):
            self._strays[process.name, partition] += 1
            if self._strays[process.name, partition] > 1:
                self.stale.append(f"a stale member, {process.name}, took over partition {partition} again")

    def silent(self, process: Process) -> None:
        """A process was frozen or has crashed: its members are evicted when the session time-out is over."""
        stops = process.stops
        after = self.times.session - self.times.heartbeat * self._random.random()

        def expire() -> None:
            if process.condition is not Condition.RUNNING and process.stops == stops:
                self.evict(process)

        self._loop.call_later(after, expire, context=self._outside)

    def evict(self, process: Process) -> None:
        """Its members are out, whether they know it or not."""
        for member in [member for member in self.members.values() if member.process is process]:
            self._trace.add(f"group: {member.name} is evicted")
            del self.members[member.name]
            self._shares.pop(process, None)
            member.disturb()
            self._rebalance()

    def _rebalance(self) -> None:
        waiting = [member for member in self.members.values() if member.reply is None]
        if not waiting:
            self._complete()
            return
        if self._deadline is None:
            self._deadline = self._loop.call_later(self.times.rebalance, self._out_of_time, context=self._outside)
            for member in waiting:
                member.disturb()

    def _out_of_time(self) -> None:
        for member in [member for member in self.members.values() if member.reply is None]:
            self._trace.add(f"group: {member.name} did not rejoin in time")
            del self.members[member.name]
            member.disturb()
        self._complete()

    def _complete(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self.generation += 1
        names = sorted(self.members)
        self._shares.clear()
        for index, name in enumerate(names):
            reply, self.members[name].reply = self.members[name].reply, None
            share = frozenset(self._share(index, len(names)))
            self._trace.add(f"group: generation {self.generation}: {name} gets {sorted(p.number for p in share)}")
            process = self.members[name].process
            self._shares[process] = frozenset(partition.number for partition in share)
            for partition in share:
                del self._strays[process.name, partition.number]
            if reply is not None:
                reply(Joined(name, self.generation, share))

    def _share(self, index: int, members: int) -> Sequence[Partition]:
        """Range assignment: contiguous, the first members get one more."""
        found = []
        for topic, count in self.inputs.items():
            each, more = divmod(count, members)
            first = index * each + min(index, more)
            found += [Partition(topic, first + step) for step in range(each + (index < more))]
        return found
