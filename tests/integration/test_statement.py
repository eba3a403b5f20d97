"""`worker statement` on what real workers left behind: explained to the last call; what is tampered with is named."""

import csv
import json
from dataclasses import replace
from pathlib import Path

from tests.integration.doubts import PATIENCE, WAITS, command, replay, say, settled_among_others
from tests.integration.events import Draft, event
from tests.integration.harness import Scene
from tests.integration.statements import statement
from tests.integration.test_why import worker_command
from worker.demo.simulator_faults import Fault
from worker.demo.simulator_wire import Registration
from worker.model import Coordinates


async def a_mix(scene: Scene) -> tuple[list[Draft], Draft, Coordinates, int]:
    """Everything that may become of an event. What was scheduled, what is in doubt, where that stands, its doubt."""
    worker = scene.worker(static=True, **WAITS, WORKER_IN_DOUBT="quarantine")
    await worker.run()
    good = [event(f"good-{number}", documents=1, originalAmount=100 + number) for number in range(6)]
    refused, lost, never = event("refused"), event("lost"), event("never")
    scene.kravia.faults(
        Fault(kind="status", step="register", identity=refused.identity, status=422),
        Fault(kind="lost", step="register", identity=lost.identity, times=1),
        Fault(kind="reset", step="register", identity=never.identity, times=1),
    )
    broken = replace(event("broken"), value=b"{")
    sent = await scene.send(*good, refused, lost, never, broken)
    others = await settled_among_others(scene, sent)
    again = await scene.send(good[0], never)
    await scene.settled(again, PATIENCE)
    doubt = (await scene.outcome(sent[8])).data["doubt"]
    return [*good, lost, *(event(f"witness-{number}") for number in range(len(others)))], never, sent[8], doubt


async def test_a_month_is_explained_to_the_last_call_and_what_is_not_is_named(scene: Scene, tmp_path: Path):
    good, never, origin, doubt = await a_mix(scene)
    told = await statement(scene, tmp_path)
    assert told.unexplained == {("doubt_open", never.identity)}
    assert told.status == 1
    assert any(never.identity in line and "2500 NOK" in line for line in told.lines)

    await say(scene, command(never.identity, doubt))
    await say(scene, replay(never, origin))
    told = await statement(scene, tmp_path, "--csv", str(tmp_path / "statement.csv"))
    assert told.unexplained == set()
    assert (told.status, told.lines[-1]) == (0, "unexplained: 0")
    scheduled = [*good, never]
    totals = [2500] * (len(scheduled) - 6) + [100 + number for number in range(6)]
    assert told.sums() == {"scheduled": (len(scheduled), str(sum(totals))), "rejected refused": (1, "2500")}
    assert told.whole["kravia"]["foundBySearch"] == len(scheduled)
    assert told.whole["registerCalls"]["registered:adopted"] == 1
    assert told.whole["registerCalls"]["not_carried_out:verdict"] == 1
    assert (told.whole["decisions"], told.whole["replays"]) == ({"not_registered": 1}, 1)
    assert told.whole["notSettledYet"] == 0
    with (tmp_path / "statement.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["identity"]: row for row in csv.DictReader(file)}
    assert len(rows) == len(scheduled) + 1
    assert (rows[never.identity]["outcome"], rows[never.identity]["calls"]) == ("scheduled", "2")

    # Behind the worker's back: one is billed twice, one is gone, one is another's now.
    ledger = scene.kravia.ledger
    double, gone, changed = (scene.invoice(draft.identity) for draft in good[:3])
    ledger.register(Registration(double.identity, double.row), double.body, 0, 0)
    del ledger.by_id[str(gone.id)]
    changed.row = changed.row | {"invoiceNo": "tampered"}
    told = await statement(scene, tmp_path)
    assert told.unexplained == {
        ("double_at_kravia", double.identity),
        ("not_at_kravia", gone.identity),
        ("identity_differs", changed.identity),
    }
    assert (told.status, told.lines[-7]) == (1, "unexplained: 3")
    # Without Kravia's books nothing of it can be seen, and the statement says that it did not look.
    told = await statement(scene, tmp_path, "--no-search")
    assert told.status == 0
    assert any("not compared" in line or "not asked" in line for line in told.lines)


async def test_an_outcome_that_no_worker_wrote_is_named(scene: Scene, tmp_path: Path):
    worker = scene.worker(static=True, **WAITS)
    await worker.run()
    first = event("one")
    [sent] = await scene.send(first)
    outcome = await scene.outcome(sent)
    await scene.stop()
    producer = await scene.producer()
    stranger = outcome.data | {"identity": "10759/Invoice/stranger", "invoiceId": "999999"}
    stranger |= {"origin": stranger["origin"] | {"offset": 50}, "invoiceNo": "stranger"}
    await producer.send_and_wait(scene.topics.outcomes, json.dumps(stranger).encode(), key=b"x", partition=0)
    told = await statement(scene, tmp_path)
    assert told.unexplained == {
        (kind, "10759/Invoice/stranger") for kind in ("outcome_without_input", "no_ledger_entry", "not_at_kravia")
    }


async def test_wrong_usage_and_an_unreachable_kafka(scene: Scene, tmp_path: Path):
    status, _, err = await worker_command(scene, "statement", "--month", "2026-13")
    assert (status, "2026-13" in err) == (2, True)
    status, _, err = await worker_command(scene, "statement")
    assert (status, "--month" in err) == (2, True)
    status, _, err = await worker_command(scene, "statement", "--month", "2026-11", "--csv", str(tmp_path / "no" / "x"))
    assert (status, "can't be written" in err) == (2, True)
    status, _, err = await worker_command(
        scene, "statement", "--month", "2026-11", "--no-search", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1"
    )
    assert (status, "could not be read" in err) == (1, True)
