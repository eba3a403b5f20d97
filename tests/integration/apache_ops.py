"""What happens to a cluster behind a worker's back (retention, expired offsets, changed configs), and what shows."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.protocol.admin import DeleteGroupsRequest

from tests.brokers.clients import Clients
from tests.brokers.waiting import equals, until
from tests.integration.events import Draft, event, numbers_on
from tests.integration.harness import Scene
from tests.integration.worker_process import WorkerProcess
from worker.model import Coordinates

PATIENCE = 120.0
"""Deadline of every wait, in seconds: generous, nothing is measured by it."""

BRISK = {
    "KAFKA_SESSION_TIMEOUT": "4",
    "KAFKA_HEARTBEAT_INTERVAL": "0.5",
    "KAFKA_REBALANCE_TIMEOUT": "8",
    "KAFKA_MAX_POLL_INTERVAL": "9",
    "KRAVIA_REGISTER_TIMEOUT": "4",
    "WORKER_COMMIT_TIMEOUT": "4",
    "WORKER_DRAIN_TIMEOUT": "8",
}
"""Settings of a member that is evicted soon when it is silent, and whose budgets fit to that."""


def events_on(partition: int, count: int, prefix: str = "") -> list[Draft]:
    """Good events whose identities lead to this partition (of 4); another prefix, other invoices."""
    numbers = numbers_on(partition, prefix=prefix)
    return [event(next(numbers)) for _ in range(count)]


@dataclass(frozen=True)
class Bounds:
    """Of a partition: its first offset, its last stable offset, its end."""

    start: int
    stable: int
    end: int


class Ops:
    """An operator's view of a scene's topics and group."""

    def __init__(self, scene: Scene, clients: Clients) -> None:
        self._topics, self._group, self._clients = scene.topics, scene.group, clients
        self._admin: AIOKafkaAdminClient | None = None
        self._consumers: dict[str, AIOKafkaConsumer] = {}

    async def _client(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            self._admin = await self._clients.admin()
        return self._admin

    async def _consumer(self, isolation: str) -> AIOKafkaConsumer:
        if isolation not in self._consumers:
            self._consumers[isolation] = await self._clients.consumer(isolation)
        return self._consumers[isolation]

    # What it looks like

    async def bounds(self, topic: str, partition: int) -> Bounds:
        """A partition's bounds now."""
        tp = TopicPartition(topic, partition)
        committed, all_ = await self._consumer("read_committed"), await self._consumer("read_uncommitted")
        return Bounds(
            (await all_.beginning_offsets([tp]))[tp],
            (await committed.end_offsets([tp]))[tp],
            (await all_.end_offsets([tp]))[tp],
        )

    async def committed(self, partition: int) -> int | None:
        """What the group has committed of a partition of the requests."""
        tp = TopicPartition(self._topics.requests, partition)
        found = (await (await self._client()).list_consumer_group_offsets(self._group, partitions=[tp])).get(tp)
        return None if found is None or found.offset < 0 else int(found.offset)

    async def settled_to(self, last: Coordinates) -> int:
        """Wait until the group shows as committed what is up to this record of the requests: later than its outcome."""
        await equals(lambda: self.committed(last.partition), last.offset + 1, PATIENCE)
        return last.offset + 1

    async def members(self) -> list[str]:
        """The group's member ids, sorted; none while it rebalances."""
        [answer] = await (await self._client()).describe_consumer_groups([self._group])
        _, _, state, _, _, members, *_ = answer.groups[0]
        return sorted(member[0] for member in members) if state == "Stable" else []

    # What happens to it

    async def configure(self, topic: str, configs: dict[str, str]) -> None:
        """Set a topic's configs; what is not named goes back to its default."""
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs)
        answers = await (await self._client()).alter_configs([resource])
        assert [found[0] for answer in answers for found in answer.resources] == [0], answers
        # The controller answers before the broker goes by it.
        await equals(lambda: self._configured(topic, set(configs)), configs, PATIENCE)

    async def _configured(self, topic: str, names: set[str]) -> dict[str, str]:
        asked = ConfigResource(ConfigResourceType.TOPIC, topic)
        [answer] = await (await self._client()).describe_configs([asked])
        [(_, _, _, _, entries)] = answer.resources
        return {name: value for name, value, *_ in entries if name in names}

    async def add_partition(self, *topics: str, to: int) -> None:
        """Give topics so many partitions."""
        await (await self._client()).create_partitions({topic: NewPartitions(to) for topic in topics})

        async def counts() -> list[int]:
            described = await (await self._client()).describe_topics(list(topics))
            return [len(topic["partitions"]) for topic in described]

        # The controller answers before the broker shows them.
        await equals(counts, [to] * len(topics), PATIENCE)

    async def delete_before(self, topic: str, partition: int, offset: int) -> None:
        """DeleteRecords: what retention does, at once."""
        client = await self._client()
        await client.delete_records({TopicPartition(topic, partition): RecordsToDelete(offset)})

    async def forget_group(self) -> None:
        """Delete the group with its offsets, as when they expire; a group without members, the broker insists."""
        client = await self._client()
        node = await client.find_coordinator(self._group)

        async def look() -> int:
            answer = await client._send_request(DeleteGroupsRequest([self._group]), node)
            return int(answer.results[0][1])

        await equals(look, 0, PATIENCE)
        assert await self.committed(0) is None

    async def move_offset(self, partition: int, offset: int) -> None:
        """Commit an offset for the group, which has no members: what an operator does by hand."""
        client = await self._clients.consumer(group_id=self._group)
        tp = TopicPartition(self._topics.requests, partition)
        client.assign([tp])
        await client.commit({tp: offset})
        await client.stop()


async def problems_of(worker: WorkerProcess, containing: str) -> str:
    """Wait until readiness is refused with a text that contains this, and return the text."""

    async def look() -> tuple[int, str]:
        return await worker.ask("readyz")

    _, text = await until(look, lambda seen: seen[0] == 503 and containing in seen[1], PATIENCE)
    return text


def logged(worker: WorkerProcess, event_name: str) -> list[dict[str, object]]:
    """The worker's log lines of this name, of this life."""
    return [line for line in worker.log() if line.get("event") == event_name]
