"""Making and checking the topics on a real broker."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.brokers import topics as topic_sets
from tests.brokers.apache import ApacheKafka
from tests.brokers.base import Broker
from tests.brokers.waiting import equals
from worker.kafka.security import Connection
from worker.kafka.topic_checks import Finding, Severity, check_topics
from worker.kafka.topic_state import DAY_MS, ClusterState, all_topics
from worker.kafka.topics import Creation, create_topics, describe_cluster
from worker.model import TopicNames


@pytest.fixture
def connection(broker: Broker) -> Connection:
    return Connection(broker.bootstrap, "test-topics", 20, {"security_protocol": "PLAINTEXT"})


@pytest_asyncio.fixture
async def names(broker: Broker) -> AsyncIterator[TopicNames]:
    """Six names that nothing else uses; what was made of them is gone afterwards."""
    fresh = topic_sets.unique_names()
    yield fresh
    await topic_sets.delete(broker.bootstrap, fresh)


async def make(broker: Broker, topic: str, configs: Mapping[str, str], *, partitions: int = 2) -> None:
    """Make a topic, and wait until the broker shows it, which is a little later."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=dict(configs))])
        assert [code for _, code, _ in answer.topic_errors] == [0]

        async def shown() -> bool:
            return topic in await admin.list_topics()

        await equals(shown, True, timeout=30)
    finally:
        await admin.close()


def errors(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.topic, finding.config) for finding in findings if finding.severity is Severity.ERROR}


async def test_create_then_check_finds_nothing_and_twice_does_nothing_more(
    connection: Connection, names: TopicNames
) -> None:
    assert errors(await check_topics(connection, names)) == {(name, "topic") for name in all_topics(names)}
    first = await create_topics(connection, names, partitions=3)
    assert first == Creation(all_topics(names), (), ())
    assert await check_topics(connection, names) == []
    before = await describe_cluster(connection, names)
    assert isinstance(before, ClusterState)
    assert {topic.partitions for topic in before.topics.values()} == {3}
    second = await create_topics(connection, names, partitions=3)
    assert isinstance(second, Creation)
    assert (second.created, set(second.existed), second.failed) == ((), set(all_topics(names)), ())
    assert await describe_cluster(connection, names) == before


async def test_create_adds_what_is_missing_to_what_is_there(
    broker: Broker, connection: Connection, names: TopicNames
) -> None:
    await make(broker, names.requests, {"max.message.bytes": "4000000"}, partitions=5)
    result = await create_topics(connection, names)
    assert isinstance(result, Creation)
    assert (result.existed, result.failed) == ((names.requests,), ())
    cluster = await describe_cluster(connection, names)
    assert isinstance(cluster, ClusterState)
    assert {topic.partitions for topic in cluster.topics.values()} == {5}
    assert errors(await check_topics(connection, names)) == set()


async def test_create_does_not_make_half_a_set_of_another_partition_count(
    broker: Broker, connection: Connection, names: TopicNames
) -> None:
    await make(broker, names.ledger, {"cleanup.policy": "compact,delete"}, partitions=5)
    result = await create_topics(connection, names, partitions=4)
    assert isinstance(result, Creation)
    assert result.created == ()
    assert result.failed == ((names.ledger, "exists with 5 partitions, not 4; nothing was changed"),)


async def test_two_that_create_at_once_agree(connection: Connection, names: TopicNames) -> None:
    results = await asyncio.gather(*(create_topics(connection, names, partitions=2) for _ in range(2)))
    assert all(isinstance(result, Creation) and not result.failed for result in results)
    assert await check_topics(connection, names) == []


async def test_more_replicas_than_brokers_is_told(connection: Connection, names: TopicNames) -> None:
    result = await create_topics(connection, names, partitions=1, replication=3)
    assert isinstance(result, Creation)
    assert {name for name, _ in result.failed} == set(all_topics(names))
    assert all("InvalidReplicationFactor" in why for _, why in result.failed)


WRONG: list[tuple[str, dict[str, str], set[tuple[str, str]]]] = [
    ("journal", {"cleanup.policy": "compact", "retention.ms": "-1"}, {("journal", "cleanup.policy")}),
    ("journal", {"retention.ms": str(7 * DAY_MS)}, {("journal", "retention.ms")}),
    ("journal", {"retention.ms": "-1", "retention.bytes": "1000000"}, {("journal", "retention.bytes")}),
    ("ledger", {"cleanup.policy": "delete", "retention.ms": "-1"}, {("ledger", "cleanup.policy")}),
    ("ledger", {"cleanup.policy": "compact,delete", "retention.ms": str(DAY_MS)}, {("ledger", "retention.ms")}),
    # What is compacted is kept for ever: then the ledger would forget before its input does.
    ("requests", {"cleanup.policy": "compact"}, {("requests", "cleanup.policy"), ("ledger", "retention.ms")}),
    ("dead_letters", {"max.message.bytes": str(1_048_588 + 65_536)}, {("dead_letters", "max.message.bytes")}),
]


# The same names in every process: a set in them would be written in any order.
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong[0]}: {wrong[1]}")
async def test_each_wrong_config_is_an_error(
    broker: Broker,
    connection: Connection,
    names: TopicNames,
    wrong: tuple[str, dict[str, str], set[tuple[str, str]]],
) -> None:
    role, configs, found = wrong
    await make(broker, getattr(names, role), configs)
    await create_topics(connection, names, partitions=2)
    expected = {(getattr(names, topic), config) for topic, config in found}
    assert errors(await check_topics(connection, names)) == expected


async def test_topics_that_are_not_co_partitioned_are_an_error(
    broker: Broker, connection: Connection, names: TopicNames
) -> None:
    other = replace(names, replays=f"{names.replays}.other")
    await create_topics(connection, names, partitions=2)
    await make(broker, other.replays, {}, partitions=3)
    [finding] = [f for f in await check_topics(connection, other) if f.severity is Severity.ERROR]
    assert finding.config == "partitions"
    assert f"{other.replays} 3" in finding.has
    await topic_sets.delete(broker.bootstrap, replace(names, replays=other.replays))


async def test_the_command_line(broker: Broker, names: TopicNames, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {f"TOPIC_{field.name.upper()}": getattr(names, field.name) for field in fields(names)}
    environment |= {"KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "PYTHONPATH": str(root)}

    def worker(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "worker", *words],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    missing = worker("topics", "check")
    assert missing.returncode == 1
    assert missing.stdout.count("remedy: worker topics create") == 6
    made = worker("topics", "create", "--partitions", "2")
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.splitlines() == [f"created {name}" for name in all_topics(names)]
    again = worker("topics", "create", "--partitions", "2")
    assert (again.returncode, again.stdout.count("exists ")) == (0, 6)
    assert worker("topics", "check").stdout == "all six topics are as they must be\n"
    assert json.loads(worker("topics", "check", "--json").stdout) == []


@pytest.mark.apache
async def test_three_brokers_get_three_replicas_and_fewer_are_an_error(tmp_path: Path) -> None:
    kafka = ApacheKafka(tmp_path, nodes=3)
    try:
        connection = Connection(await kafka.start(), "test-topics", 20, {})
        good, lone = topic_sets.unique_names(), topic_sets.unique_names()
        assert await create_topics(connection, good, partitions=3) == Creation(all_topics(good), (), ())
        cluster = await describe_cluster(connection, good)
        assert isinstance(cluster, ClusterState)
        assert cluster.brokers == 3
        assert {topic.replication for topic in cluster.topics.values()} == {3}
        assert await check_topics(connection, good) == []
        assert await create_topics(connection, lone, partitions=1, replication=1) == Creation(all_topics(lone), (), ())
        assert errors(await check_topics(connection, lone)) == {
            (name, config) for name in all_topics(lone) for config in ("replication factor", "min.insync.replicas")
        }
    finally:
        kafka.kill()
