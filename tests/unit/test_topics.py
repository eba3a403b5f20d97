"""What the worker refuses about topics: each rule on its own, from a state in which nothing is wrong."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from worker.kafka.topic_checks import Finding, Severity, compare
from worker.kafka.topic_state import DAY_MS, DEFAULT_MESSAGE_BYTES, ClusterState, TopicState, all_topics
from worker.kafka.topics import plan_topics
from worker.model import TopicNames

NAMES = TopicNames()
BROKER_DEFAULTS = {
    "max.message.bytes": str(DEFAULT_MESSAGE_BYTES),
    "compression.type": "producer",
    "retention.bytes": "-1",
}
ERROR, WARNING = Severity.ERROR, Severity.WARNING


def cluster(brokers: int = 3, partitions: int = 4, source_bytes: int = DEFAULT_MESSAGE_BYTES) -> ClusterState:
    plans = plan_topics(NAMES, partitions=partitions, replication=3 if brokers > 1 else 1, source_bytes=source_bytes)
    return ClusterState(
        brokers,
        {p.name: TopicState(p.name, p.partitions, p.replication, {**BROKER_DEFAULTS, **p.configs}) for p in plans},
    )


def changed(
    state: ClusterState,
    topic: str,
    configs: Mapping[str, str] | None = None,
    *,
    partitions: int = 4,
    replication: int | None = None,
) -> ClusterState:
    old = state.topics[topic]
    new = replace(
        old,
        partitions=partitions,
        replication=old.replication if replication is None else replication,
        configs={**(old.configs or {}), **(configs or {})},
    )
    return replace(state, topics={**state.topics, topic: new})


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, [str(finding) for finding in findings]
    return findings[0]


@pytest.mark.parametrize("brokers", [1, 3])
@pytest.mark.parametrize("source_bytes", [DEFAULT_MESSAGE_BYTES, 10 * DEFAULT_MESSAGE_BYTES])
def test_what_is_made_is_what_is_wanted(brokers: int, source_bytes: int) -> None:
    assert compare(cluster(brokers, source_bytes=source_bytes), NAMES) == []


@pytest.mark.parametrize("topic", all_topics(NAMES))
def test_a_missing_topic_is_an_error(topic: str) -> None:
    state = cluster()
    rest = replace(state, topics={name: each for name, each in state.topics.items() if name != topic})
    finding = only(compare(rest, NAMES))
    assert (finding.severity, finding.topic, finding.has) == (ERROR, topic, "missing")
    assert finding.remedy == "worker topics create"


@pytest.mark.parametrize("topic", ["invoice.requests", "invoice.replays", "invoice.journal", "invoice.ledger"])
def test_the_four_must_have_one_partition_count(topic: str) -> None:
    finding = only(compare(changed(cluster(), topic, partitions=5), NAMES))
    assert (finding.severity, finding.config) == (ERROR, "partitions")
    assert f"{topic} 5" in finding.has


@pytest.mark.parametrize("topic", ["invoice.outcomes", "invoice.dead-letters"])
def test_receipts_may_have_another_partition_count(topic: str) -> None:
    assert compare(changed(cluster(), topic, partitions=1), NAMES) == []


@pytest.mark.parametrize("topic", all_topics(NAMES))
def test_several_brokers_need_three_replicas_and_two_in_sync(topic: str) -> None:
    finding = only(compare(changed(cluster(), topic, replication=2), NAMES))
    assert (finding.severity, finding.topic, finding.config) == (ERROR, topic, "replication factor")
    finding = only(compare(changed(cluster(), topic, {"min.insync.replicas": "1"}), NAMES))
    assert (finding.severity, finding.topic, finding.config) == (ERROR, topic, "min.insync.replicas")


def test_a_single_broker_needs_one_replica() -> None:
    assert compare(cluster(brokers=1), NAMES) == []


def test_more_in_sync_replicas_than_replicas_is_an_error() -> None:
    finding = only(compare(changed(cluster(brokers=1), NAMES.journal, {"min.insync.replicas": "2"}), NAMES))
    assert (finding.severity, finding.has, finding.should) == (ERROR, "2", "1")


JOURNAL, LEDGER, REQUESTS, REPLAYS, OUTCOMES, DEAD = (
    NAMES.journal,
    NAMES.ledger,
    NAMES.requests,
    NAMES.replays,
    NAMES.outcomes,
    NAMES.dead_letters,
)


@pytest.mark.parametrize(
    ("topic", "config", "value", "severity", "why"),
    [
        (JOURNAL, "cleanup.policy", "compact", ERROR, "its owner trims it"),
        (JOURNAL, "cleanup.policy", "compact,delete", ERROR, "its owner trims it"),
        (JOURNAL, "retention.ms", "604800000", ERROR, "its owner trims it"),
        (JOURNAL, "retention.bytes", "1073741824", ERROR, "its owner trims it"),
        (JOURNAL, "unclean.leader.election.enable", "true", ERROR, "forget acknowledged records"),
        (JOURNAL, "max.message.bytes", "1000", WARNING, "stops its partition"),
        (LEDGER, "cleanup.policy", "delete", ERROR, "grows without bound"),
        (LEDGER, "retention.bytes", "1073741824", ERROR, "billed again"),
        (LEDGER, "retention.ms", str(29 * DAY_MS), ERROR, "shorter than an input's"),
        (LEDGER, "retention.ms", str(365 * DAY_MS), WARNING, "less than two years"),
        (LEDGER, "unclean.leader.election.enable", "true", ERROR, "forget acknowledged records"),
        (REQUESTS, "cleanup.policy", "compact", ERROR, "remove events"),
        (REPLAYS, "cleanup.policy", "delete,compact", ERROR, "remove events"),
        (REQUESTS, "retention.ms", str(DAY_MS), WARNING, "less than a week"),
        (REQUESTS, "unclean.leader.election.enable", "true", WARNING, "forget acknowledged records"),
        (REQUESTS, "max.message.bytes", str(2 * DEFAULT_MESSAGE_BYTES), ERROR, "a dead letter is its source record"),
        (DEAD, "max.message.bytes", str(DEFAULT_MESSAGE_BYTES + 65_536), ERROR, "65536 bytes above"),
        (DEAD, "compression.type", "uncompressed", WARNING, "would not fit"),
        (DEAD, "retention.ms", str(DAY_MS), WARNING, "less than a month"),
        (OUTCOMES, "cleanup.policy", "compact", WARNING, "earlier events"),
        (OUTCOMES, "retention.ms", str(DAY_MS), WARNING, "less than a month"),
    ],
)
def test_each_wrong_config_is_found_and_explained(
    topic: str, config: str, value: str, severity: Severity, why: str
) -> None:
    finding = next(f for f in compare(changed(cluster(), topic, {config: value}), NAMES) if why in f.why)
    assert finding.severity is severity
    assert finding.config == config
    text = str(finding)
    assert text.startswith(f"{severity}: {finding.topic}: {config} is ")
    assert f"--entity-name {finding.topic} --add-config '{config}={finding.should}'" in text


@pytest.mark.parametrize(
    ("topic", "configs"),
    [
        (DEAD, {"max.message.bytes": str(DEFAULT_MESSAGE_BYTES + 65_537)}),
        (LEDGER, {"cleanup.policy": "compact"}),
        (LEDGER, {"cleanup.policy": "compact", "retention.ms": str(DAY_MS)}),
        (LEDGER, {"retention.ms": "-1"}),
        (REQUESTS, {"retention.ms": str(7 * DAY_MS)}),
    ],
    ids=str,
)
def test_what_is_good_enough_is_no_finding(topic: str, configs: Mapping[str, str]) -> None:
    assert compare(changed(cluster(), topic, configs), NAMES) == []


def test_an_input_that_is_kept_for_ever_wants_a_ledger_that_is_too() -> None:
    finding = only(compare(changed(cluster(), REQUESTS, {"retention.ms": "-1"}), NAMES))
    assert (finding.severity, finding.topic, finding.should) == (ERROR, LEDGER, "-1")


@pytest.mark.parametrize("topic", all_topics(NAMES))
def test_what_the_brokers_do_not_tell_is_a_warning(topic: str) -> None:
    state = cluster()
    silent = replace(state, topics={**state.topics, topic: replace(state.topics[topic], configs=None)})
    finding = only(compare(silent, NAMES))
    assert (finding.severity, finding.topic) == (WARNING, topic)
    assert "cleanup.policy" in finding.config
    assert "DescribeConfigs" in finding.remedy


def test_a_value_that_is_no_number_is_not_told_rather_than_a_crash() -> None:
    assert compare(changed(cluster(), REQUESTS, {"compression.type": "", "retention.ms": "weeks"}), NAMES) == []
