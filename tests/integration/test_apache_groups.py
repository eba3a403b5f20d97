"""Two groups on one ledger, on Apache Kafka."""

import pytest

from tests.brokers.waiting import until
from tests.integration.apache_ops import PATIENCE, events_on, logged
from tests.integration.harness import Scene
from tests.integration.worker_process import WorkerProcess

pytestmark = pytest.mark.apache

ALL = set(range(4))


async def test_a_group_that_found_no_header_at_its_start_does_not_fence_the_right_owner_for_ever(scene: Scene) -> None:
    """Both start on a fresh ledger. Whose header is there first is right; the other keeps its hands off."""
    wrong = scene.worker(
        "wrong",
        KAFKA_GROUP_ID=f"{scene.group}-two",
        WORKER_ALLOW_FAULTS="1",
        WORKER_FAULT_POINT="after-claim:stop",
    )
    right = scene.worker("right")
    wrong.start()
    await wrong.frozen()
    await right.run()
    wrong.thaw()

    async def states() -> tuple[set[int], set[int]]:
        return _latest(right, "partition_flows"), _latest(wrong, "refused")

    await until(states, lambda seen: seen == (ALL, ALL), PATIENCE)
    # An owner learns that it was fenced when it writes.
    sent = await scene.send(*(draft for partition in ALL for draft in events_on(partition, 2, "first")))
    await scene.settled(sent)
    fenced, tries = _lost(right, "fenced"), _lost(wrong, "refused")

    async def tried() -> int:
        return _lost(wrong, "refused")

    # It goes on trying, since a person may yet mend it, and fences nobody by that.
    await until(tried, lambda seen: seen >= tries + len(ALL), PATIENCE)
    sent += await scene.send(*(draft for partition in ALL for draft in events_on(partition, 2, "then")))
    outcomes = await scene.close_books(sent)
    assert _lost(right, "fenced") == fenced
    assert scene.tally(outcomes.values()) == {"scheduled": len(sent)}


def _latest(worker: WorkerProcess, what: str) -> set[int]:
    """The partitions whose latest news in the log is this: `partition_flows`, or why they were lost."""
    news: dict[int, str] = {}
    for line in worker.log():
        if line.get("event") in ("partition_flows", "ownership_lost"):
            news[int(line["partition"])] = str(line.get("why", line["event"]))
    return {partition for partition, state in news.items() if state == what}


def _lost(worker: WorkerProcess, why: str) -> int:
    return sum(line["why"] == why for line in logged(worker, "ownership_lost"))
