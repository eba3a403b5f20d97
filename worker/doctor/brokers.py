"""The brokers, the topics, the rights on them, and the group. Nothing live is touched."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

from worker.doctor.findings import Finding, fail, ok, warn
from worker.doctor.group import group_findings
from worker.doctor.ledger import ledger_findings
from worker.doctor.rights import Wanted, missing, rights_findings
from worker.doctor.roles import Right
from worker.kafka.reach import Survey, survey
from worker.kafka.reader import KafkaAdmin
from worker.kafka.rights import Operation, Told, ask_rights
from worker.kafka.security import Connection, user_of
from worker.kafka.topic_checks import NOT_TOLD, Severity, compare
from worker.kafka.topic_state import ClusterState, Unavailable
from worker.kafka.topics import describe_cluster
from worker.model import Partition
from worker.ports import Lost
from worker.settings import Settings

_KAFKA: Final = "kafka"
_TOPICS: Final = "topics"


async def kafka_findings(settings: Settings, connection: Connection) -> AsyncIterator[Finding]:
    """One after another, as they are found. Without a broker there is only that."""
    names, group = settings.topic_names, settings.kafka_group_id
    seen = await survey(connection)
    for finding in reach_findings(seen):
        yield finding
    if seen.fatal is not None:
        return
    cluster = await describe_cluster(connection, names)
    if isinstance(cluster, Unavailable):
        yield fail(_KAFKA, "brokers", f"not available ({cluster.detail})", cluster.remedy)
        return
    told = await ask_rights(connection, names, group, settings.kafka_transaction_timeout)
    if isinstance(told, Unavailable):
        yield warn("rights", "all", f"could not be asked ({told.detail})", told.remedy)
        told = Told()
    denied = missing(told, names, group)
    for finding in _topics(cluster, settings, connection, denied):
        yield finding
    wanted = Wanted(
        names,
        group,
        settings.kafka_session_timeout,
        settings.kafka_transaction_timeout,
        user_of(settings),
        connection.bootstrap_servers,
    )
    for finding in rights_findings(told, wanted):
        yield finding
    if names.journal in cluster.topics and not _lacks(denied, names.journal, Operation.DELETE):
        yield await _trimming(connection, names.journal)
    if not any(right.resource == f"group {group}" for right in denied):
        client = settings.kafka_client_id
        for finding in group_findings(told.use, names, group, settings.kafka_group_instance_id, client):
            yield finding
    if names.ledger in cluster.topics and not _lacks(denied, names.ledger, Operation.READ):
        async for finding in ledger_findings(settings, connection, cluster):
            yield finding


def reach_findings(seen: Survey) -> Iterator[Finding]:
    """Whether every broker can be reached, at every address that is given or advertised."""
    if not seen.brokers:
        for trouble in seen.bootstrap.values():
            yield fail(_KAFKA, "brokers", trouble.detail, trouble.remedy)
        return
    for trouble in seen.bootstrap.values():
        yield warn(_KAFKA, "KAFKA_BOOTSTRAP_SERVERS", trouble.detail, trouble.remedy)
    for trouble in seen.astray.values():
        yield fail(_KAFKA, "brokers", trouble.detail, trouble.remedy)
    if not seen.astray:
        yield ok(_KAFKA, "brokers", f"{len(seen.brokers)} in the cluster, each reached where it says that it is")


def _lacks(denied: frozenset[Right], topic: str, operation: Operation) -> bool:
    return any(right.name == topic and right.operation is operation for right in denied)


def _topics(
    cluster: ClusterState, settings: Settings, connection: Connection, denied: frozenset[Right]
) -> Iterator[Finding]:
    """What `worker topics check` says, less what is only a right that is missing: the rights are told by themselves."""
    names, count = settings.topic_names, 0
    for found in compare(cluster, names, bootstrap_servers=connection.bootstrap_servers):
        count += 1
        if found.topic in cluster.hidden:
            continue
        if found.has == NOT_TOLD and _lacks(denied, found.topic, Operation.DESCRIBE_CONFIGS):
            continue
        level = fail if found.severity is Severity.ERROR else warn
        detail = f"{found.config} is {found.has}, should be {found.should}: {found.why}"
        yield level(_TOPICS, found.topic, detail, found.remedy)
    if not count:
        yield ok(_TOPICS, "all six", f"as they must be; {cluster.topics[names.requests].partitions} partitions")


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
