"""The kcat examples of docs/how-to/."""

import json

import pytest

from tests.integration.examples import FOLDER, run
from tests.integration.harness import Scene
from worker.model import Coordinates

IDENTITY = "10759/Invoice/20001"
pytestmark = pytest.mark.kcat


@pytest.mark.parametrize("script", ["produce-binary.sh", "produce-structured.sh"])
async def test_an_event_is_written_and_its_outcome_read(scene: Scene, script: str):
    await scene.worker().run()
    await run(FOLDER / "kcat" / script, scene.broker.bootstrap, scene.topics.requests)
    # 10759/Invoice/20001 has the hash 1577981591: partition 3 of 4. Elsewhere the event would be misrouted.
    sent = Coordinates(scene.topics.requests, 3, 0)
    outcome = await scene.outcome(sent)
    assert outcome.ending == "scheduled"
    assert outcome.data["eventId"] == "b6a1c0de-0001"

    printed = await run(FOLDER / "kcat" / "read-outcomes.sh", scene.broker.bootstrap, scene.topics.outcomes)
    [line] = printed.splitlines()
    key, headers, value = line.split(" ", 2)
    assert (key, json.loads(value)) == (IDENTITY, outcome.data)
    assert f"ce_id={outcome.headers['ce_id']}" in headers.split(",")
    await scene.close_books([sent])
