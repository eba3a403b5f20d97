"""The worker's six topics, made fresh for a test."""

import uuid

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from tests.brokers.waiting import equals
from worker.model import TopicNames

_TWO_YEARS_MS = str(2 * 365 * 24 * 3600 * 1000)
_SOURCE_BYTES = 1_048_588
"""Kafka's default `max.message.bytes`."""

CONFIGS: dict[str, dict[str, str]] = {
    "requests": {"cleanup.policy": "delete"},
    "replays": {"cleanup.policy": "delete"},
    "journal": {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
    "ledger": {"cleanup.policy": "compact,delete", "retention.ms": _TWO_YEARS_MS},
    "outcomes": {"cleanup.policy": "delete", "retention.ms": _TWO_YEARS_MS},
    "dead_letters": {
        "cleanup.policy": "delete",
        "retention.ms": _TWO_YEARS_MS,
        "max.message.bytes": str(_SOURCE_BYTES + 131_072),
    },
}
"""Topic configs by the field of TopicNames."""


def unique_names() -> TopicNames:
    """Names that no other test has."""
    tag = uuid.uuid4().hex[:10]
    return TopicNames(
        requests=f"t{tag}.requests",
        replays=f"t{tag}.replays",
        journal=f"t{tag}.journal",
        ledger=f"t{tag}.ledger",
        outcomes=f"t{tag}.outcomes",
        dead_letters=f"t{tag}.dead-letters",
    )


async def create(bootstrap: str, names: TopicNames, *, partitions: int, replication: int = 1) -> None:
    """Create the six with `partitions` partitions each. Returns when all can be written to.

    Raises KafkaError where one is refused, AssertionError where one gets no leader.
    """
    topics = [
        NewTopic(getattr(names, field), partitions, replication, topic_configs=configs)
        for field, configs in CONFIGS.items()
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        response = await admin.create_topics(topics)
        for topic, code, *message in response.topic_errors:
            if code:
                raise for_code(code)(f"{topic}: {message}")
        await equals(lambda: _have_leaders(admin, names), True, timeout=30)
    finally:
        await admin.close()


async def _have_leaders(admin: AIOKafkaAdminClient, names: TopicNames) -> bool:
    """Whether every partition can be written to: a broker says "created" a little earlier."""
    described = await admin.describe_topics([getattr(names, field) for field in CONFIGS])
    return all(
        topic["error_code"] == 0
        and topic["partitions"]
        and all(partition["error_code"] == 0 and partition["leader"] >= 0 for partition in topic["partitions"])
        for topic in described
    )


async def delete(bootstrap: str, names: TopicNames) -> None:
    """Delete the six: the embedded broker rewrites all it holds every second. A broker that is gone is no error."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        await admin.delete_topics([getattr(names, field) for field in CONFIGS])
    except KafkaError:  # the test ended its broker; nothing is left to clean
        pass
    finally:
        await admin.close()
