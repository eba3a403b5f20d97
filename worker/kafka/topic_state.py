"""Topics as the brokers describe them, and the sizes and durations that making and checking them share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from worker.model import TopicNames

DAY_MS = 86_400_000
TWO_YEARS_MS = 730 * DAY_MS

DEFAULT_MESSAGE_BYTES = 1_048_588
"""Apache Kafka's default of `max.message.bytes`: 1 MiB and a batch's overhead."""
DEAD_LETTER_MARGIN = 64 * 1024
"""Bytes that a dead letter's headers may add to its source record; its topic must hold more than that."""
MAX_MESSAGE_BYTES = "max.message.bytes"


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the brokers describe it.

    `replication`: the least of its partitions'. `configs`: effective values by name, defaults included; None when
    the brokers did not tell.
    """

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str] | None

    def config(self, name: str) -> str | None:
        """A config's value; None when unknown."""
        return None if self.configs is None else self.configs.get(name)

    def number(self, name: str) -> int | None:
        """A config's value as a whole number; None when unknown."""
        value = self.config(name)
        return int(value) if value is not None and value.lstrip("-").isdecimal() else None

    @property
    def policy(self) -> frozenset[str]:
        """`delete`, `compact` or both; empty when unknown."""
        value = self.config("cleanup.policy")
        return frozenset() if value is None else frozenset(part.strip() for part in value.split(","))

    @property
    def retention_ms(self) -> float | None:
        """How long a record is kept; infinite for -1 or when nothing is deleted by age; None when unknown."""
        value = self.number("retention.ms")
        if value is None or not self.policy:
            return None
        return float("inf") if value < 0 or "delete" not in self.policy else float(value)


@dataclass(frozen=True, slots=True)
class ClusterState:
    """How many brokers there are, and those of the six topics that exist, by name.

    `hidden`: those that this user may not describe, so that nobody tells whether they exist.
    """

    brokers: int
    topics: Mapping[str, TopicState]
    hidden: frozenset[str] = frozenset()

    def lacks(self, names: Iterable[str]) -> str | None:
        """In words for the operator, which of `names` can't be used; None when all can."""
        absent = [name for name in names if name not in self.topics]
        hidden = [name for name in absent if name in self.hidden]
        missing = [name for name in absent if name not in self.hidden]
        told = [
            *([f"this user has no right on topics: {', '.join(hidden)}"] if hidden else []),
            *([f"topics are missing: {', '.join(missing)}"] if missing else []),
        ]
        return f"{'; '.join(told)}; see `worker topics check`" if told else None


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The brokers did not answer, or not as they should: what is wrong and what to do, for the operator."""

    detail: str
    remedy: str = "run it again; look at the brokers' logs"

    def __str__(self) -> str:
        return f"{self.detail}; {self.remedy}"


def co_partitioned(names: TopicNames) -> tuple[str, ...]:
    """The four topics whose partition p belongs to one owner."""
    return (names.requests, names.replays, names.journal, names.ledger)


def all_topics(names: TopicNames) -> tuple[str, ...]:
    """All six, in the order in which people read them."""
    return (*co_partitioned(names), names.outcomes, names.dead_letters)
