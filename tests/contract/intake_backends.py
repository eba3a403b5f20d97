"""What the contract of the intake runs on: a member of the simulation's group, and the real consumer on a broker."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Protocol

from tests.brokers.clients import Clients
from tests.brokers.topics import unique_names
from tests.contract.log_backends import PARTITIONS, connection
from tests.simulation.chaos import CALM, Chaos
from tests.simulation.kafka import Broker, SimProducer
from tests.simulation.kafka_consumer import SimConsumer
from tests.simulation.kafka_group import Group, GroupTimes
from tests.simulation.kafka_reader import SimAdmin
from tests.simulation.process import Process
from tests.simulation.trace import Trace
from tests.simulation.wire import Wire
from worker.kafka.consumer import ConsumerConfig, GroupConsumer
from worker.kafka.producer import KafkaProducer
from worker.kafka.reader import KafkaAdmin
from worker.model import OutRecord, Partition, Record, TopicNames
from worker.ports import Acked, Intake, LogAdmin, LogProducer, Observer


@dataclass(slots=True)
class Recorder:
    """A sink that remembers: what `partitions.Partitions` is to the worker."""

    held: set[Partition] = field(default_factory=set)
    """Assigned now."""
    assignments: int = 0
    revocations: int = 0
    room: set[Partition] = field(default_factory=set)
    records: dict[Partition, list[Record]] = field(default_factory=dict)
    advanced: dict[Partition, int] = field(default_factory=dict)
    refused: list[Partition] = field(default_factory=list)

    async def revoked(self) -> None:
        self.revocations += 1
        self.held.clear()

    def assigned(self, partitions: Sequence[Partition]) -> None:
        self.assignments += 1
        self.held = set(partitions)

    def refuse(self, partition: Partition, why: str) -> None:
        self.refused.append(partition)

    def with_room(self) -> list[Partition]:
        return sorted(self.room)

    def offer(self, batch: dict[Partition, list[Record]]) -> None:
        for partition, records in batch.items():
            self.records.setdefault(partition, []).extend(records)

    def advance(self, partition: Partition, position: int) -> None:
        self.advanced[partition] = position

    def values(self, partition: Partition) -> list[bytes | None]:
        return [record.value for record in self.records.get(partition, ())]


@dataclass(frozen=True, slots=True)
class Joined:
    """A running member of the group."""

    intake: Intake
    sink: Recorder
    stop: Callable[[], Awaitable[None]]


class IntakeBackend(Protocol):
    topics: TopicNames
    group: str
    admin: LogAdmin

    async def join(self, name: str) -> Joined: ...

    def settler(self) -> LogProducer:
        """What a partition's owner commits offsets with; not started."""

    async def write(self, partition: Partition, *values: bytes, abort: bool = False) -> None:
        """In a transaction of its own, as an upstream producer may."""

    async def close(self) -> None: ...


class Simulated:
    """The simulation's Kafka in good weather, on the test's own event loop."""

    def __init__(self) -> None:
        self.topics, self.group = unique_names(), "group"
        self._loop, self._random = asyncio.get_running_loop(), random.Random(0)
        self._trace = Trace(False, self._loop.time)
        names = (self.topics.requests, self.topics.replays)
        inputs = dict.fromkeys(names, PARTITIONS)
        self._broker = Broker(self._loop, self._random, self._trace, inputs)
        outside = copy_context()
        self._wire = Wire(self._loop, outside, Chaos(self._random, CALM), self._trace)
        self.admin: LogAdmin = SimAdmin(self._broker, self._wire)
        self._group = Group(
            self._loop,
            outside,
            self._random,
            self._broker.coordinator,
            self.group,
            inputs,
            GroupTimes(session=60.0, heartbeat=0.1, rebalance=60.0),
            self._trace,
        )
        self._members: list[SimConsumer] = []

    async def join(self, name: str) -> Joined:
        recorder = Recorder()
        member = SimConsumer(
            self._broker,
            self._group,
            self._wire,
            SimAdmin(self._broker, self._wire),
            Process(name),
            self._random,
            self._trace,
        )
        member.sink = recorder
        member.behind = lambda partition, position: recorder.advanced.get(partition, 0) < position
        member.start()
        self._members.append(member)

        async def stop() -> None:
            self._members.remove(member)
            await member.stop()

        return Joined(member, recorder, stop)

    def settler(self) -> LogProducer:
        return SimProducer(self._broker, self._wire, "settle", 60.0)

    async def write(self, partition: Partition, *values: bytes, abort: bool = False) -> None:
        await _write(SimProducer(self._broker, self._wire, f"upstream-{partition}", 60.0), partition, values, abort)

    async def close(self) -> None:
        for member in list(self._members):
            await member.stop()


class OnBroker:
    """The real consumer."""

    def __init__(self, bootstrap: str, topics: TopicNames, group: str, clients: Clients) -> None:
        self.topics, self.group = topics, group
        self._clients = clients
        self._connection = connection(bootstrap)
        self._admin = KafkaAdmin(self._connection)
        self.admin: LogAdmin = self._admin
        self._stops: list[Callable[[], Awaitable[None]]] = []

    async def join(self, name: str) -> Joined:
        config = ConsumerConfig(
            group=self.group,
            group_instance_id=None,
            session_timeout=6.0,
            heartbeat_interval=0.3,
            rebalance_timeout=10.0,
            max_poll_interval=60.0,
            max_poll_records=100,
            fetch_max_wait=0.1,
            fetch_max_bytes=1_000_000,
            max_partition_fetch_bytes=1_000_000,
            commit_timeout=5.0,
        )
        recorder = Recorder()
        member = GroupConsumer(self._connection, config, self.topics, self._admin, Observer())
        member.sink = recorder
        assert await member.start() is None
        polling = asyncio.create_task(member.run(), name=f"poll {name}")

        async def stop() -> None:
            self._stops.remove(stop)
            await member.stop()
            await polling

        self._stops.append(stop)
        return Joined(member, recorder, stop)

    def settler(self) -> LogProducer:
        return KafkaProducer(self._connection, f"{self.topics.ledger}.0.settle", 60.0)

    async def write(self, partition: Partition, *values: bytes, abort: bool = False) -> None:
        producer = await self._clients.producer(f"upstream-{partition.topic}-{partition.number}")
        await producer.begin_transaction()
        for value in values:
            await producer.send_and_wait(partition.topic, value, key=b"key", partition=partition.number)
        await (producer.abort_transaction() if abort else producer.commit_transaction())
        await producer.stop()

    async def close(self) -> None:
        for stop in list(self._stops):
            await stop()
        await self._admin.close()


async def _write(producer: SimProducer, partition: Partition, values: Sequence[bytes], abort: bool) -> None:
    assert await producer.start() is None
    assert await producer.begin() is None
    sent = await producer.send([OutRecord(*partition, b"key", value) for value in values])
    assert isinstance(sent, Acked), sent
    if not abort:
        assert await producer.commit() is None
    await producer.close()
