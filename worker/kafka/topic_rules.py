"""What each topic's configs must be, and why. Pure: from what the brokers described to findings."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from worker.kafka.topic_state import (
    DAY_MS,
    DEAD_LETTER_MARGIN,
    DEFAULT_MESSAGE_BYTES,
    MAX_MESSAGE_BYTES,
    TWO_YEARS_MS,
    ClusterState,
    TopicState,
)
from worker.model import TopicNames


class Severity(StrEnum):
    ERROR = "error"
    """The worker does not start."""
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference: which topic and config, what it has and should have, why, and what to do."""

    severity: Severity
    topic: str
    config: str
    has: str
    should: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return (
            f"{self.severity}: {self.topic}: {self.config} is {self.has}, should be {self.should}: {self.why}; "
            f"remedy: {self.remedy}"
        )


@dataclass(frozen=True, slots=True)
class ConfigRules:
    """The rules about one topic's configs, or two topics' against each other."""

    cluster: ClusterState
    names: TopicNames
    bootstrap_servers: str
    """For the remedies' commands."""

    def findings(self) -> Iterator[Finding]:
        """Every difference; a config that is unknown makes none."""
        yield from self._inputs()
        yield from self._journal()
        yield from self._ledger()
        yield from self._receipts()
        yield from self._sizes()

    def _inputs(self) -> Iterator[Finding]:
        for topic in self.existing(*self.names.inputs):
            if "compact" in topic.policy:
                yield self.differs(
                    Severity.ERROR,
                    topic,
                    "cleanup.policy",
                    "delete",
                    "compaction would remove events of an identity that has a later one, settled or not",
                )
            if (kept := topic.retention_ms) is not None and kept < 7 * DAY_MS:
                yield self.differs(
                    Severity.WARNING,
                    topic,
                    "retention.ms",
                    str(7 * DAY_MS),
                    "less than a week: an outage that lasts longer loses events",
                )

    def _journal(self) -> Iterator[Finding]:
        why = "the journal says which register calls may have been made; its owner trims it, nothing else may"
        for topic in self.existing(self.names.journal):
            for config, should in (("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")):
                has = topic.config(config)
                if has is not None and has != should:
                    yield self.differs(Severity.ERROR, topic, config, should, why)

    def _ledger(self) -> Iterator[Finding]:
        for topic in self.existing(self.names.ledger):
            policy = topic.policy
            if policy and "compact" not in policy:
                yield self.differs(
                    Severity.ERROR,
                    topic,
                    "cleanup.policy",
                    "[compact,delete]",
                    "uncompacted, it grows without bound and every take-over reads all of it",
                )
            if "delete" not in policy:
                continue
            if topic.config("retention.bytes") not in (None, "-1"):
                yield self.differs(
                    Severity.ERROR, topic, "retention.bytes", "-1", "an identity that is forgotten is billed again"
                )
            yield from self._ledger_retention(topic)

    def _ledger_retention(self, ledger: TopicState) -> Iterator[Finding]:
        kept = ledger.retention_ms
        if kept is None:
            return
        inputs = [each for topic in self.existing(*self.names.inputs) if (each := topic.retention_ms) is not None]
        longest = max(inputs, default=0.0)
        if kept < longest:
            yield self.differs(
                Severity.ERROR,
                ledger,
                "retention.ms",
                "-1" if longest == float("inf") else str(max(int(longest), TWO_YEARS_MS)),
                "shorter than an input's: events that are still there would be forgotten, and billed again when they "
                "are read again",
            )
        elif kept < TWO_YEARS_MS:
            yield self.differs(
                Severity.WARNING,
                ledger,
                "retention.ms",
                str(TWO_YEARS_MS),
                "less than two years: the same invoice sent again later is billed again",
            )

    def _receipts(self) -> Iterator[Finding]:
        for topic in self.existing(self.names.outcomes, self.names.dead_letters):
            if "compact" in topic.policy:
                yield self.differs(
                    Severity.WARNING,
                    topic,
                    "cleanup.policy",
                    "delete",
                    "compaction would remove what happened to earlier events of an identity",
                )
            if (kept := topic.retention_ms) is not None and kept < 30 * DAY_MS:
                yield self.differs(
                    Severity.WARNING,
                    topic,
                    "retention.ms",
                    str(365 * DAY_MS),
                    "less than a month: it may be gone before somebody looks",
                )
        for topic in self.existing(self.names.dead_letters):
            if topic.config("compression.type") == "uncompressed":
                yield self.differs(
                    Severity.WARNING,
                    topic,
                    "compression.type",
                    "producer",
                    "a record that fitted into its source only compressed would not fit",
                )

    def _sizes(self) -> Iterator[Finding]:
        sources = [
            size for topic in self.existing(*self.names.inputs) if (size := topic.number(MAX_MESSAGE_BYTES)) is not None
        ]
        for topic in self.existing(self.names.dead_letters):
            has = topic.number(MAX_MESSAGE_BYTES)
            if sources and has is not None and has <= max(sources) + DEAD_LETTER_MARGIN:
                yield self.differs(
                    Severity.ERROR,
                    topic,
                    MAX_MESSAGE_BYTES,
                    str(max(sources) + 2 * DEAD_LETTER_MARGIN),
                    f"a dead letter is its source record (at most {max(sources)} bytes) and its headers: it must be "
                    f"more than {DEAD_LETTER_MARGIN} bytes above; one that does not fit stops its partition",
                )
        for topic in self.existing(self.names.journal, self.names.ledger, self.names.outcomes):
            if (has := topic.number(MAX_MESSAGE_BYTES)) is not None and has < 1024 * 1024:
                yield self.differs(
                    Severity.WARNING,
                    topic,
                    MAX_MESSAGE_BYTES,
                    str(DEFAULT_MESSAGE_BYTES),
                    "a batch or a record of the worker may not fit, which stops its partition",
                )

    def existing(self, *names: str) -> Iterator[TopicState]:
        for name in names:
            if (topic := self.cluster.topics.get(name)) is not None:
                yield topic

    def differs(self, severity: Severity, topic: TopicState, config: str, should: str, why: str) -> Finding:
        return Finding(
            severity,
            topic.name,
            config,
            topic.config(config) or "not set",
            should,
            why,
            f"kafka-configs.sh --bootstrap-server {self.bootstrap_servers} --alter --entity-type topics "
            f"--entity-name {topic.name} --add-config '{config}={should}'",
        )
