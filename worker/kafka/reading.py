"""What commands read topics with: how many partitions each has, and scans that tell how far they have come."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing

from worker.kafka.scan import scan
from worker.kafka.security import Connection
from worker.kafka.topic_state import Unavailable, all_topics
from worker.kafka.topics import describe_cluster
from worker.model import Record, TopicNames
from worker.ports import Isolation, Lost, Scan


async def partition_counts(connection: Connection, names: TopicNames) -> Mapping[str, int] | str:
    """How many partitions each of the six topics has; or why they can't be read, in words for the operator."""
    cluster = await describe_cluster(connection, names)
    if isinstance(cluster, Unavailable):
        return f"Kafka could not be read: {cluster.detail}; check KAFKA_BOOTSTRAP_SERVERS"
    if missing := [name for name in all_topics(names) if name not in cluster.topics]:
        return f"topics are missing: {', '.join(missing)}; see `worker topics check`"
    return {name: topic.partitions for name, topic in cluster.topics.items()}


def counted_scan(connection: Connection, step: Callable[[], None]) -> Scan:
    """`scan` on this connection; `step` is called for each record that is read."""

    async def counted(
        topic: str,
        partitions: Iterable[int],
        isolation: Isolation,
        *,
        start: Mapping[int, int] | None = None,
        end: Mapping[int, int] | None = None,
    ) -> AsyncGenerator[Record | Lost, None]:
        async with aclosing(scan(connection, topic, partitions, isolation, start=start, end=end)) as records:
            async for record in records:
                step()
                yield record

    return counted
