"""`worker emit` on a real broker: where its records land, and that a worker bills them."""

import json
from pathlib import Path

from aiokafka import TopicPartition

from schemas.identity import partition_for
from schemas.jsontext import dumps
from tests.integration.events import data
from tests.integration.harness import Scene
from tests.integration.test_why import worker_command
from worker.model import Coordinates


async def test_what_is_emitted_is_billed(scene: Scene, tmp_path: Path):
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(dumps(row) for row in (data(1, documents=1), data(2, kid="x"), data(3))))
    status, out, err = await worker_command(scene, "emit", str(file), "--json", "--rate", "100")
    assert status == 1, err
    *told, summary = [json.loads(line) for line in out.splitlines()]
    assert (summary["sent"], summary["refused"], summary["unacknowledged"]) == (2, 1, 0)
    sent = {one["identity"]: one for one in told if one["kind"] == "sent"}
    assert sent.keys() == {"10759/Invoice/1", "10759/Invoice/3"}

    places = {identity: coordinates(one["record"]) for identity, one in sent.items()}
    for identity, where in places.items():
        assert where.partition == partition_for(identity.encode(), scene.partitions)
    worker = scene.worker()
    await worker.run()
    outcomes = await scene.settled(places.values())
    for identity, where in places.items():
        assert outcomes[where].ending == "scheduled"
        assert outcomes[where].data["eventId"] == sent[identity]["eventId"]
    await scene.close_books(list(places.values()))


async def test_many_samples_land_in_order_of_their_partitions(scene: Scene):
    status, out, err = await worker_command(scene, "emit", "--samples", "1500", "--seed", "1")
    assert status == 0, err
    *lines, summary = out.splitlines()
    assert summary == "1500 sent, 0 refused, 0 unacknowledged"
    consumer = await scene.clients.consumer()
    tps = [TopicPartition(scene.topics.requests, number) for number in range(scene.partitions)]
    ends = await consumer.end_offsets(tps)
    assert sum(ends.values()) == 1500
    assert {line.split()[1] for line in lines} == {
        f"{tp.topic}/{tp.partition}/{offset}" for tp in tps for offset in range(ends[tp])
    }


async def test_a_topic_that_is_not_there_is_not_made(scene: Scene):
    status, out, err = await worker_command(scene, "emit", "--samples", "1", "--topic", "no.such.topic")
    assert (status, out) == (1, "")
    assert "there is no topic no.such.topic" in err


def coordinates(text: str) -> Coordinates:
    topic, partition, offset = text.rsplit("/", 2)
    return Coordinates(topic, int(partition), int(offset))
