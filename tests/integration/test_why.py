"""`worker why`, as a process, beside a worker at work: the same answers that an operator would get."""

import asyncio
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.brokers.waiting import until
from tests.integration.doubts import IMPATIENT, PATIENCE, WAITS, command, replay, say, settled_among_others
from tests.integration.events import data, event, headers
from tests.integration.harness import Scene
from worker.demo.simulator_faults import Fault

ROOT = Path(__file__).parents[2]


async def worker_command(scene: Scene, *words: str, **values: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of `worker …` with this scene's settings."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "worker",
        *words,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | scene.settings("operator") | WAITS | values,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def why(scene: Scene, subject: str) -> dict[str, Any]:
    """The one story that answers."""
    status, out, err = await worker_command(scene, "why", subject, "--json")
    assert out, err
    [story] = json.loads(out)
    assert status == (1 if story["where"] == "unseen" else 0)
    return story


def happened(story: dict[str, Any]) -> list[str]:
    return [moment["what"] for moment in story["moments"]]


def lasting(scene: Scene, story: dict[str, Any]) -> list[dict[str, Any]]:
    """What stays: the journal is trimmed soon after an event is settled."""
    return [moment for moment in story["moments"] if not str(moment["record"]).startswith(scene.topics.journal)]


async def test_where_each_invoice_is(scene: Scene):
    worker = scene.worker(static=True, **WAITS)
    await worker.run()
    good = event("good", documents=1, event_id="billing-17")
    wrong = replace(event("wrong"), value=replace_date(event("wrong").value), headers=headers("billing-18"))
    broken = replace(event("broken"), value=b"{", headers=headers("billing-19"))
    sent = await scene.send(good, wrong, broken)
    await scene.settled(sent)
    [again] = await scene.send(good)
    await scene.settled([again])

    story = await why(scene, good.identity)
    assert (story["where"], story["turn"], story["unsettled"]) == ("scheduled", "nobody", [])
    assert story["invoiceId"] == str(scene.invoice(good.identity).id)
    assert happened(story).count("register") == 1
    assert [what for what in happened(story) if what in ("scheduled", "repeated")] == ["scheduled", "repeated"]
    # By its event's id, by the record and by the outcome it is the same invoice.
    outcome = next(moment["record"] for moment in story["moments"] if moment["what"] == "scheduled")
    for subject in ("billing-17", str(sent[0]), outcome):
        same = await why(scene, subject)
        assert (same["identity"], same["where"]) == (good.identity, "scheduled")
        assert lasting(scene, same) == lasting(scene, story)

    story = await why(scene, wrong.identity)
    assert (story["where"], story["turn"], story["invoiceId"]) == ("rejected", "producer", None)
    assert "worker validate" in story["next"]
    [rejected] = [moment for moment in story["moments"] if moment["what"] == "rejected"]
    assert rejected["details"]["errors"] == "/invoice/dueDate bad_date"
    letter = next(moment["record"] for moment in story["moments"] if moment["what"] == "dead_letter")
    assert letter.startswith(scene.topics.dead_letters)
    assert (await why(scene, letter))["identity"] == wrong.identity

    # Without an identity its coordinates stand for it.
    story = await why(scene, "billing-19")
    assert (story["identity"], story["record"], story["where"]) == (None, str(sent[2]), "rejected")
    assert lasting(scene, await why(scene, str(sent[2]))) == lasting(scene, story)

    story = await why(scene, "10759/Invoice/never")
    assert (story["where"], story["moments"]) == ("unseen", [])
    status, out, err = await worker_command(scene, "why", "no-such-event")
    assert (status, out) == (1, "")
    assert "Never seen" in err
    assert (await why(scene, f"{scene.topics.requests}/0/4711"))["where"] == "unseen"

    # For people, and without anything of the debtor's.
    status, text, _ = await worker_command(scene, "why", good.identity)
    assert status == 0
    assert text.startswith(f"{good.identity} (partition ")
    assert "Next (nobody): Nothing: it is done." in text
    assert "Nordby" not in text
    await scene.close_books([*sent, again])


def replace_date(value: bytes | None) -> bytes:
    return (value or b"").replace(b"2026-05-01", b"1.5.2026")


async def test_a_doubt_from_the_lost_answer_to_the_replay(scene: Scene):
    # Nothing is believed before the test says so: the disorder is set longer than the test.
    worker = scene.worker(static=True, **(WAITS | {"KRAVIA_LATE_PROCESSING": "600"}))
    await worker.run()
    warm = await scene.send(event("warm"))
    await scene.settled(warm)
    lost = event("lost", event_id="billing-20")
    scene.kravia.faults(Fault(kind="reset", step="register", identity=lost.identity, times=1))
    [sent] = await scene.send(lost)
    await until(lambda: worker.metric("doubts", state="reconciling"), lambda count: count == 1, PATIENCE)
    story = await why(scene, lost.identity)
    assert (story["where"], story["turn"], story["unsettled"]) == ("reconciling", "worker", [str(sent)])
    assert sorted(happened(story)) == ["intent", "received", "unclear"]
    assert "nothing is believed before 20" in story["next"]
    assert (await why(scene, "billing-20"))["doubt"] == story["doubt"]
    assert (await why(scene, str(sent)))["where"] == "reconciling"

    # A worker that has less patience gives it up.
    assert await worker.stop() == 0
    worker = scene.worker(static=True, **(WAITS | IMPATIENT | {"WORKER_IN_DOUBT": "quarantine"}))
    await worker.run()
    others = await settled_among_others(scene, [sent])
    story = await why(scene, lost.identity)
    doubt = story["doubt"]
    assert (story["where"], story["turn"]) == ("in_doubt", "operator")
    assert f"doubt {doubt}" in story["next"]
    assert "dead_letter" in happened(story)

    resolved = await say(scene, command(lost.identity, doubt))
    story = await why(scene, lost.identity)
    assert (story["where"], story["turn"]) == ("decided", "operator")
    assert "replays topic" in story["next"]
    again = await say(scene, replay(lost, sent))
    story = await why(scene, lost.identity)
    assert story["where"] == "scheduled"
    told = happened(story)
    assert [what for what in told if what in ("failed", "resolved", "scheduled")] == ["failed", "resolved", "scheduled"]
    assert {"verdict", "replayed"} <= set(told)
    await scene.close_books([*warm, sent, *others, resolved, again])


async def test_an_event_that_no_worker_took_yet_waits(scene: Scene):
    waiting = event("waiting", event_id="billing-21")
    [sent] = await scene.send(waiting)
    for subject in (waiting.identity, "billing-21", str(sent)):
        story = await why(scene, subject)
        assert (story["identity"], story["where"]) == (waiting.identity, "waiting")
        assert story["unsettled"] == [str(sent)]
    assert data("waiting")["invoice"]["debtorName"] not in json.dumps(story)
    assert scene.registers(waiting.identity) == 0
