"""The brokers, the topics, the rights on them, and whose ledger it is. Nothing live is touched: see `kafka.rights`."""

from collections.abc import AsyncIterator
from typing import Final

from worker.doctor.findings import Finding, fail, ok, warn
from worker.doctor.rights import rights_findings
from worker.kafka.reader import KafkaAdmin, KafkaReader
from worker.kafka.rights import ask_rights
from worker.kafka.security import Connection
from worker.kafka.topic_checks import Severity, compare
from worker.kafka.topic_state import ClusterState, Unavailable
from worker.kafka.topics import describe_cluster
from worker.model import Partition
from worker.ownership.restore import find_header
from worker.ports import Lost
from worker.settings import Settings

_KAFKA: Final = "kafka"
_TOPICS: Final = "topics"
_LEDGER: Final = "ledger"
_REACH: Final = (
    "check KAFKA_BOOTSTRAP_SERVERS, the KAFKA_SECURITY_…, KAFKA_SASL_… and KAFKA_SSL_… settings, the brokers' "
    "advertised.listeners, and the network"
)


async def kafka_findings(settings: Settings, connection: Connection) -> AsyncIterator[Finding]:
    """One after another, as they are found. Without a broker there is only that."""
    names = settings.topic_names
    cluster = await describe_cluster(connection, names)
    if isinstance(cluster, Unavailable):
        yield fail(_KAFKA, "brokers", f"not available ({cluster.detail})", _REACH)
        return
    yield ok(_KAFKA, "brokers", f"{connection.bootstrap_servers} answers; {cluster.brokers} in the cluster")
    differences = compare(cluster, names, bootstrap_servers=connection.bootstrap_servers)
    for found in differences:
        level = fail if found.severity is Severity.ERROR else warn
        detail = f"{found.config} is {found.has}, should be {found.should}: {found.why}"
        yield level(_TOPICS, found.topic, detail, found.remedy)
    if not differences:
        count = cluster.topics[names.requests].partitions
        yield ok(_TOPICS, "all six", f"as they must be; {count} partitions")
    told = await ask_rights(
        connection, names, list(cluster.topics), settings.kafka_group_id, settings.kafka_transaction_timeout
    )
    if isinstance(told, Unavailable):
        yield warn("rights", "all", f"could not be asked ({told.detail})", "run it again; look at the brokers' logs")
    else:
        for finding in rights_findings(
            told,
            names,
            settings.kafka_group_id,
            settings.kafka_session_timeout,
            settings.kafka_transaction_timeout,
        ):
            yield finding
    if names.journal in cluster.topics:
        yield await _trimming(connection, names.journal)
    if names.ledger in cluster.topics:
        async for finding in _headers(settings, connection, cluster):
            yield finding


async def _trimming(connection: Connection, journal: str) -> Finding:
    """DeleteRecords of what is before the log's start: nothing."""
    what, admin, first = f"{journal}: DeleteRecords", KafkaAdmin(connection), Partition(journal, 0)
    try:
        starts = await admin.earliest([first])
        lost = starts if isinstance(starts, Lost) else await admin.delete_before(starts)
    finally:
        await admin.close()
    if lost is None:
        return ok("rights", what, "works (tried before the log's start, where there is nothing)")
    return fail(
        "rights",
        what,
        f"refused ({lost.detail}): the journal would never be trimmed and grow without bound",
        f"allow this user Delete on {journal}",
    )


async def _headers(settings: Settings, connection: Connection, cluster: ClusterState) -> AsyncIterator[Finding]:
    """Whether every ledger partition belongs to a worker with these settings."""
    names = settings.topic_names
    count = cluster.topics[names.ledger].partitions
    reader = KafkaReader(connection)
    begun, differs = 0, False
    try:
        for partition in range(count):
            what = f"{names.ledger}/{partition}"
            header = await find_header(reader, names, partition)
            if isinstance(header, Lost):
                yield fail(_LEDGER, what, header.detail, "look at what it says; run it again")
                return
            begun += header is not None
            for difference in header.differences(settings.kafka_group_id, names, count) if header else ():
                differs = True
                yield fail(
                    _LEDGER,
                    what,
                    f"belongs to another worker: {difference}",
                    "set it as the ledger says; never delete the ledger: what it knows would be billed again",
                )
    finally:
        await reader.close()
    if not differs:
        yield ok(_LEDGER, "headers", f"{begun} of {count} partitions begun, all by a worker with these settings")
