"""What the topics must be for the worker to keep its promises, compared with what they are.

`worker run` refuses to start on an error; a warning is logged. What the brokers do not tell is a warning: it is no
proof of anything wrong, nor a pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from worker.kafka.security import Connection
from worker.kafka.topic_rules import ConfigRules, Finding, Severity
from worker.kafka.topic_state import (
    MAX_MESSAGE_BYTES,
    ClusterState,
    TopicState,
    Unavailable,
    all_topics,
    co_partitioned,
)
from worker.kafka.topics import describe_cluster
from worker.model import TopicNames

__all__ = ["NOT_TOLD", "Finding", "Severity", "check_topics", "compare"]

NOT_TOLD = "not told by the brokers"
"""What a finding `has` where configs could not be read."""
_READ = (
    "cleanup.policy",
    "retention.ms",
    "retention.bytes",
    MAX_MESSAGE_BYTES,
    "min.insync.replicas",
    "unclean.leader.election.enable",
    "compression.type",
)
"""The configs that the rules look at."""


async def check_topics(connection: Connection, names: TopicNames) -> list[Finding]:
    """Ask the brokers, then compare. No answer is an error among the findings; nothing is raised."""
    cluster = await describe_cluster(connection, names)
    match cluster:
        case Unavailable(detail, remedy):
            return [
                Finding(
                    Severity.ERROR,
                    "(all)",
                    "brokers",
                    f"not available ({detail})",
                    "available",
                    "the topics can't be checked",
                    remedy,
                )
            ]
        case ClusterState():
            return compare(cluster, names, bootstrap_servers=connection.bootstrap_servers)


def compare(cluster: ClusterState, names: TopicNames, *, bootstrap_servers: str = "localhost:9092") -> list[Finding]:
    """Every difference. `bootstrap_servers` goes into the remedies' commands."""
    return list(_Comparison(cluster, names, bootstrap_servers).findings())


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The rules about which topics there are, and about their partitions and replicas."""

    cluster: ClusterState
    names: TopicNames
    bootstrap_servers: str

    def findings(self) -> Iterator[Finding]:
        rules = ConfigRules(self.cluster, self.names, self.bootstrap_servers)
        yield from self._missing()
        yield from self._partitions()
        for topic in self.cluster.topics.values():
            yield from self._replicas(topic, rules)
        yield from rules.findings()
        yield from self._unread()

    def _missing(self) -> Iterator[Finding]:
        for name in all_topics(self.names):
            if name in self.cluster.hidden:
                yield Finding(
                    Severity.ERROR,
                    name,
                    "topic",
                    "hidden: this user has no right on it",
                    "readable",
                    "whether it exists is not told",
                    "give this user its rights: worker doctor names them, with the command",
                )
            elif name not in self.cluster.topics:
                yield Finding(
                    Severity.ERROR,
                    name,
                    "topic",
                    "missing",
                    "there",
                    "the worker can't work without it",
                    "worker topics create",
                )

    def _partitions(self) -> Iterator[Finding]:
        counts = {
            name: self.cluster.topics[name].partitions
            for name in co_partitioned(self.names)
            if name in self.cluster.topics
        }
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} {count}" for name, count in counts.items())
            yield Finding(
                Severity.ERROR,
                " ".join(counts),
                "partitions",
                told,
                "the same for all four",
                "partition p of all four belongs to one owner, and an identity's entry is found by its partition",
                "make them anew with one count (kafka-topics.sh --delete, then worker topics create --partitions N); "
                "once the ledger holds entries no count can be changed",
            )

    def _replicas(self, topic: TopicState, rules: ConfigRules) -> Iterator[Finding]:
        in_sync = topic.number("min.insync.replicas")
        if in_sync is not None and in_sync > topic.replication:
            yield rules.differs(
                Severity.ERROR, topic, "min.insync.replicas", str(topic.replication), "nothing could be written"
            )
        if self.cluster.brokers < 2:
            return
        if topic.replication < 3:
            yield Finding(
                Severity.ERROR,
                topic.name,
                "replication factor",
                str(topic.replication),
                "3",
                "with fewer replicas one lost broker loses acknowledged records or stops the worker",
                f"kafka-reassign-partitions.sh --bootstrap-server {self.bootstrap_servers}, with three replicas for "
                "each partition",
            )
        if in_sync is not None and in_sync < 2:
            yield rules.differs(
                Severity.ERROR,
                topic,
                "min.insync.replicas",
                "2",
                "an acknowledged record that only one broker has is lost with it",
            )
        if topic.config("unclean.leader.election.enable") == "true":
            own = topic.name in (self.names.journal, self.names.ledger)
            yield rules.differs(
                Severity.ERROR if own else Severity.WARNING,
                topic,
                "unclean.leader.election.enable",
                "false",
                "a replica that lags would become leader and forget acknowledged records",
            )

    def _unread(self) -> Iterator[Finding]:
        for topic in self.cluster.topics.values():
            unread = [config for config in _READ if topic.config(config) is None]
            if unread:
                yield Finding(
                    Severity.WARNING,
                    topic.name,
                    ", ".join(unread),
                    NOT_TOLD,
                    "readable",
                    "whether the worker is safe on this topic could not be checked",
                    "allow this user DescribeConfigs on the topic, or check it by hand with "
                    f"kafka-configs.sh --bootstrap-server {self.bootstrap_servers} --describe --all --entity-type "
                    f"topics --entity-name {topic.name}",
                )
