"""The six topics: how they should be made, how they are, and making the missing ones.

Uses aiokafka's admin client, which its authors call experimental: everything that the worker needs of it for topics is
in this file. What a topic must be for the worker to start is in `topic_checks`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    TopicAlreadyExistsError,
    for_code,
)

from worker.kafka.reach import unavailable
from worker.kafka.requests import hidden_topics
from worker.kafka.security import Connection
from worker.kafka.topic_state import (
    DAY_MS,
    DEAD_LETTER_MARGIN,
    DEFAULT_MESSAGE_BYTES,
    MAX_MESSAGE_BYTES,
    TWO_YEARS_MS,
    ClusterState,
    TopicState,
    Unavailable,
    all_topics,
    co_partitioned,
)
from worker.model import TopicNames

DEFAULT_PARTITIONS = 12
_TRIES = 8
_PAUSE = 0.5
"""Seconds between two tries: together longer than a cluster takes to notice that a broker is gone."""


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic to make."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Creation:
    """What `create_topics` did: names made, names that were there, and (name, why) of what it could not do."""

    created: tuple[str, ...]
    existed: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


def plan_topics(
    names: TopicNames, *, partitions: int, replication: int, source_bytes: int = DEFAULT_MESSAGE_BYTES
) -> tuple[TopicPlan, ...]:
    """How the six topics are made. `source_bytes`: the largest `max.message.bytes` of the two inputs."""
    long = {"cleanup.policy": "delete", "retention.ms": str(365 * DAY_MS), "retention.bytes": "-1"}
    inputs = {
        "cleanup.policy": "delete",
        "retention.ms": str(30 * DAY_MS),
        "retention.bytes": "-1",
        MAX_MESSAGE_BYTES: str(source_bytes),
    }
    configs = {
        names.requests: inputs,
        names.replays: inputs,
        # The owner trims it (DeleteRecords); small segments give the room back soon.
        names.journal: {
            "cleanup.policy": "delete",
            "retention.ms": "-1",
            "retention.bytes": "-1",
            "segment.bytes": str(64 * 1024 * 1024),
        },
        # Read to its end by every new owner: segments close daily and are compacted early, so that it stays short.
        names.ledger: {
            "cleanup.policy": "compact,delete",
            "retention.ms": str(TWO_YEARS_MS),
            "retention.bytes": "-1",
            "segment.ms": str(DAY_MS),
            "min.cleanable.dirty.ratio": "0.1",
        },
        names.outcomes: long,
        names.dead_letters: {**long, MAX_MESSAGE_BYTES: str(source_bytes + 2 * DEAD_LETTER_MARGIN)},
    }
    # An unclean election or a lone replica may forget an acknowledged intent, and with it a register call.
    safe = {"min.insync.replicas": "2" if replication > 1 else "1", "unclean.leader.election.enable": "false"}
    return tuple(TopicPlan(name, partitions, replication, configs[name] | safe) for name in all_topics(names))


@asynccontextmanager
async def admin_client(connection: Connection) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client, closed at the end. Raises KafkaError when no broker answers."""
    admin = AIOKafkaAdminClient(**connection.options)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def describe_cluster(connection: Connection, names: TopicNames) -> ClusterState | Unavailable:
    """How the brokers and those of the six topics that exist are now."""
    try:
        async with admin_client(connection) as admin:
            for _ in range(_TRIES - 1):
                try:
                    return await _describe(admin, names)
                except (NodeNotReadyError, KafkaConnectionError):
                    # aiokafka asks a broker at random, also one that has just gone down: the others answer.
                    await asyncio.sleep(_PAUSE)
            return await _describe(admin, names)
    except (KafkaError, OSError, TimeoutError) as error:
        return await unavailable(connection, error)


async def create_topics(
    connection: Connection,
    names: TopicNames,
    *,
    partitions: int | None = None,
    replication: int | None = None,
    visible_within: float = 30.0,
) -> Creation | Unavailable:
    """Make those of the six topics that are missing; leave the others as they are. Twice does nothing more.

    `partitions` None: as many as the co-partitioned topics that exist, else `DEFAULT_PARTITIONS`. `replication` None:
    3, or 1 on a single broker. Returns when the brokers show the new ones, at most `visible_within` seconds later.
    """
    try:
        async with admin_client(connection) as admin:
            before = await _describe(admin, names)
            counts = [before.topics[name].partitions for name in co_partitioned(names) if name in before.topics]
            wanted = partitions or (counts[0] if counts else DEFAULT_PARTITIONS)
            plans = plan_topics(
                names,
                partitions=wanted,
                replication=replication or (3 if before.brokers > 1 else 1),
                source_bytes=_source_bytes(before, names),
            )
            unlike = _of_another_count(before, names, wanted)
            missing = [plan for plan in plans if plan.name not in before.topics]
            if unlike or not missing:
                return Creation((), tuple(before.topics), tuple(unlike))
            made = await _create(admin, missing)
            after = await _shown(admin, names, {*made.created, *made.existed}, visible_within)
            failed = [*made.failed, *_of_another_count(after, names, wanted)]
            failed += [
                (name, _unseen(name in after.hidden, visible_within))
                for name in (*made.created, *made.existed)
                if name not in after.topics
            ]
            return Creation(made.created, (*before.topics, *made.existed), tuple(failed))
    except (KafkaError, OSError, TimeoutError) as error:
        return await unavailable(connection, error)


def _unseen(hidden: bool, seconds: float) -> str:
    if hidden:
        return "it is there, but this user may not describe it"
    return f"made, but not shown within {seconds:g} s; check again"


async def _create(admin: AIOKafkaAdminClient, plans: list[TopicPlan]) -> Creation:
    answer = await admin.create_topics(
        [NewTopic(plan.name, plan.partitions, plan.replication, topic_configs=dict(plan.configs)) for plan in plans]
    )
    codes = {name: (code, message) for name, code, message in answer.topic_errors}
    return Creation(
        created=tuple(name for name, (code, _) in codes.items() if code == 0),
        # Somebody else made it in between, or just before: a broker learns of it a little later.
        existed=tuple(name for name, (code, _) in codes.items() if code == TopicAlreadyExistsError.errno),
        failed=tuple(
            (name, f"{for_code(code).__name__}: {message or 'no reason given'}")
            for name, (code, message) in codes.items()
            if code not in (0, TopicAlreadyExistsError.errno)
        ),
    )


def _of_another_count(cluster: ClusterState, names: TopicNames, wanted: int) -> list[tuple[str, str]]:
    return [
        (name, f"exists with {cluster.topics[name].partitions} partitions, not {wanted}; nothing was changed")
        for name in co_partitioned(names)
        if name in cluster.topics and cluster.topics[name].partitions != wanted
    ]


async def _shown(admin: AIOKafkaAdminClient, names: TopicNames, wanted: set[str], seconds: float) -> ClusterState:
    """The cluster once it shows every topic of `wanted` and its configs, or as it is when the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        cluster = await _describe(admin, names)
        seen = wanted - cluster.hidden
        ready = all(name in cluster.topics and cluster.topics[name].configs is not None for name in seen)
        if ready or loop.time() >= deadline:
            return cluster
        await asyncio.sleep(0.1)


async def _describe(admin: AIOKafkaAdminClient, names: TopicNames) -> ClusterState:
    wanted = all_topics(names)
    cluster = await admin.describe_cluster()
    # All topics and not these six: asking for one by name would make it where the broker creates topics by itself.
    found = {topic["topic"]: topic for topic in await admin.describe_topics() if topic["topic"] in wanted}
    existing = {name: found[name] for name in wanted if name in found and found[name]["partitions"]}
    configs = await _configs(admin, tuple(existing)) if existing else {}
    hidden = await hidden_topics(admin, [name for name in wanted if name not in existing])
    return ClusterState(
        hidden=hidden,
        brokers=len(cluster["brokers"]),
        topics={
            name: TopicState(
                name=name,
                partitions=len(topic["partitions"]),
                replication=min(len(partition["replicas"]) for partition in topic["partitions"]),
                configs=configs.get(name),
            )
            for name, topic in existing.items()
        },
    )


async def _configs(admin: AIOKafkaAdminClient, topics: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Effective configs by topic; a topic whose configs may not or can't be read is left out."""
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    found: dict[str, dict[str, str]] = {}
    for answer in answers:
        for code, _message, _kind, name, entries in answer.resources:
            if code == 0:
                # The first two fields of an entry are its name and value in every version of the answer.
                found[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return found


def _source_bytes(cluster: ClusterState, names: TopicNames) -> int:
    inputs = [topic for name, topic in cluster.topics.items() if name in names.inputs]
    return max([DEFAULT_MESSAGE_BYTES, *(topic.number(MAX_MESSAGE_BYTES) or 0 for topic in inputs)])
