"""What only Apache Kafka shows of doubts: a take-over from a frozen owner, and a long run of kills."""

import asyncio

import pytest

from tests.brokers.waiting import until
from tests.integration.doubts import PATIENCE, WAITS, settled_among_others
from tests.integration.events import Draft, event
from tests.integration.harness import Scene
from tests.integration.worker_process import WorkerProcess
from worker.demo.simulator_faults import Fault
from worker.model import Coordinates

pytestmark = pytest.mark.apache  # the embedded broker does not evict a frozen member, and hides what a commit costs

SCHEDULED = "scheduled"
EVENTS = 2000
PARTITIONS = 4
KILLS = 10
LONG = 3 * PATIENCE
"""Hundreds of doubts at once, after ten kills."""
SOON = EVENTS * 6 // 10
"""The kills come before so many are registered: each leaves doubts, and those need the others as witnesses."""


async def test_lost_answers_and_ten_kills_bill_2000_invoices_once_each(scene: Scene):
    """5% of the registers lose their answer after they were carried out; nobody does anything by hand."""
    scene.kravia.settings.latency = 0.01
    scene.kravia.faults(Fault(kind="lost", step="register", probability=0.05))
    drafts = [event(f"many-{number}", documents=number % 2) for number in range(EVENTS)]
    sent = await scene.send(*drafts)
    worker = scene.worker(static=True, **WAITS)
    worker.start()
    for kill in range(1, KILLS + 1):
        await until(lambda: carried_out(scene), lambda count, kill=kill: count >= kill * SOON // (KILLS + 1), LONG)
        worker.kill()
        worker.start()
    # What the last kill left in doubt and was never sent needs witnesses: others' invoices.
    others = await registered_among_others(scene, drafts)
    await until(lambda: unsettled(worker), lambda count: count == 0, LONG)
    assert await worker.metric("doubts") == 0
    assert await worker.metric("possible_double_registers") == 0
    assert await worker.metric("doubts_resolved_total", resolution="adopted") > 0
    outcomes = await scene.close_books([*sent, *others])
    assert set(scene.tally(outcomes.values())) == {SCHEDULED}
    assert scene.kravia.calls["register", "lost"] > EVENTS * 0.02
    for number, draft in enumerate(drafts):
        # A document may have been sent again: the simulated `/details` names no files.
        assert len({document.sha256 for document in scene.invoice(draft.identity).documents}) == number % 2


async def carried_out(scene: Scene) -> int:
    return len(scene.kravia.ledger.by_id)


async def registered_among_others(scene: Scene, drafts: list[Draft]) -> list[Coordinates]:
    """Go on billing others until all of these are in Kravia's ledger. Looks there only: outcomes are many."""
    others = list[Coordinates]()
    while not all(scene.registers(draft.identity) for draft in drafts):
        other = event(f"witness-{len(others)}")
        others += await scene.send(other)
        await until(lambda other=other: registers(scene, other), bool, LONG)
    return others


async def registers(scene: Scene, draft: Draft) -> int:
    return scene.registers(draft.identity)


async def unsettled(worker: WorkerProcess) -> float:
    return await worker.metric("events") if await worker.metric("owned_partitions") == PARTITIONS else float("inf")


async def owns(worker: WorkerProcess, count: int) -> None:
    await until(lambda: worker.metric("owned_partitions"), lambda owned: owned == count, PATIENCE)


async def test_a_worker_frozen_between_intent_and_call_is_taken_over_and_the_invoice_registered_once(scene: Scene):
    """It sleeps for longer than the session time-out and every wait; when it wakes up it makes no call."""
    victim = event("victim", documents=1)
    sent = await scene.send(victim)
    first = scene.worker(
        "worker-1", static=False, WORKER_FAULT_POINT="intent-acked:stop", WORKER_ALLOW_FAULTS="1", **WAITS
    )
    first.start()
    await first.frozen()
    second = scene.worker("worker-2", static=False, **WAITS)
    second.start()
    await owns(second, scene.partitions)
    others: list[Coordinates] = await settled_among_others(scene, sent)
    assert (await scene.outcome(sent[0])).ending == SCHEDULED
    assert scene.registers(victim.identity) == 1

    first.thaw()
    await asyncio.gather(owns(first, 2), owns(second, 2))
    others += await scene.send(*(event(f"after-{number}") for number in range(20)))
    outcomes = await scene.close_books([*sent, *others])
    assert set(scene.tally(outcomes.values())) == {SCHEDULED}
    assert [call["answer"] for call in outcomes[sent[0]].data["calls"]] == ["not_carried_out:witnessed", "registered"]
    assert scene.registers(victim.identity) == 1
