"""A register whose answer nobody knows: found by a sweep, registered again with a witness, or left to a person."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.brokers.waiting import equals, until
from tests.integration.doubts import IMPATIENT, PATIENCE, WAITS, command, replay, say, settled_among_others
from tests.integration.events import Draft, event
from tests.integration.harness import Scene
from tests.integration.results import Outcome
from tests.integration.worker_process import WorkerProcess
from worker.demo.simulator_faults import Fault
from worker.model import Coordinates

SCHEDULED, IN_DOUBT = "scheduled", "failed in_doubt"


def drafts(count: int, name: str) -> list[Draft]:
    return [event(f"{name}-{number}", documents=1) for number in range(count)]


async def running(scene: Scene, **values: str) -> tuple[WorkerProcess, list[Coordinates]]:
    """A worker that has seen the API answer."""
    worker = scene.worker(static=True, **(WAITS | values))
    await worker.run()
    warm = await scene.send(event("warm"))
    await scene.settled(warm)
    return worker, warm


def answers(outcome: Outcome) -> list[str]:
    """What became of each register call, as the outcome tells it."""
    return [call["answer"] for call in outcome.data["calls"]]


async def test_answers_that_were_lost_are_found_by_a_sweep(scene: Scene):
    worker, warm = await running(scene)
    events = drafts(30, "lost")
    lost = events[::5]
    scene.kravia.faults(*(Fault(kind="lost", step="register", identity=one.identity, times=1) for one in lost))
    sent = await scene.send(*events)
    others = await settled_among_others(scene, sent)
    adopted = await worker.metric("doubts_resolved_total", resolution="adopted")
    assert adopted == len(lost)
    assert await worker.metric("possible_double_registers") == 0
    outcomes = await scene.close_books([*warm, *sent, *others])
    assert set(scene.tally(outcomes.values())) == {SCHEDULED}
    assert scene.kravia.calls["register", "lost"] == len(lost)
    assert scene.kravia.ledger.totals()["started_twice"] == 0
    for origin, draft in zip(sent, events, strict=True):
        assert answers(outcomes[origin]) == ["registered:adopted" if draft in lost else "registered"]
        assert outcomes[origin].data["invoiceId"] == str(scene.invoice(draft.identity).id)


@pytest.mark.parametrize("point", ["intent-sent", "intent-acked", "body-sent", "answer-read"])
async def test_killed_between_the_intent_and_its_answer_it_is_registered_once(scene: Scene, point: str):
    events = drafts(12, "killed")
    sent = await scene.send(*events)
    worker = scene.worker(static=True, **WAITS)
    worker.start(WORKER_FAULT_POINT=f"{point}:kill:6", WORKER_ALLOW_FAULTS="1")
    await worker.killed()
    await worker.run()
    others = await settled_among_others(scene, sent)
    outcomes = await scene.close_books([*sent, *others])
    assert set(scene.tally(outcomes.values())) == {SCHEDULED}
    assert all(scene.registers(draft.identity) == 1 for draft in events)


async def test_what_was_never_carried_out_is_registered_once_when_a_witness_proves_it(scene: Scene):
    worker, warm = await running(scene)
    events = drafts(3, "never")
    scene.kravia.faults(*(Fault(kind="reset", step="register", identity=one.identity, times=1) for one in events))
    sent = await scene.send(*events)
    others = await settled_among_others(scene, sent)
    assert await worker.metric("doubts_resolved_total", resolution="not_registered") == len(events)
    outcomes = await scene.close_books([*warm, *sent, *others])
    assert set(scene.tally(outcomes.values())) == {SCHEDULED}
    assert all(answers(outcomes[origin]) == ["not_carried_out:witnessed", "registered"] for origin in sent)


async def test_a_call_that_is_carried_out_late_is_found_and_not_made_again(scene: Scene):
    """The connection is lost, and Kravia carries it out nearly as late as we believe that it may."""
    _, warm = await running(scene)
    [late] = drafts(1, "late")
    scene.kravia.faults(Fault(kind="late", step="register", identity=late.identity, times=1, delay=0.8))
    sent = await scene.send(late)
    others = await settled_among_others(scene, sent)
    outcomes = await scene.close_books([*warm, *sent, *others])
    assert outcomes[sent[0]].ending == SCHEDULED
    assert answers(outcomes[sent[0]]) == ["registered:adopted"]


async def test_with_quarantine_a_person_decides_and_is_obeyed_once(scene: Scene):
    worker, warm = await running(scene, WORKER_IN_DOUBT="quarantine")
    lost, never = drafts(2, "quarantine")
    scene.kravia.faults(
        Fault(kind="lost", step="register", identity=lost.identity, times=1),
        Fault(kind="reset", step="register", identity=never.identity, times=1),
    )
    sent = await scene.send(lost, never)
    others = await settled_among_others(scene, sent)
    assert (await scene.outcome(sent[0])).ending == SCHEDULED
    assert (await scene.outcome(sent[1])).ending == IN_DOUBT
    letter = await scene.dead_letter(sent[1])
    doubt = letter.cause.doubt
    assert (letter.cause.reason, letter.value) == ("in_doubt", never.value)
    assert doubt is not None
    # Readers may see a commit before the worker knows of it.
    await equals(lambda: worker.metric("doubts", state="given_up"), 1)

    # Until somebody decides, no other event of it is billed; nor does a stale verdict count.
    [blocked] = await scene.send(never)
    await scene.settled([blocked])
    stale = await say(scene, command(never.identity, doubt + 1))
    assert scene.registers(never.identity) == 0
    verdict = command(never.identity, doubt, name="the-verdict")
    resolved = await say(scene, verdict)
    repeated = await say(scene, verdict)
    too_late = await say(scene, command(never.identity, doubt, invoice_id="4711"))
    await equals(lambda: worker.metric("doubts", state="given_up"), 0)
    again = await say(scene, replay(never, sent[1]))

    outcomes = await scene.close_books([*warm, *sent, *others, blocked, stale, resolved, repeated, too_late, again])
    assert [outcomes[one].ending for one in (blocked, stale, resolved)] == ["failed blocked", "repeated", "resolved"]
    assert [outcomes[one].ending for one in (repeated, too_late, again)] == ["repeated", "repeated", SCHEDULED]
    said = outcomes[resolved].data
    assert (said["verdict"], said["doubt"], said["who"]) == ("not_registered", doubt, "kari")
    assert outcomes[again].data["replayOf"] == str(sent[1])
    assert scene.registers(never.identity) == 1


async def test_rows_that_carry_no_identity_are_left_to_a_person_who_names_the_id(scene: Scene):
    """They never read as *not found*, whatever else the search shows."""
    worker, warm = await running(scene, **IMPATIENT)
    scene.kravia.settings.row_fields = ()
    [lost] = drafts(1, "blind")
    scene.kravia.faults(
        Fault(kind="lost", step="register", identity=lost.identity, times=1),
        Fault(kind="status", step="details", status=500),
    )
    sent = await scene.send(lost)
    others = await settled_among_others(scene, sent)
    first = await scene.outcome(sent[0])
    assert (first.ending, first.data["lastAnswer"]) == (IN_DOUBT, "no_identity")
    invoice = scene.invoice(lost.identity)
    assert invoice.documents == []
    scene.kravia.faults()

    # A restart keeps the doubt, and what a person says of it goes on where it stood.
    assert await worker.stop() == 0
    await worker.run()
    assert await worker.metric("doubts", state="given_up") == 1
    resolved = await say(scene, command(lost.identity, first.data["doubt"], invoice_id=str(invoice.id)))
    again = await say(scene, replay(lost, sent[0]))
    outcomes = await scene.close_books([*warm, *sent, *others, resolved, again])
    assert outcomes[resolved].ending == "resolved"
    assert outcomes[resolved].data["invoiceId"] == str(invoice.id)
    assert (outcomes[again].ending, outcomes[again].data["invoiceId"]) == (SCHEDULED, str(invoice.id))
    assert scene.registers(lost.identity) == 1
    assert (len(invoice.documents), invoice.started) == (1, 1)


async def test_a_command_is_believed_on_no_other_topic(scene: Scene):
    _, warm = await running(scene, WORKER_IN_DOUBT="quarantine", **IMPATIENT)
    [never] = drafts(1, "forged")
    scene.kravia.faults(Fault(kind="reset", step="register", identity=never.identity, times=1))
    sent = await scene.send(never)
    others = await settled_among_others(scene, sent)
    doubt = (await scene.outcome(sent[0])).data["doubt"]
    forged = await scene.send(command(never.identity, doubt), never)
    outcomes = await scene.close_books([*warm, *sent, *others, *forged])
    assert [outcomes[one].ending for one in forged] == ["rejected undecodable", "failed blocked"]
    assert scene.registers(never.identity) == 0


async def test_later_events_of_a_doubtful_identity_wait_and_others_go_on(scene: Scene):
    # The search hides it for longer than it may, so no witness counts here: the disorder is set longer than the test.
    worker, warm = await running(scene, KRAVIA_SEARCH_DISORDER="600", WORKER_WITNESS_TIMEOUT="600")
    [victim] = drafts(1, "waits")
    scene.kravia.settings.search_delay = 600.0
    scene.kravia.faults(Fault(kind="lost", step="register", identity=victim.identity, times=1))
    sent = await scene.send(victim)
    await until(lambda: registered(scene, victim), bool, PATIENCE)
    invoice = scene.invoice(victim.identity)
    scene.kravia.settings.search_delay = 0.0
    await until(lambda: worker.metric("doubts", state="reconciling"), lambda count: count == 1, PATIENCE)
    sent += await scene.send(victim)
    others = await scene.send(*drafts(20, "others"))
    settled = await scene.settled(others)
    assert scene.tally(settled.values()) == {SCHEDULED: 20}

    [told] = await doubts(worker)
    assert (told["record"], told["identity"], told["state"]) == (str(sent[0]), victim.identity, "doubt")
    assert told["last_answer"] == "lost"
    assert told["doubt"]["intent"] >= 0
    assert 0 <= told["doubt"]["believed_in_seconds"] < PATIENCE < told["doubt"]["given_up_in_seconds"] + PATIENCE
    assert await worker.metric("events", state="doubt") == 1
    assert await worker.metric("oldest_doubt_seconds") > 0
    assert not (await scene.read_outcomes()).keys() & set(sent)

    invoice.visible = 0.0
    await scene.settled(sent, PATIENCE)
    assert await doubts(worker) == []
    outcomes = await scene.close_books([*warm, *sent, *others])
    assert [outcomes[one].ending for one in sent] == [SCHEDULED, "repeated"]
    assert scene.registers(victim.identity) == 1


async def registered(scene: Scene, draft: Draft) -> int:
    return scene.registers(draft.identity)


async def doubts(worker: WorkerProcess) -> Sequence[dict[str, Any]]:
    """What `/status` says is being reconciled."""
    status, text = await worker.ask("status")
    assert status == 200, text
    return [doubt for partition in json.loads(text)["partitions"] for doubt in partition["doubts"]]
