"""The six topics as the AsyncAPI document describes them: what stands in each, and how it is made.

Names and configs are those that `worker topics create` uses by default; a test compares the two.
"""

from dataclasses import dataclass
from typing import Final

PARTITIONS: Final = 12
"""Partitions of each topic, unless one is asked for."""
REPLICAS: Final = 3
"""Replicas of each partition on more than one broker."""
GROUP: Final = "kravia-invoice-worker"
"""Consumer group of the worker, by default."""

_DAY_MS: Final = 86_400_000
_RECORD: Final = 1_048_588
"""Bytes of a batch: Kafka's default of `max.message.bytes`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic. `cleanup`: its `cleanup.policy`. `retention_ms` -1: for ever. `max_bytes` None: the broker's default."""

    topic: str
    title: str
    description: str
    cleanup: tuple[str, ...]
    retention_ms: int
    max_bytes: int | None = None


REQUESTS: Final = Channel(
    "invoice.requests",
    "Invoice events",
    "Producers write invoice events here. The key is the invoice's identity, the partition murmur2 of the key: "
    "the default of Java's client and of aiokafka; librdkafka clients set partitioner=murmur2_random. A record in "
    "another partition is rejected as misrouted. Producers may use transactions: the worker reads read_committed.",
    ("delete",),
    30 * _DAY_MS,
    _RECORD,
)
REPLAYS: Final = Channel(
    "invoice.replays",
    "Replays and verdicts",
    "Operators write here, and nobody else (an ACL of its own): dead letters sent again, with a header replay-of, and "
    "what a person decided about a register call in doubt. Key and partition as for invoice events.",
    ("delete",),
    30 * _DAY_MS,
    _RECORD,
)
JOURNAL: Final = Channel(
    "invoice.journal",
    "Journal (internal)",
    "The worker's own: what was done in the world, as it happened. Read and written by the worker only; its owner "
    "trims it. The format may change without notice: read outcomes instead.",
    ("delete",),
    -1,
)
LEDGER: Final = Channel(
    "invoice.ledger",
    "Ledger (internal)",
    "The worker's own: how each invoice stands, and how far its input is settled. Read and written by the worker "
    "only. The format may change without notice: read outcomes instead.",
    ("compact", "delete"),
    730 * _DAY_MS,
)
OUTCOMES: Final = Channel(
    "invoice.outcomes",
    "Outcomes",
    "Exactly one event for each record of invoice.requests and invoice.replays, for readers with "
    "isolation.level=read_committed. Other readers also see outcomes whose transaction was aborted. The id is the same "
    "however often the outcome is computed. Written to the input's partition modulo this topic's partitions.",
    ("delete",),
    365 * _DAY_MS,
)
DEAD_LETTERS: Final = Channel(
    "invoice.dead-letters",
    "Dead letters",
    "Each record whose outcome is rejected or failed: key, value and headers as they came, with the cause in headers "
    "behind them. Read it with isolation.level=read_committed.",
    ("delete",),
    365 * _DAY_MS,
    _RECORD + 2 * 64 * 1024,
)
