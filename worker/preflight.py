"""What must be in order before the worker joins its group and starts any producer."""

import structlog

from worker.kafka.reader import KafkaReader
from worker.kafka.security import Connection
from worker.kafka.topic_checks import Severity, compare
from worker.kafka.topic_state import ClusterState, Unavailable
from worker.kafka.topics import describe_cluster
from worker.ownership.restore import find_header
from worker.ports import Lost
from worker.settings import Settings

log = structlog.get_logger(__name__)


async def preflight(settings: Settings, connection: Connection) -> ClusterState | None:
    """The cluster as it is, when it is fit for the worker; else every reason is logged."""
    topics = settings.topic_names
    cluster = await describe_cluster(connection, topics)
    if isinstance(cluster, Unavailable):
        log.error("refused_to_start", detail=f"the brokers are not available: {cluster}")
        return None
    fit = True
    for finding in compare(cluster, topics, bootstrap_servers=connection.bootstrap_servers):
        if finding.severity is Severity.ERROR:
            fit = False
            log.error("refused_to_start", detail=str(finding))
        else:
            log.warning("topic_check", detail=str(finding))
    if not fit:
        return None
    # Before the group is joined and before any producer starts: it would fence the right owner.
    reader = KafkaReader(connection)
    count = partitions_of(cluster, topics.ledger)
    for partition in range(count):
        header = await find_header(reader, topics, partition)
        if isinstance(header, Lost):
            log.error("refused_to_start", detail=header.detail)
            return None
        for difference in header.differences(settings.kafka_group_id, topics, count) if header else ():
            fit = False
            log.error(
                "refused_to_start", detail=f"ledger partition {partition} belongs to another worker: {difference}"
            )
    return cluster if fit else None


def partitions_of(cluster: ClusterState, topic: str) -> int:
    """How many partitions a topic has that is there."""
    return cluster.topics[topic].partitions
