"""`worker doctor` on a real broker and a simulated Kravia; and that it leaves a running worker alone."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer

from tests.brokers.waiting import until
from tests.integration.apache_ops import PATIENCE
from tests.integration.events import event
from tests.integration.harness import Scene


async def doctor(scene: Scene, directory: Path, **values: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and findings, with the scene's settings."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", "doctor", "--json"),
        env=environment | scene.settings("doctor") | values,
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(out)


def failures(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(found["area"], found["what"]) for found in findings if found["level"] == "fail"]


async def test_all_is_well_and_a_running_worker_is_not_fenced(scene: Scene, tmp_path: Path) -> None:
    worker = scene.worker()
    await worker.run()
    sent = await scene.send(event(1))
    await scene.settled(sent)
    status, findings = await doctor(scene, tmp_path)
    assert (status, failures(findings)) == (0, [])
    seen = {(found["area"], found["what"]) for found in findings if found["level"] == "ok"}
    assert {
        ("kafka", "brokers"),
        ("topics", "all six"),
        ("rights", f"transactional ids {scene.topics.ledger}.*"),
        ("rights", f"{scene.topics.journal}: DeleteRecords"),
        ("ledger", "headers"),
        ("kravia", f"search at {scene.kravia.url}"),
        ("clock", "against Kravia"),
    } <= seen
    more = await scene.send(event(2), event(3))
    await scene.settled(more)
    assert await worker.metric("ownership_changes_total", change="started") == scene.partitions
    assert len(scene.kravia.ledger.by_identity) == 3
    await scene.close_books([*sent, *more])


async def test_what_is_wrong_is_named(scene: Scene, tmp_path: Path) -> None:
    status, findings = await doctor(
        scene,
        tmp_path,
        KRAVIA_TOKEN="wrong",
        TOPIC_OUTCOMES=f"{scene.topics.outcomes}.missing",
        KAFKA_TRANSACTION_TIMEOUT="60",
    )
    assert status == 1
    assert failures(findings) == [
        ("topics", f"{scene.topics.outcomes}.missing"),
        ("kravia", f"search at {scene.kravia.url}"),
    ]
    missing, token = [found for found in findings if found["level"] == "fail"]
    assert missing["remedy"] == "worker topics create"
    assert token["detail"] == "401: the token is wrong or expired"


async def test_anothers_ledger_is_named(scene: Scene, tmp_path: Path) -> None:
    await scene.worker().run()
    sent = await scene.send(event(1))
    await scene.settled(sent)
    status, findings = await doctor(scene, tmp_path, KAFKA_GROUP_ID=f"{scene.group}-other")
    assert status == 1
    assert {area for area, _ in failures(findings)} == {"ledger"}
    first = next(found for found in findings if found["level"] == "fail")
    assert "belongs to another worker: consumer group (KAFKA_GROUP_ID)" in first["detail"]
    assert "never delete the ledger" in first["remedy"]


async def test_no_topic_is_made_by_asking(scene: Scene, tmp_path: Path) -> None:
    names = replace(scene.topics, journal=f"{scene.topics.journal}.missing")
    for _ in range(2):
        status, findings = await doctor(scene, tmp_path, TOPIC_JOURNAL=names.journal)
        assert status == 1
        assert failures(findings) == [("topics", names.journal)]


@pytest.mark.apache
async def test_an_application_that_speaks_the_newer_protocol_in_the_group_is_named(
    scene: Scene, tmp_path: Path
) -> None:
    """KIP-848: the broker calls such a group dead when it is described."""
    settings = {
        "bootstrap.servers": scene.broker.bootstrap,
        "group.id": scene.group,
        "group.protocol": "consumer",
        "client.id": "crm",
    }
    stranger = Consumer(settings)
    try:
        stranger.subscribe([scene.topics.requests])

        async def joined() -> bool:
            await asyncio.to_thread(stranger.poll, 0.2)
            return bool(stranger.assignment())

        await until(joined, bool, PATIENCE)
        status, findings = await doctor(scene, tmp_path)
        [told] = [found for found in findings if found["area"] == "group"]
        assert (status, told["level"], told["what"]) == (1, "fail", scene.group)
        assert "its members speak the newer protocol (group.protocol=consumer, KIP-848)" in told["detail"]
        assert f"--members --group {scene.group}" in told["remedy"]
    finally:
        await asyncio.to_thread(stranger.close)
    status, findings = await doctor(scene, tmp_path)
    [told] = [found for found in findings if found["area"] == "group"]
    assert (status, told["level"]) == (0, "warn")
    assert "nobody is in it now, but another application has used it" in told["detail"]
    # As it promises: the first worker turns the group back.
    await scene.worker().run()
    status, findings = await doctor(scene, tmp_path)
    [told] = [found for found in findings if found["area"] == "group"]
    assert (status, told["level"]) == (0, "ok")
