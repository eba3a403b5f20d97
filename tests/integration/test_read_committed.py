"""What readers of outcomes see of a transaction that was aborted."""

import json

from aiokafka import TopicPartition

from tests.brokers.clients import read_to_end
from tests.integration.events import event
from tests.integration.harness import AFTER_THE_TAKE_OVERS, Scene


async def test_an_aborted_outcome_is_seen_by_the_uncommitted_reader_only(scene: Scene):
    """A worker dies between writing an outcome and committing it; the next one writes it again."""
    draft = event("aborted")
    worker = scene.worker(static=True)
    await worker.run(WORKER_FAULT_POINT=f"offsets-sent:kill:{AFTER_THE_TAKE_OVERS}", WORKER_ALLOW_FAULTS="1")
    [sent] = await scene.send(draft)
    await worker.killed()
    await worker.run()
    outcome = await scene.outcome(sent)
    await scene.close_books([sent])

    partition = TopicPartition(scene.topics.outcomes, sent.partition)
    seen = {}
    for level in ("read_committed", "read_uncommitted"):
        reader = await scene.clients.consumer(level)
        seen[level] = [json.loads(value or b"") for _, value in await read_to_end(reader, partition)]
    assert seen["read_committed"] == [outcome.data]
    aborted, committed = seen["read_uncommitted"]
    assert committed == outcome.data
    # The same input, told twice, and not in the same words: the aborted one is no promise of anything.
    assert aborted["origin"] == committed["origin"]
    assert aborted["settledAt"] != committed["settledAt"]
    assert scene.registers(draft.identity) == 1
