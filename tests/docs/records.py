"""Writes and reads records as anybody's program does, with librdkafka's client."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition

from tests.integration.events import Draft


@dataclass(frozen=True)
class Record:
    """A record that was read; its headers are texts."""

    headers: Mapping[str, str]
    value: bytes


def send(bootstrap: str, topic: str, drafts: Sequence[Draft], patience: float) -> list[str]:
    """Write records, each of another key; where they stand: topic/partition/offset. `patience` in seconds."""
    sent: dict[bytes | str | None, str] = {}

    def report(error: object, message: Message) -> None:
        assert error is None, error
        sent[message.key()] = f"{topic}/{message.partition()}/{message.offset()}"

    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
    for draft in drafts:
        producer.produce(topic, draft.value, draft.key, headers=list(draft.headers), on_delivery=report)
    assert producer.flush(patience) == 0
    return [sent[draft.key] for draft in drafts]


def count(bootstrap: str, topic: str, patience: float) -> int:
    """How many records a topic holds that nobody writes to in transactions, and nothing was removed from."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "docs"})
    try:
        partitions = consumer.list_topics(topic, timeout=patience).topics[topic].partitions
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, each), timeout=patience) for each in partitions]
    finally:
        consumer.close()
    return sum(high for _, high in ends)


@contextmanager
def reading(bootstrap: str, topic: str, patience: float) -> Iterator[Iterator[Record]]:
    """The committed records of a topic, from its beginning. AssertionError when none comes for `patience` seconds."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "docs", "enable.auto.commit": False})
    partitions = consumer.list_topics(topic, timeout=patience).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])

    def records() -> Iterator[Record]:
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            deadline = time.monotonic() + patience
            yield _record(message)
        raise AssertionError(f"{topic} has no further record")

    try:
        yield records()
    finally:
        consumer.close()


def _record(message: Message) -> Record:
    value = message.value()
    pairs = message.headers() or []
    assert isinstance(pairs, list)
    headers = {name: text.decode() for name, text in pairs if isinstance(text, bytes)}
    return Record(headers, value if isinstance(value, bytes) else b"")
