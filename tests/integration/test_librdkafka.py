"""librdkafka's clients: where their records land, with the partitioner set and without, and the Python examples."""

import asyncio
import json
import sys
import zlib
from collections.abc import Sequence

from confluent_kafka import KafkaException, Message, Producer

from schemas.identity import CLAIM_TYPES, identity, partition_for
from tests.brokers.base import Broker
from tests.conftest import NewGroup
from tests.integration import examples
from tests.integration.events import event, numbers_on
from tests.integration.examples import FOLDER, ROOT
from tests.integration.harness import Scene
from worker.model import Coordinates, TopicNames

VECTORS = json.loads((ROOT / "schemas" / "examples" / "identities.json").read_text(encoding="utf-8"))
NUMBERS = ("20001", "INV/2025/001", "æøå 7", "å", "100%", "~a*b", "\N{EURO SIGN}1", "x" * 80)


def identities() -> list[str]:
    """The published vectors and 200 more: every claim type, numbers of every length up to a few hundred bytes."""
    made = [vector["identity"] for vector in VECTORS]
    made += [identity(10_759, kind, number, "A/2 b") for kind in CLAIM_TYPES for number in NUMBERS]
    made += [identity(step * 7_919, CLAIM_TYPES[step % 3], "9" * step, str(step)) for step in range(1, 177)]
    return list(dict.fromkeys(made))


def produce(bootstrap: str, topic: str, keys: Sequence[str], value: bytes = b"{}", **settings: str) -> list[Message]:
    """Where confluent-kafka put each; the client chooses the partition."""
    reports: list[Message] = []

    def report(error: object, message: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        reports.append(message)

    producer = Producer({"bootstrap.servers": bootstrap, **settings})
    for key in keys:
        producer.produce(topic, value=value, key=key.encode(), on_delivery=report)
    assert producer.flush(60) == 0
    return reports


async def test_murmur2_random_leads_every_identity_where_the_contract_says(broker: Broker, topics: TopicNames):
    keys = identities()
    assert len(keys) >= 200
    sent = await asyncio.to_thread(produce, broker.bootstrap, topics.requests, keys, partitioner="murmur2_random")
    landed = {message.key(): message.partition() for message in sent}
    assert landed == {key.encode(): partition_for(key.encode(), 4) for key in keys}
    assert set(landed.values()) == {0, 1, 2, 3}


async def test_the_default_partitioner_is_told_what_to_set(scene: Scene):
    """librdkafka's default is CRC-32 of the key: three of four invoices end in a wrong partition."""
    number = next(
        number
        for number in numbers_on(1, prefix="crc-")
        if zlib.crc32(event(number).identity.encode()) % scene.partitions != 1
    )
    draft = event(number)
    await scene.worker().run()
    arguments = (scene.broker.bootstrap, scene.topics.requests, [draft.identity], draft.value or b"")
    [wrong] = await asyncio.to_thread(produce, *arguments)
    [right] = await asyncio.to_thread(produce, *arguments, partitioner="murmur2_random")
    misrouted, scheduled = (
        Coordinates(scene.topics.requests, message.partition(), message.offset()) for message in (wrong, right)
    )
    assert (misrouted.partition, scheduled.partition) == (zlib.crc32(draft.identity.encode()) % scene.partitions, 1)

    outcomes = await scene.close_books([misrouted, scheduled])
    assert outcomes[misrouted].ending == "rejected misrouted"
    assert outcomes[scheduled].ending == "scheduled"
    [error] = outcomes[misrouted].data["errors"]
    assert "partitioner=murmur2_random" in error["message"]
    assert f"partition 1 of {scene.partitions}" in error["message"]
    assert draft.identity in error["message"]


async def test_the_python_examples(scene: Scene, new_group: NewGroup):
    python = FOLDER / "python"
    await scene.worker().run()
    numbers = ("INV/2025 001", "å~*%7")
    sent = []
    for number in numbers:
        command = (sys.executable, python / "produce_confluent.py", number)
        sent.append(examples.written(await examples.run(*command, scene.broker.bootstrap, scene.topics.requests)))
    names = [identity(10_759, "Invoice", number) for number in numbers]
    assert [one.partition for one in sent] == [partition_for(name.encode(), scene.partitions) for name in names]

    outcomes = await scene.settled(sent)
    expected = {
        (outcomes[origin].headers["ce_id"], name, "scheduled", outcomes[origin].data["invoiceId"])
        for origin, name in zip(sent, names, strict=True)
    }
    for reader in ("read_outcomes_confluent.py", "read_outcomes_aiokafka.py"):
        printed = await examples.outcomes(scene, new_group(), 2, sys.executable, python / reader)
        assert {(line.outcome_id, line.key, line.outcome, line.detail) for line in printed} == expected, reader
    await scene.close_books(sent)
