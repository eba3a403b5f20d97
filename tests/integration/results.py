"""What the workers published, as a `read_committed` reader sees it."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.dead_letters import NAMES, DeadLetterHeaders, read_headers
from tests.brokers.clients import Clients
from worker.model import Coordinates, TopicNames


@dataclass(frozen=True)
class Outcome:
    """An outcome event."""

    origin: Coordinates
    key: bytes | None
    headers: dict[str, str]
    data: dict[str, Any]

    @property
    def ending(self) -> str:
        """`scheduled`, `repeated`, and with their reason `rejected conflict`, `failed in_doubt`."""
        return " ".join(filter(None, (self.data["outcome"], self.data.get("reason"))))

    @property
    def ended_ill(self) -> bool:
        return self.data["outcome"] in ("rejected", "failed")

    @property
    def codes(self) -> set[str]:
        """The codes of what was wrong with the event."""
        return {error["code"] for error in self.data.get("errors", [])}


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter: the record as it came, and what its headers say of the cause."""

    origin: Coordinates
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    """The record's own, without those of the cause."""
    cause: DeadLetterHeaders


class Results:
    """Committed outcomes and dead letters by the coordinates of their input."""

    def __init__(self, clients: Clients, topics: TopicNames, partitions: int) -> None:
        self.outcomes: defaultdict[Coordinates, list[Outcome]] = defaultdict(list)
        self.dead_letters: defaultdict[Coordinates, list[DeadLetter]] = defaultdict(list)
        self._clients = clients
        self._topics = topics
        self._partitions = [
            TopicPartition(topic, number)
            for topic in (topics.outcomes, topics.dead_letters)
            for number in range(partitions)
        ]
        self._consumer: AIOKafkaConsumer | None = None

    async def read(self) -> None:
        """Take in all that is committed now.

        From the start every time: to a reader that begins behind an abort marker the embedded broker still names that
        transaction as aborted, and aiokafka then drops what the same producer committed later.
        """
        if self._consumer is None:
            self._consumer = await self._clients.consumer(fetch_max_wait_ms=50)
            self._consumer.assign(self._partitions)
        self.outcomes.clear()
        self.dead_letters.clear()
        for partition in self._partitions:
            self._consumer.seek(partition, 0)
        ends = await self._consumer.end_offsets(self._partitions)
        while [one for one in self._partitions if await self._consumer.position(one) < ends[one]]:
            for partition, records in (await self._consumer.getmany(timeout_ms=50)).items():
                for record in records:
                    if partition.topic == self._topics.outcomes:
                        outcome = _outcome(record)
                        self.outcomes[outcome.origin].append(outcome)
                    else:
                        letter = _dead_letter(record)
                        self.dead_letters[letter.origin].append(letter)


def _outcome(record: ConsumerRecord) -> Outcome:
    data = json.loads(record.value)
    origin = data["origin"]
    return Outcome(
        Coordinates(origin["topic"], origin["partition"], origin["offset"]),
        record.key,
        {name: value.decode() for name, value in record.headers},
        data,
    )


def _dead_letter(record: ConsumerRecord) -> DeadLetter:
    cause = read_headers(record.headers)
    assert isinstance(cause, DeadLetterHeaders), cause
    return DeadLetter(
        Coordinates(cause.topic, cause.partition, cause.offset),
        record.key,
        record.value,
        tuple((name, value) for name, value in record.headers if name not in NAMES),
        cause,
    )
