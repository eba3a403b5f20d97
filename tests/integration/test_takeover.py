"""Several workers: what a frozen one may still do once another has taken over, and what a rebalance costs."""

import asyncio

import pytest

from tests.brokers.waiting import until
from tests.integration.events import event
from tests.integration.harness import SHORT_DOUBTS, Scene
from tests.integration.worker_process import WorkerProcess, all_ready
from worker.model import Coordinates

pytestmark = pytest.mark.apache  # the embedded broker does not evict, and can hang a group that commits meanwhile

SCHEDULED, IN_DOUBT = "scheduled", "failed in_doubt"


async def owns(worker: WorkerProcess, count: int) -> None:
    """Wait until it owns so many partitions."""
    await until(lambda: worker.metric("owned_partitions"), lambda owned: owned == count)


async def two(scene: Scene) -> tuple[WorkerProcess, WorkerProcess]:
    """Two workers, two partitions each."""
    first, second = (scene.worker(name, static=False, **SHORT_DOUBTS) for name in ("worker-1", "worker-2"))
    first.start()
    second.start()
    await shared(first, second)
    return first, second


async def shared(first: WorkerProcess, second: WorkerProcess) -> None:
    """Wait until each serves two partitions."""
    await asyncio.gather(owns(first, 2), owns(second, 2))
    await all_ready(first, second)


async def outlived(frozen_at: float) -> None:
    """Return when nothing that a worker had in hand when it froze is good any more.

    Nobody waits for that but the new owner's doubts, and whether there is one is chance.
    """
    loop = asyncio.get_running_loop()

    async def frozen_for() -> float:
        return loop.time() - frozen_at

    await until(frozen_for, lambda seconds: seconds > float(SHORT_DOUBTS["WORKER_INTENT_VALIDITY"]))


async def registered(scene: Scene) -> int:
    return len(scene.kravia.ledger.by_id)


def changes(scene: Scene) -> int:
    """Calls that change something."""
    return sum(count for (step, _), count in scene.kravia.calls.items() if step in ("register", "attach", "start"))


async def gate_is_open(scene: Scene) -> list[Coordinates]:
    """Events on every partition, settled: each worker has seen the API answer."""
    warm = await scene.send(*(event(f"warm-{number}") for number in range(16)))
    await scene.settled(warm)
    return warm


async def test_a_frozen_worker_is_taken_over_and_settles_nothing_more(scene: Scene):
    first, second = await two(scene)
    warm = await gate_is_open(scene)
    scene.kravia.settings.latency = 0.3
    before = await scene.send(*(event(f"before-{number}", documents=1) for number in range(60)))
    await until(lambda: registered(scene), lambda count: count > 20)
    await first.freeze()
    frozen_at = asyncio.get_running_loop().time()
    while_frozen = await scene.send(*(event(f"frozen-{number}", documents=1) for number in range(40)))
    await owns(second, 4)
    sent = [*warm, *before, *while_frozen]
    settled = await scene.settled(sent)
    calls = changes(scene)

    await outlived(frozen_at)
    first.thaw()
    await shared(first, second)
    # It woke up in the middle of events that are settled: it makes no call for them, and settles none of them.
    assert changes(scene) == calls
    after = await scene.send(*(event(f"after-{number}") for number in range(40)))
    await scene.settled(after)
    assert await first.metric("ownership_changes_total", change="restored") >= 2
    outcomes = await scene.close_books([*sent, *after])
    assert all(outcomes[origin] == settled[origin] for origin in sent)
    # What the frozen one had begun may be in doubt, nothing else.
    assert set(scene.tally(outcomes[origin] for origin in before)) <= {SCHEDULED, IN_DOUBT}
    assert {outcomes[origin].ending for origin in (*warm, *while_frozen, *after)} == {SCHEDULED}


async def test_one_that_is_killed_is_taken_over_after_a_session_time_out(scene: Scene):
    first, second = await two(scene)
    warm = await gate_is_open(scene)
    scene.kravia.settings.latency = 0.3
    before = await scene.send(*(event(f"before-{number}", documents=1) for number in range(60)))
    await until(lambda: registered(scene), lambda count: count > 20)
    first.kill()
    await owns(second, 4)
    after = await scene.send(*(event(f"after-{number}") for number in range(20)))
    outcomes = await scene.close_books([*warm, *before, *after])
    assert set(scene.tally(outcomes.values())) <= {SCHEDULED, IN_DOUBT}
    assert {outcomes[origin].ending for origin in after} == {SCHEDULED}


async def test_a_worker_frozen_with_an_intent_in_hand_makes_no_call_when_it_wakes(scene: Scene):
    """It stopped between the acknowledgement and the call; when it wakes up the intent is too old to be used."""
    first = scene.worker(
        "worker-1",
        static=False,
        WORKER_FAULT_POINT="intent-acked:stop",
        WORKER_ALLOW_FAULTS="1",
        **SHORT_DOUBTS,
    )
    victim = event("victim")
    sent = await scene.send(victim)
    first.start()
    await first.frozen()
    second = scene.worker("worker-2", static=False, **SHORT_DOUBTS)
    second.start()
    await owns(second, 4)
    outcome = await scene.outcome(sent[0])
    assert outcome.ending == IN_DOUBT
    first.thaw()
    await shared(first, second)
    assert scene.registers(victim.identity) == 0
    sent += await scene.send(*(event(f"after-{number}") for number in range(20)))
    outcomes = await scene.close_books(sent)
    assert outcomes[sent[0]] == outcome
    assert scene.registers(victim.identity) == 0
    assert scene.tally(outcomes[origin] for origin in sent[1:]) == {SCHEDULED: 20}


async def test_a_worker_that_joins_and_leaves_costs_no_doubt_and_no_restore_of_what_stays(scene: Scene):
    scene.kravia.settings.latency = 0.02
    first = scene.worker("worker-1", static=False)
    await first.run()
    sent: list[Coordinates] = []
    enough = asyncio.Event()
    sending = asyncio.create_task(send_slowly(scene, sent, enough))
    await until(lambda: registered(scene), lambda count: count > 50)
    second = scene.worker("worker-2", static=False)
    second.start()
    await shared(first, second)
    # Two partitions stayed: their producers and their state live on.
    assert await first.metric("ownership_changes_total", change="started") == 4
    assert await second.metric("ownership_changes_total", change="started") == 2
    joined = await registered(scene)
    await until(lambda: registered(scene), lambda count: count > joined + 50)
    assert await second.stop() == 0
    await owns(first, 4)
    assert await first.metric("ownership_changes_total", change="started") == 6
    enough.set()
    await sending
    outcomes = await scene.close_books(sent)
    assert scene.tally(outcomes.values()) == {SCHEDULED: len(sent)}
    assert scene.kravia.calls["register", "200"] == len(sent) >= 500
    assert scene.kravia.ledger.totals()["started_twice"] == 0


async def send_slowly(scene: Scene, sent: list[Coordinates], enough: asyncio.Event) -> None:
    """500 events at least, on until it is enough; in bursts, each when the former one is half registered."""

    async def to_register() -> int:
        return len(sent) - await registered(scene)

    while len(sent) < 500 or not enough.is_set():
        sent += await scene.send(*(event(f"rebalance-{len(sent) + number}") for number in range(20)))
        await until(to_register, lambda left: left < 10, timeout=60)
