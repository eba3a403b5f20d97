"""What the contract suites of the log's ports run on: the simulation's Kafka, and the real adapters on a broker."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from dataclasses import dataclass

from tests.brokers.topics import unique_names
from tests.simulation.chaos import CALM, Chaos
from tests.simulation.kafka import Broker, SimProducer
from tests.simulation.kafka_reader import SimAdmin, SimReader
from tests.simulation.trace import Trace
from tests.simulation.wire import Wire
from worker.kafka.producer import KafkaProducer
from worker.kafka.reader import KafkaAdmin, KafkaReader
from worker.kafka.security import Connection, Security, client_options
from worker.model import OutRecord, Partition, TopicNames
from worker.ports import Acked, Isolation, LogAdmin, LogProducer, LogReader

PARTITIONS = 2


@dataclass(slots=True)
class LogBackend:
    """A log under test. `producer` makes one for a transactional id (made unique to the test)."""

    topics: TopicNames
    group: str
    reader: LogReader
    admin: LogAdmin
    make: Callable[[str], LogProducer]
    made: list[LogProducer]
    close: Callable[[], Awaitable[None]]

    def producer(self, name: str) -> LogProducer:
        made = self.make(f"{self.topics.ledger}.{name}")
        self.made.append(made)
        return made

    async def started(self, name: str = "one") -> LogProducer:
        made = self.producer(name)
        assert await made.start() is None
        return made

    async def values(self, partition: Partition, isolation: Isolation = Isolation.COMMITTED) -> list[bytes | None]:
        """What a reader finds from start to end."""
        found: list[bytes | None] = []
        end = await self.reader.read_to_end(
            partition, isolation, lambda records: found.extend(r.value for r in records)
        )
        assert isinstance(end, int), end
        return found


def record(partition: Partition, value: bytes) -> OutRecord:
    return OutRecord(partition.topic, partition.number, b"key", value)


async def committed(producer: LogProducer, partition: Partition, *values: bytes) -> tuple[int, ...]:
    """Write in a transaction of its own: the offsets."""
    assert await producer.begin() is None
    sent = await producer.send([record(partition, value) for value in values])
    assert isinstance(sent, Acked), sent
    assert await producer.commit() is None
    return sent.offsets


async def left_open(producer: LogProducer, partition: Partition, *values: bytes) -> tuple[int, ...]:
    """Write into a transaction that stays open: the offsets."""
    assert await producer.begin() is None
    sent = await producer.send([record(partition, value) for value in values])
    assert isinstance(sent, Acked), sent
    return sent.offsets


def simulated() -> LogBackend:
    """The simulation's Kafka in good weather, on the test's own event loop."""
    names, loop, rng = unique_names(), asyncio.get_running_loop(), random.Random(0)
    trace = Trace(False, loop.time)
    broker = Broker(loop, rng, trace, {getattr(names, field): PARTITIONS for field in TopicNames.__dataclass_fields__})
    wire = Wire(loop, copy_context(), Chaos(rng, CALM), trace)
    return LogBackend(
        names,
        "group",
        SimReader(broker, wire, rng),
        SimAdmin(broker, wire),
        lambda name: SimProducer(broker, wire, name, 60.0),
        [],
        _nothing,
    )


def connection(bootstrap: str) -> Connection:
    """As the worker connects."""
    security = client_options(Security())
    assert isinstance(security, dict)
    return Connection(bootstrap, "contract", 10.0, security)


def adapters(bootstrap: str, names: TopicNames, group: str) -> LogBackend:
    """The real adapters on a broker."""
    to = connection(bootstrap)
    reader, admin = KafkaReader(to), KafkaAdmin(to)

    async def close() -> None:
        await reader.close()
        await admin.close()

    return LogBackend(names, group, reader, admin, lambda name: KafkaProducer(to, name, 60.0), [], close)


async def _nothing() -> None:
    pass
