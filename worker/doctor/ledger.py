"""Whose the ledger is, and whether ledger and journal hold what the group's offsets were settled with."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

from worker.doctor.findings import Finding, fail, ok
from worker.doctor.group import offsets_without_ledger
from worker.facts import UnreadableRecordError
from worker.kafka.reader import KafkaAdmin, KafkaReader
from worker.kafka.security import Connection
from worker.kafka.topic_state import ClusterState
from worker.model import Partition
from worker.ownership.mark import forgotten, marks
from worker.ownership.restore import find_header
from worker.ports import Committed, Lost
from worker.settings import Settings
from worker.standing import Header

_LEDGER: Final = "ledger"
_Offsets = Mapping[Partition, Committed | None]


async def ledger_findings(settings: Settings, connection: Connection, cluster: ClusterState) -> AsyncIterator[Finding]:
    """Whether every ledger partition belongs to a worker with these settings, and has lost nothing."""
    names, group = settings.topic_names, settings.kafka_group_id
    count = cluster.topics[names.ledger].partitions
    headers: list[Header | None] = []
    inputs = [Partition(topic, number) for topic in names.inputs for number in range(count)]
    logs = [Partition(topic, number) for topic in (names.ledger, names.journal) for number in range(count)]
    counts = [cluster.topics[name].partitions for name in (*names.inputs, names.journal) if name in cluster.topics]
    whole = counts == [count] * 3
    reader, admin = KafkaReader(connection), KafkaAdmin(connection)
    differs = False
    try:
        # In this order: a worker that begins meanwhile writes a header before it commits offsets.
        committed = await admin.committed(group, inputs) if whole else None
        for partition in range(count):
            what = f"{names.ledger}/{partition}"
            header = await find_header(reader, names, partition)
            if isinstance(header, Lost):
                yield fail(_LEDGER, what, header.detail, "look at what it says; run it again")
                return
            headers.append(header)
            for difference in header.differences(group, names, count) if header else ():
                differs = True
                yield fail(
                    _LEDGER,
                    what,
                    f"belongs to another worker: {difference}",
                    "set it as the ledger says; never delete the ledger: what it knows would be billed again",
                )
        ends = await admin.latest(logs) if whole else None
    finally:
        await reader.close()
        await admin.close()
    begun = sum(header is not None for header in headers)
    if not differs:
        yield ok(_LEDGER, "headers", f"{begun} of {count} partitions begun, all by a worker with these settings")
    if committed is None or ends is None or isinstance(committed, Lost) or isinstance(ends, Lost):
        return  # topics that are missing, rights that it takes: findings of their own
    for finding in memory_findings(settings, headers, committed, ends):
        yield finding


def memory_findings(
    settings: Settings, headers: list[Header | None], committed: _Offsets, ends: Mapping[Partition, int]
) -> Iterator[Finding]:
    """What ledger and journal lack of what was settled. `headers` by partition; `ends`: the logs' high watermarks."""
    names, group = settings.topic_names, settings.kafka_group_id
    marked, lacking = 0, False
    for number, header in enumerate(headers):
        logs = Partition(names.ledger, number), Partition(names.journal, number)
        what = f"{names.ledger}/{number}"
        try:
            known = marks({topic: committed[Partition(topic, number)] for topic in names.inputs})
        except UnreadableRecordError as error:
            yield fail(_LEDGER, what, str(error), "run the newer worker")
            continue
        marked += bool(known)
        lacks = forgotten(known, names, header, ends[logs[0]], ends[logs[1]])
        if lacks:
            lacking = True
            yield fail(
                _LEDGER,
                what,
                f"the group's offsets were settled with more than is there: {'; '.join(lacks)}",
                "start no worker with other offsets: what is missing would be billed again; docs/how-to/restore.md",
            )
    begun = any(header is not None for header in headers)
    offsets = sum(committed[Partition(names.requests, number)] is not None for number in range(len(headers)))
    if marked and not lacking:
        yield ok(_LEDGER, "memory", f"ledger and journal hold what {marked} of {len(headers)} partitions settled with")
    elif not begun and not marked and offsets:
        yield offsets_without_ledger(group, offsets)
