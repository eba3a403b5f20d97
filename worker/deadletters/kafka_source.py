"""`worker.deadletters.source.Source` on Kafka."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from worker.kafka.scan import scan
from worker.kafka.security import Connection
from worker.kafka.topic_state import ClusterState, Unavailable
from worker.kafka.topics import describe_cluster
from worker.model import Coordinates, Record, TopicNames
from worker.ports import Isolation, Lost


@dataclass(frozen=True, slots=True)
class KafkaSource:
    """`Source` on Kafka. `cluster`: which topics there are; `step` is called for each record that is read.

    It reads each partition from its beginning: see `worker.kafka.scan`.
    """

    connection: Connection
    topics: TopicNames
    cluster: ClusterState
    step: Callable[[], None]

    @property
    def partitions(self) -> Mapping[str, int]:
        """How many each topic has that is there."""
        return {name: state.partitions for name, state in self.cluster.topics.items()}

    def letters(self) -> AsyncGenerator[Record | Lost, None]:
        """See `Source`."""
        return self._all(self.topics.dead_letters)

    def outcomes(self) -> AsyncGenerator[Record | Lost, None]:
        """See `Source`."""
        return self._all(self.topics.outcomes)

    async def one(self, at: Coordinates) -> Record | None | Lost:
        """See `Source`."""
        topic, partition, offset = at
        if partition >= self.partitions.get(topic, 0):
            return None
        start, end = {partition: offset}, {partition: offset + 1}
        # The caller knows that it is committed.
        records = scan(self.connection, topic, [partition], Isolation.UNCOMMITTED, start=start, end=end)
        async with aclosing(records):
            async for record in records:
                return record
        return None

    async def _all(self, topic: str) -> AsyncGenerator[Record | Lost, None]:
        records = scan(self.connection, topic, range(self.partitions[topic]), Isolation.COMMITTED)
        async with aclosing(records):
            async for record in records:
                self.step()
                yield record


async def open_source(connection: Connection, topics: TopicNames, step: Callable[[], None]) -> KafkaSource | str:
    """The source, or why Kafka can't be read, in words for the operator."""
    cluster = await describe_cluster(connection, topics)
    if isinstance(cluster, Unavailable):
        return f"Kafka could not be read: {cluster}"
    needed = (topics.dead_letters, topics.outcomes)
    if lack := cluster.lacks(needed):
        return lack
    return KafkaSource(connection, topics, cluster, step)
