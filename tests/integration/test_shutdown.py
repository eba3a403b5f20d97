"""SIGTERM: what is on its way ends, what is settled is committed, the group is left; SIGKILL costs nothing but time."""

import signal
from collections import Counter

import pytest
from aiokafka import TopicPartition

from tests.brokers.waiting import PATIENCE, equals, until
from tests.integration.events import event
from tests.integration.harness import SHORT_DOUBTS, Scene
from tests.integration.worker_process import WorkerProcess, all_ready
from worker.demo.simulator_faults import Fault


async def test_sigterm_waits_for_registers_on_their_way_and_commits(scene: Scene):
    worker = scene.worker()
    await worker.run()
    warm = await scene.send(event("warm"))  # opens the gate: from here on registers go out side by side
    await scene.settled(warm)
    # Answered when the test says so, whatever time everything takes.
    scene.kravia.faults(Fault(kind="slow", step="register", delay=600.0))
    drafts = [event(f"slow-{number}") for number in range(20)]
    sent = await scene.send(*drafts)
    await until(lambda: _registered(scene), lambda count: count == 21)
    worker.terminate()
    await until(lambda: _logged(worker.log_lines(), '"stopping"'), bool)
    scene.kravia.answer_now()
    assert await worker.ended() == 0
    events = [line["event"] for line in worker.log()]
    assert "stopped" in events
    # Every register was answered and journaled: none is in doubt, and no start was begun after the signal.
    assert scene.kravia.calls["register", "200"] == 21
    assert scene.kravia.ledger.totals()["started"] == 1
    assert set(await scene.read_outcomes()) == set(warm)

    scene.kravia.faults()
    await worker.run()
    outcomes = await scene.close_books([*warm, *sent])
    assert scene.tally(outcomes.values()) == {"scheduled": 21}
    assert scene.kravia.calls["register", "200"] == 21
    assert scene.kravia.ledger.totals()["started_twice"] == 0


async def _registered(scene: Scene) -> int:
    return len(scene.kravia.ledger.by_id)


async def test_what_is_settled_is_committed_with_its_offset(scene: Scene):
    worker = scene.worker()
    await worker.run()
    sent = await scene.send(*(event(number) for number in range(40)))
    await scene.settled(sent)
    assert await worker.stop() == 0
    admin = await scene.clients.admin()

    async def committed() -> list[int]:
        found = await admin.list_consumer_group_offsets(scene.group)
        return [found[TopicPartition(scene.topics.requests, number)].offset for number in range(scene.partitions)]

    # On Apache Kafka a commit is over before its offsets show.
    counts = Counter(origin.partition for origin in sent)
    await equals(committed, [counts[number] for number in range(scene.partitions)])


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
async def test_a_second_signal_while_it_drains_costs_nothing(scene: Scene, second: signal.Signals):
    worker = scene.worker(static=True, **SHORT_DOUBTS)
    await worker.run()
    warm = await scene.send(event("warm"))
    await scene.settled(warm)
    # Starts that are under way until the test lets them be answered: it drains that long.
    scene.kravia.faults(Fault(kind="slow", step="start", delay=600.0, times=3))
    sent = await scene.send(*(event(number) for number in range(30)))
    await until(lambda: _started(scene), lambda count: count >= 1 + 3)
    worker.terminate()
    await until(lambda: _logged(worker.log_lines(), '"stopping"'), bool)
    if second is signal.SIGKILL:
        worker.kill()
        scene.kravia.answer_now()
    else:
        worker.terminate()
        scene.kravia.answer_now()
        assert await worker.ended() == 0
    scene.kravia.faults()
    await worker.run()
    outcomes = await scene.close_books([*warm, *sent])
    tally = scene.tally(outcomes.values())
    if second is signal.SIGTERM:
        assert tally == {"scheduled": 31}
    assert set(tally) <= {"scheduled", "failed in_doubt"}


async def _started(scene: Scene) -> int:
    return scene.kravia.ledger.totals()["started"]


async def _logged(lines: list[str], text: str) -> bool:
    return any(text in line for line in lines)


async def test_a_signal_while_it_takes_over_ends_it_in_order(scene: Scene):
    """At any moment of it: aiokafka swallows a cancellation while it closes a client, and a take-over closes some."""
    worker = scene.worker()
    for lines in range(1, 40, 9):
        worker.start()
        await _taking_over(worker, lines)
        assert await worker.stop() == 0
        assert worker.log()[-1]["event"] == "stopped"
    await worker.run()
    outcomes = await scene.close_books(await scene.send(event(1)))
    assert scene.tally(outcomes.values()) == {"scheduled": 1}


async def _taking_over(worker: WorkerProcess, lines: int) -> None:
    """Wait until it has logged so many lines from its assignment on, or already serves a partition."""

    async def far_enough() -> bool:
        events = [line["event"] for line in worker.log()]
        return "partition_flows" in events or ("assigned" in events and len(events) - events.index("assigned") >= lines)

    await until(far_enough, bool)


@pytest.mark.apache
async def test_the_other_member_gets_the_partitions_at_once(scene: Scene):
    """Without waiting for a session time-out: that is longer here than the test waits."""
    values = {
        "KAFKA_SESSION_TIMEOUT": "300",
        "KAFKA_REBALANCE_TIMEOUT": "300",
        "KAFKA_HEARTBEAT_INTERVAL": "1",
    }
    assert float(values["KAFKA_SESSION_TIMEOUT"]) > PATIENCE
    first, second = (scene.worker(name, static=False, **values) for name in ("worker-1", "worker-2"))
    first.start()
    second.start()
    await all_ready(first, second)
    await until(lambda: first.metric("owned_partitions"), lambda owned: owned == 2)
    assert await first.stop() == 0
    await until(lambda: second.metric("owned_partitions"), lambda owned: owned == 4)
    outcomes = await scene.close_books(await scene.send(*(event(number) for number in range(12))))
    assert scene.tally(outcomes.values()) == {"scheduled": 12}
