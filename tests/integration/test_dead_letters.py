"""`worker dead-letters` on a broker, with what a real worker wrote."""

import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

from schemas.commands import COMMAND_TYPE
from tests.integration.events import Draft, event, numbers_on
from tests.integration.harness import AFTER_THE_TAKE_OVERS, Scene
from worker.demo.launch import environment, python_path
from worker.demo.simulator_faults import Fault
from worker.model import Coordinates


async def ask(scene: Scene, directory: Path, *words: str, status: int = 0) -> list[dict[str, Any]]:
    """What the command line prints as JSON Lines, as its user starts it."""
    settings = [f"{name}={value}" for name, value in scene.settings("operator").items()]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", "dead-letters", *words),
        env=environment(settings, os.environ) | python_path(os.environ),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == status, err.decode()
    return [json.loads(line) for line in out.decode().splitlines() if line.startswith("{")]


def sent_again(draft: Draft, first: Coordinates) -> Draft:
    said = {
        "replay-of": str(first),
        "command-id": "r-1",
        "command-verb": "replay",
        "command-who": "kari",
        "command-when": "2026-01-02T03:04:05Z",
        "command-why": "Kravia put it right",
    }
    pairs = tuple((name, text.encode()) for name, text in said.items())
    return Draft(draft.identity, draft.key, draft.value, (*draft.headers, *pairs))


def discarded(first: Coordinates) -> Draft:
    said = {
        "ce_specversion": "1.0",
        "ce_id": "d-1",
        "ce_source": "/ops/kari",
        "ce_type": COMMAND_TYPE,
        "replay-of": str(first),
    }
    data = {"version": 1, "verb": "discard", "who": "kari", "when": "2026-01-02T03:04:05Z", "why": "no invoice at all"}
    headers = tuple((name, text.encode()) for name, text in said.items())
    return Draft(str(first), str(first).encode(), json.dumps(data).encode(), headers, first.partition)


async def test_from_the_failure_to_the_audit(scene: Scene, tmp_path: Path) -> None:
    refused, expected = event(1, email="kari@example.com"), event(2)
    broken = Draft("", None, b"{", (), 0)
    scene.kravia.faults(Fault(kind="status", step="register", status=422, identity=refused.identity))
    await scene.worker().run()
    first, _, unreadable = sent = await scene.send(refused, expected, broken)
    await scene.settled(sent)

    listed = await ask(scene, tmp_path, "list", "--json")
    assert {one["origin"]: one["reason"] for one in listed} == {str(first): "refused", str(unreadable): "undecodable"}
    groups = await ask(scene, tmp_path, "groups", "--json")
    assert {one["reason"]: (one["count"], one["amounts"], one["unknown"]) for one in groups} == {
        "refused": (1, {"NOK": "2500"}, 0),
        "undecodable": (1, {}, 1),
    }
    # To keep: the bytes as they came.
    await ask(scene, tmp_path, "export", "letters.jsonl", "--reason", "refused")
    [line] = (tmp_path / "letters.jsonl").read_text().splitlines()
    assert base64.b64decode(json.loads(line)["value"]) == refused.value

    # It fails once more, then it goes through; the other one is given up.
    [second] = await scene.send(sent_again(refused, first), topic=scene.topics.replays)
    assert (await scene.outcome(second)).ending == "rejected refused"
    [one] = await ask(scene, tmp_path, "list", "--json", "--creditor", "10759")
    assert (one["state"], one["replays"], one["deadLetter"].split("/")[0]) == ("open", 1, scene.topics.dead_letters)
    scene.kravia.faults()
    again = sent_again(refused, first)
    again = Draft(
        again.identity,
        again.key,
        again.value,
        tuple((name, b"r-2" if name == "command-id" else value) for name, value in again.headers),
    )
    commands = await scene.send(again, discarded(unreadable), topic=scene.topics.replays)
    await scene.settled(commands)

    assert await ask(scene, tmp_path, "list", "--json") == []
    states = {one["origin"]: one["state"] for one in await ask(scene, tmp_path, "list", "--json", "--state", "all")}
    assert states == {str(first): "replayed", str(unreadable): "discarded"}
    [shown] = await ask(scene, tmp_path, "show", refused.identity, "--json")
    assert [entry["outcome"] for entry in shown["history"]] == ["rejected", "rejected", "scheduled"]
    assert [entry["command"] and entry["command"]["id"] for entry in shown["history"]] == [None, "r-1", "r-2"]
    assert shown["event"]["data"]["invoice"]["email"] == "***"
    assert [call["answer"].split(":")[0] for call in shown["calls"]][-1] == "registered"
    audit = await ask(scene, tmp_path, "audit", "--json")
    assert {(row["verb"], row["result"], row["why"]) for row in audit} == {
        ("replay", "rejected refused", "Kravia put it right"),
        ("replay", "scheduled", "Kravia put it right"),
        ("discard", "discarded", "no invoice at all"),
    }
    assert await ask(scene, tmp_path, "show", "10759/Invoice/nobody", status=1) == []


async def test_behind_aborted_transactions_nothing_is_missing(scene: Scene, tmp_path: Path) -> None:
    numbers = numbers_on(0)
    drafts = [event(next(numbers)) for _ in range(2)]
    for draft in drafts:
        scene.kravia.faults(*(Fault(kind="status", step="register", status=422, identity=d.identity) for d in drafts))
        worker = scene.worker("worker-1", static=True)
        await worker.run(WORKER_ALLOW_FAULTS="1", WORKER_FAULT_POINT=f"offsets-sent:kill:{AFTER_THE_TAKE_OVERS}")
        [sent] = await scene.send(draft)
        await worker.killed()
        # What it had written of the settlement is aborted when it comes again.
        await worker.run()
        await scene.settled([sent])
        await worker.stop()
    listed = await ask(scene, tmp_path, "list", "--json")
    assert sorted(one["identity"] for one in listed) == sorted(draft.identity for draft in drafts)
