"""Kafka's records: where they stand, as the broker gave them, as they are written; and the six topics."""

from dataclasses import dataclass
from typing import NamedTuple


class Partition(NamedTuple):
    """A topic's partition."""

    topic: str
    number: int


class Coordinates(NamedTuple):
    """Where an input record stands. Its text is the identity of a record that can't be decoded."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Record:
    """A record as the broker gave it. `timestamp_ms` is Kafka's, in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def coordinates(self) -> Coordinates:
        return Coordinates(self.topic, self.partition, self.offset)

    @property
    def size(self) -> int:
        """Bytes of key, value and headers."""
        return (
            len(self.key or b"")
            + len(self.value or b"")
            + sum(len(name) + len(value or b"") for name, value in self.headers)
        )


@dataclass(frozen=True, slots=True)
class OutRecord:
    """A record to write, to an explicit partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The six topics."""

    requests: str = "invoice.requests"
    replays: str = "invoice.replays"
    journal: str = "invoice.journal"
    ledger: str = "invoice.ledger"
    outcomes: str = "invoice.outcomes"
    dead_letters: str = "invoice.dead-letters"

    @property
    def inputs(self) -> tuple[str, str]:
        return (self.requests, self.replays)
