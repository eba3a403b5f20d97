"""The input on Apache Kafka: aborted transactions upstream, offsets that expired, records that retention took."""

import pytest

from tests.brokers.clients import Clients
from tests.brokers.waiting import equals, until
from tests.integration.apache_ops import PATIENCE, Ops, events_on, logged, problems_of
from tests.integration.events import Draft
from tests.integration.harness import Scene
from worker.demo.simulator_faults import Fault
from worker.model import Coordinates

pytestmark = pytest.mark.apache


async def _send_in(scene: Scene, clients: Clients, drafts: list[Draft], *, commit: bool) -> list[Coordinates]:
    """Write in one upstream transaction, and commit or abort it."""
    producer = await clients.producer(f"{scene.topics.requests}.upstream")
    await producer.begin_transaction()
    sent = [
        await producer.send_and_wait(
            scene.topics.requests,
            draft.value,
            key=draft.key,
            partition=draft.partition_of(scene.partitions),
            headers=list(draft.headers),
        )
        for draft in drafts
    ]
    await (producer.commit_transaction() if commit else producer.abort_transaction())
    await producer.stop()
    return [Coordinates(one.topic, one.partition, one.offset) for one in sent]


async def test_an_event_of_an_aborted_transaction_is_never_registered_and_holds_nothing_up(
    scene: Scene, clients: Clients
) -> None:
    ops, worker = Ops(scene, clients), scene.worker()
    first, aborted, last = (events_on(0, 3, prefix) for prefix in ("a", "b", "c"))
    sent = await _send_in(scene, clients, first, commit=True)
    taken_back = await _send_in(scene, clients, aborted, commit=False)
    await worker.run()
    await scene.settled(sent)
    sent += await _send_in(scene, clients, last, commit=True)
    taken_back += await _send_in(scene, clients, events_on(0, 2, "d"), commit=False)
    await scene.settled(sent)
    # The end of the partition is nothing but aborted records and control markers: they are settled too.
    end = (await ops.bounds(scene.topics.requests, 0)).end
    await equals(lambda: ops.committed(0), end, PATIENCE)
    outcomes = await scene.close_books(sent)
    assert scene.tally(outcomes.values()) == {"scheduled": 6}
    assert not outcomes.keys() & set(taken_back)
    assert [draft.identity for draft in aborted if scene.registers(draft.identity)] == []

    # Retention takes it all; nothing unsettled was lost, so a restart must not refuse the partition.
    await ops.delete_before(scene.topics.requests, 0, end)
    again = scene.worker("worker-2")
    await again.run()
    more = await scene.send(*events_on(0, 2, "e"))
    await scene.close_books([*sent, *more])


async def test_a_lost_committed_offset_loses_nothing_and_repeats_nothing(scene: Scene, clients: Clients) -> None:
    ops, worker = Ops(scene, clients), scene.worker()
    drafts = [draft for partition in range(4) for draft in events_on(partition, 5)]
    stuck = events_on(0, 1, "stuck")[0]
    scene.kravia.faults(Fault(kind="status", step="start", status=404, identity=stuck.identity))
    again = Draft(drafts[0].identity, drafts[0].key, drafts[0].value, drafts[0].headers)
    bad = Draft("none", b"none", b"not JSON", (), partition=1)
    astray = Draft(drafts[0].identity, drafts[0].key, drafts[0].value, drafts[0].headers, partition=2)
    await worker.run()
    sent = await scene.send(stuck)
    # `stuck` is registered and not started when all others of its partition are settled.
    rest = await scene.send(*drafts, again, bad, astray)
    settled = await scene.settled(rest)
    assert scene.tally(settled.values()) == {
        "scheduled": 20,
        "repeated": 1,
        "rejected undecodable": 1,
        "rejected misrouted": 1,
    }

    async def tried() -> int:
        return scene.kravia.calls["start", "404"]

    await until(tried, bool, PATIENCE)
    registered = dict(scene.kravia.calls)
    worker.kill()
    await ops.forget_group()
    scene.kravia.faults()
    second = scene.worker("worker-2")
    await second.run()
    outcomes = await scene.close_books([*sent, *rest])
    assert outcomes[sent[0]].ending == "scheduled"
    assert scene.kravia.calls["register", "200"] == registered["register", "200"] == 21


async def test_an_offset_that_expired_while_nobody_ran_is_found_again_in_the_ledger(
    scene: Scene, clients: Clients
) -> None:
    ops, worker = Ops(scene, clients), scene.worker()
    await worker.run()
    sent = await scene.send(*events_on(0, 10), *events_on(3, 10))
    await scene.close_books(sent)
    late = await scene.send(*events_on(0, 3, "late"))
    for _ in range(2):
        await ops.forget_group()
        again = scene.worker()
        await again.run()
        await scene.settled(late)
        await scene.close_books([*sent, *late])
    assert scene.kravia.calls["register", "200"] == 23


async def test_records_deleted_before_they_were_settled_refuse_that_partition_alone(
    scene: Scene, clients: Clients
) -> None:
    ops, worker = Ops(scene, clients), scene.worker()
    await worker.run()
    sent = await scene.send(*events_on(0, 2), *events_on(1, 2))
    await scene.close_books(sent)
    settled_to = await ops.settled_to(sent[1])
    lost = await scene.send(*events_on(0, 3, "lost"))
    kept = await scene.send(*events_on(0, 1, "kept"))
    await ops.delete_before(scene.topics.requests, 0, kept[0].offset)

    second = scene.worker("worker-2")
    second.start()
    text = await problems_of(second, "were deleted before they were settled")
    assert f"{scene.topics.requests}/0: records {settled_to} to {kept[0].offset - 1}" in text
    others = await scene.send(*events_on(1, 2, "more"), *events_on(2, 2), *events_on(3, 2))
    await scene.settled(others)
    assert await second.metric("ownership_changes_total", change="refused") >= 1
    assert [line["partition"] for line in logged(second, "ownership_lost")][-1] == 0
    assert await ops.committed(0) == settled_to
    assert kept[0] not in scene.results.outcomes

    # What was lost is known now; who moves the offset has decided to go on without it.
    assert await second.stop() == 0
    await ops.move_offset(0, kept[0].offset)
    third = scene.worker("worker-3")
    await third.run()
    outcomes = await scene.close_books([*sent, *others, *kept])
    assert not outcomes.keys() & set(lost)


async def test_records_deleted_ahead_of_a_running_worker_stop_that_partition_alone(
    scene: Scene, clients: Clients
) -> None:
    # It reads ahead next to nothing, so that retention overtakes it.
    ops = Ops(scene, clients)
    worker = scene.worker(
        WORKER_PARTITION_WINDOW="2", KAFKA_MAX_POLL_RECORDS="1", KAFKA_MAX_PARTITION_FETCH_BYTES="1024"
    )
    await worker.run()
    scene.kravia.faults(Fault(kind="status", status=401))
    await scene.send(*events_on(0, 2))

    async def taken() -> float:
        return await worker.metric("consumed_total", partition="0", topic=scene.topics.requests)

    await until(taken, lambda seen: seen == 2, PATIENCE)
    for draft in events_on(0, 40, "ahead"):
        await scene.send(draft)
    end = (await ops.bounds(scene.topics.requests, 0)).end
    await ops.delete_before(scene.topics.requests, 0, end)
    kept = await scene.send(*events_on(0, 1, "kept"))
    scene.kravia.faults()
    text = await problems_of(worker, f"{scene.topics.requests}/0")
    assert "not in the log any more" in text or "were deleted" in text
    others = await scene.send(*events_on(1, 2), *events_on(2, 2))
    await scene.settled(others)
    assert logged(worker, "out_of_range")
    assert kept[0] not in scene.results.outcomes
