"""Observe mode beside a worker that bills: what it would answer, on topics of its own, and not one call to Kravia."""

from dataclasses import replace
from pathlib import Path

from tests.brokers import topics as topic_sets
from tests.integration.events import event
from tests.integration.harness import Scene
from tests.integration.results import Results
from tests.integration.worker_process import WorkerProcess
from worker.model import TopicNames

PREFIX = "watch."


def observed(topics: TopicNames) -> TopicNames:
    """The names of observe mode; its requests are the live ones."""
    return TopicNames(
        topics.requests,
        *(f"{PREFIX}{name}" for name in (topics.replays, topics.journal, topics.ledger, topics.outcomes)),
        f"{PREFIX}{topics.dead_letters}",
    )


async def test_it_tells_what_would_come_of_live_events_and_calls_nobody(scene: Scene, tmp_path: Path) -> None:
    names = observed(scene.topics)
    # The live requests are there already: made under another name here, so that they are left alone.
    await topic_sets.create(
        scene.broker.bootstrap, replace(names, requests=f"{names.requests}-unused"), partitions=scene.partitions
    )
    settings = scene.settings("observer") | {
        "WORKER_OBSERVE_PREFIX": PREFIX,
        "KAFKA_GROUP_INSTANCE_ID": "observer",
        "KRAVIA_BASE_URL": "http://127.0.0.1:9",
    }
    del settings["KRAVIA_TOKEN"]  # it calls nobody, so it needs none
    observer = WorkerProcess("observer", tmp_path / "observer", settings, "--observe")
    scene.workers.append(observer)
    sent = await scene.send(
        event(1), event(1, event_id="again"), event(2, originalAmount="2500"), event(1, dueDate="2026-06-01")
    )
    await observer.run()
    results = Results(scene.clients, names, scene.partitions)
    scene.results, live = results, scene.results
    seen = await scene.settled(sent)

    assert [seen[origin].ending for origin in sent] == [
        "scheduled",
        "repeated",
        "rejected validation",
        "rejected conflict",
    ]
    assert all(outcome.data["observed"] is True for outcome in seen.values())
    assert seen[sent[0]].data["invoiceId"] == "observed"
    assert seen[sent[0]].headers["ce_source"].endswith(f"{PREFIX}{scene.group}")
    assert scene.kravia.ledger.by_identity == {}

    scene.results = live
    await scene.worker().run()
    billed = await scene.settled(sent)
    assert [billed[origin].ending for origin in sent] == [seen[origin].ending for origin in sent]
    assert all("observed" not in outcome.data for outcome in billed.values())
    assert scene.registers("10759/Invoice/1") == 1
    assert observer.running
    timings = billed[sent[0]].data["timings"]
    assert timings["steps"].keys() == {"register", "start"}
    assert timings["handled"] >= sum(timings["steps"].values())


async def test_a_register_left_open_by_a_crash_is_settled_at_once(scene: Scene, tmp_path: Path) -> None:
    names = observed(scene.topics)
    await topic_sets.create(
        scene.broker.bootstrap, replace(names, requests=f"{names.requests}-unused"), partitions=scene.partitions
    )
    settings = scene.settings("observer") | {
        "WORKER_OBSERVE_PREFIX": PREFIX,
        "KAFKA_GROUP_INSTANCE_ID": "observer",
        "WORKER_ALLOW_FAULTS": "1",
    }
    observer = WorkerProcess("observer", tmp_path / "observer", settings, "--observe")
    scene.workers.append(observer)
    await observer.run(WORKER_FAULT_POINT="intent-acked:kill")
    [sent] = await scene.send(event(7))
    await observer.killed()
    await observer.run()
    scene.results = Results(scene.clients, names, scene.partitions)
    outcome = await scene.outcome(sent)
    assert outcome.ending == "scheduled"
    assert scene.kravia.ledger.by_identity == {}
