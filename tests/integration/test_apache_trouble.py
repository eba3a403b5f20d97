"""Trouble that must cost nothing but time, on Apache Kafka: records that the broker refuses, an API that is away."""

import asyncio
import base64
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from tests.brokers.clients import Clients, read_to_end
from tests.brokers.topics import CONFIGS
from tests.brokers.waiting import equals, until
from tests.integration.apache_ops import BRISK, PATIENCE, Ops, events_on, logged, problems_of
from tests.integration.events import Draft
from tests.integration.harness import Scene
from worker.demo.scrape import Series
from worker.demo.simulator import Simulator
from worker.demo.simulator_faults import Fault
from worker.model import Coordinates, TopicNames

pytestmark = pytest.mark.apache


async def _records(clients: Clients, topic: str, partition: int, isolation: str) -> int:
    """How many records a partition has for readers of this isolation level."""
    client = await clients.consumer(isolation)
    found = await read_to_end(client, TopicPartition(topic, partition))
    await client.stop()
    return len(found)


async def test_a_dead_letter_that_the_broker_refuses_stops_its_partition_and_leaves_nothing(
    scene: Scene, clients: Clients
) -> None:
    ops, worker = Ops(scene, clients), scene.worker()
    await worker.run()
    sent = await scene.send(*events_on(0, 3), *events_on(1, 3))
    await scene.settled(sent)
    before = await ops.settled_to(sent[2])
    outcomes_before = await _records(clients, scene.topics.outcomes, 0, "read_committed")
    await ops.configure(scene.topics.dead_letters, CONFIGS["dead_letters"] | {"max.message.bytes": "2000"})
    refused = await scene.send(Draft("bad", b"bad", base64.b64encode(os.urandom(6_000)), (), partition=0))

    text = await problems_of(worker, "partition 0: lost (refused)")
    assert "MessageSizeTooLarge" in text
    assert "partition 1" not in text
    others = await scene.send(*events_on(1, 3, "more"), *events_on(2, 3), *events_on(3, 3))
    await scene.settled(others)
    assert await worker.metric("ownership_changes_total", change="refused") >= 1
    assert await ops.committed(0) == before
    # Its outcome went out in the same transaction, and was taken back with it.
    assert await _records(clients, scene.topics.outcomes, 0, "read_uncommitted") > outcomes_before
    assert await _records(clients, scene.topics.outcomes, 0, "read_committed") == outcomes_before
    status, _ = await worker.ask("livez")
    assert status == 200, "a restart would not mend it"

    await ops.configure(scene.topics.dead_letters, CONFIGS["dead_letters"])
    await scene.settled(refused)
    await worker.ready()
    outcomes = await scene.close_books([*sent, *refused, *others])
    assert outcomes[refused[0]].ending == "rejected undecodable"


async def test_an_outcome_that_the_broker_refuses_is_made_up_for_without_another_register(
    scene: Scene, clients: Clients
) -> None:
    ops, worker = Ops(scene, clients), scene.worker()
    await worker.run()
    sent = await scene.send(*events_on(0, 2))
    await scene.settled(sent)
    before = await ops.settled_to(sent[1])
    await ops.configure(scene.topics.outcomes, CONFIGS["outcomes"] | {"max.message.bytes": "200"})
    sent += await scene.send(*events_on(0, 2, "more"))
    await problems_of(worker, "partition 0: lost (refused)")
    assert await ops.committed(0) == before

    async def attempts() -> float:
        return await worker.metric("ownership_changes_total", change="refused")

    await until(attempts, lambda seen: seen >= 2, PATIENCE)
    await ops.configure(scene.topics.outcomes, CONFIGS["outcomes"])
    outcomes = await scene.close_books(sent)
    assert scene.tally(outcomes.values()) == {"scheduled": 4}
    assert scene.kravia.calls["register", "200"] == 4


@contextmanager
def _nobody_at(url: str) -> Iterator[None]:
    """Keep a port to ourselves and let nobody in: connections to it are refused."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", int(url.rpartition(":")[2])))
        yield


async def _go_away(kravia: Simulator) -> None:
    await kravia.__aexit__(None, None, None)


async def _come_back(kravia: Simulator) -> None:
    await kravia.__aenter__()


async def test_an_api_that_goes_away_with_all_places_taken_leaves_no_doubt_behind(scene: Scene) -> None:
    worker = scene.worker(static=True)
    await worker.run()
    warm = await scene.send(*events_on(0, 1, "warm"))
    await scene.settled(warm)
    # Registers are told to come again in a good while, so that none is under way when the API goes away.
    scene.kravia.faults(Fault(kind="status", step="register", status=429, retry_after=15))
    sent = warm + await scene.send(*(draft for partition in range(4) for draft in events_on(partition, 50)))

    await until(worker.metrics, partial(_all_wait, gate="open"), PATIENCE)
    assert scene.kravia.calls["register", "429"] > 0
    await _go_away(scene.kravia)
    with _nobody_at(scene.kravia.url):
        await until(worker.metrics, partial(_all_wait, gate="closed"), PATIENCE)
        worker.kill()
        worker.start()
        await problems_of(worker, "the gate is closed")
        await equals(lambda: worker.metric("owned_partitions"), 4.0, PATIENCE)
        await equals(lambda: worker.metric("open_intents"), 0.0, PATIENCE)
    scene.kravia.faults()
    await _come_back(scene.kravia)
    outcomes = await scene.close_books(sent)
    assert scene.tally(outcomes.values()) == {"scheduled": len(sent)}
    assert set(scene.kravia.ledger.by_identity) == {outcome.data["identity"] for outcome in outcomes.values()}


def _all_wait(metrics: Mapping[Series, float], gate: str) -> bool:
    """The gate is in this state, all 128 places are taken by events that wait, and no intent is open."""
    sums: Counter[str] = Counter()
    for series, value in metrics.items():
        sums[series.name] += int(value)
        sums[f"{series.name} {series.label('state')}"] += int(value)
    waiting = sums["events gate"] + sums["events backoff"]
    return waiting == sums["in_flight_events"] == 128 and sums[f"gate_state {gate}"] == 1 and sums["open_intents"] == 0


async def test_a_gate_closed_for_longer_than_the_poll_interval_keeps_the_member_and_a_new_token_opens_it(
    scene: Scene, clients: Clients, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("expired\n")
    ops = Ops(scene, clients)
    worker = scene.worker(**BRISK, KRAVIA_TOKEN="", KRAVIA_TOKEN_FILE=str(token))
    worker.start()
    sent = await scene.send(*(draft for partition in range(4) for draft in events_on(partition, 60)))
    await problems_of(worker, "the gate is closed: register stop_401")
    members = await until(ops.members, bool, PATIENCE)

    # Twice as long as a member may go without a poll: what is shown is that this time passes and nothing happens.
    loop = asyncio.get_running_loop()
    end = loop.time() + 2 * float(BRISK["KAFKA_MAX_POLL_INTERVAL"])
    while loop.time() < end:
        assert await ops.members() == members
        await asyncio.sleep(0.2)
    assert len(logged(worker, "assigned")) == 1
    assert await worker.metric("settled_total") == 0
    await scene.results.read()
    assert not scene.results.dead_letters
    assert not scene.kravia.ledger.by_id

    token.write_text(f"{scene.kravia.settings.token}\n")
    outcomes = await scene.close_books(sent)
    assert scene.tally(outcomes.values()) == {"scheduled": len(sent)}
    assert len(logged(worker, "assigned")) == 1


async def test_a_ledger_of_another_worker_is_refused_at_start_by_name(
    scene: Scene, clients: Clients, make_topics: Callable[[int], Awaitable[TopicNames]]
) -> None:
    ops, worker = Ops(scene, clients), scene.worker()
    await worker.run()
    sent = await scene.send(*events_on(0, 2))
    await scene.settled(sent)

    group, outcomes, others = scene.group, scene.topics.outcomes, (await make_topics(4)).outcomes
    for changed, what, was, now in (
        ("KAFKA_GROUP_ID", "consumer group (KAFKA_GROUP_ID)", group, f"{group}-two"),
        ("TOPIC_OUTCOMES", "topic TOPIC_OUTCOMES", outcomes, others),
    ):
        details = await _refused(scene, **{changed: now})
        assert f"belongs to another worker: {what}: the ledger says '{was}', this worker '{now}'" in details
    # Who was there is not disturbed: nothing was fenced.
    sent += await scene.send(*events_on(0, 2, "more"))
    await scene.settled(sent)
    assert await worker.metric("ownership_changes_total", change="fenced") == 0
    assert await worker.metric("ownership_changes_total", change="started") == 4
    await scene.close_books(sent)

    names = scene.topics
    await ops.add_partition(names.requests, names.replays, names.journal, names.ledger, to=5)
    details = await _refused(scene)
    assert "partition count: the ledger says '4', this worker '5'" in details


async def _refused(scene: Scene, **settings: str) -> str:
    """Start a worker that must refuse to start: what it says."""
    stranger = scene.worker("stranger", **settings)
    scene.workers.remove(stranger)  # to the scene one that ended so is an accident
    stranger.start()
    assert await stranger.ended() == 2, stranger.log_end()
    return "; ".join(str(line["detail"]) for line in logged(stranger, "refused_to_start"))


async def test_an_api_that_was_never_there_is_waited_for(scene: Scene) -> None:
    worker = scene.worker()
    await _go_away(scene.kravia)
    sent: list[Coordinates] = []
    with _nobody_at(scene.kravia.url):
        worker.start()
        sent += await scene.send(*events_on(0, 3), *events_on(1, 3))
        await problems_of(worker, "the gate is closed")
    await _come_back(scene.kravia)
    outcomes = await scene.close_books(sent)
    assert scene.tally(outcomes.values()) == {"scheduled": 6}
