"""kill -9 at each step of an event, then a restart: at most one register, exactly one outcome, whatever the step."""

from dataclasses import dataclass

import pytest

from tests.integration.events import Draft, event, numbers_on
from tests.integration.harness import AFTER_THE_TAKE_OVERS, SHORT_DOUBTS, Scene
from worker.model import Coordinates

SCHEDULED, IN_DOUBT = "scheduled", "failed in_doubt"

DONE = (SCHEDULED, 1)
"""How an event may end, and how often Kravia's own ledger has its invoice then."""
NOBODY_KNOWS = (IN_DOUBT, 0)
"""Not registered, and no witness came that would prove it."""


@dataclass(frozen=True)
class Kill:
    """Where the worker dies, and what may come of the event that it dies on."""

    point: str
    ends: tuple[tuple[str, int], ...] = (DONE,)
    once_ready: bool = False
    """The event comes when every partition is taken over: their commits are not taken for its own."""

    def __str__(self) -> str:
        return self.point


KILLS = (
    Kill("after-claim:kill:1"),
    Kill("after-claim:kill:4"),
    Kill("after-restore:kill:1"),
    Kill("before-commit:kill:1"),
    Kill("committed:kill:1"),
    # Here the answer is lost, if there was one: found in the search, or registered again if a witness comes in time.
    Kill("intent-sent:kill", (DONE, NOBODY_KNOWS)),
    Kill("intent-acked:kill", (DONE, NOBODY_KNOWS)),
    Kill("body-sent:kill", (DONE, NOBODY_KNOWS)),
    Kill("answer-read:kill"),
    Kill("fact-acked:kill"),
    Kill("before-attach:kill:1"),
    Kill("attached:kill:1"),
    Kill("before-attach:kill:2"),
    Kill("attached:kill:2"),
    Kill("before-start:kill"),
    Kill("started:kill"),
    Kill(f"before-commit:kill:{AFTER_THE_TAKE_OVERS}", once_ready=True),
    Kill(f"offsets-sent:kill:{AFTER_THE_TAKE_OVERS}", once_ready=True),
    Kill(f"committed:kill:{AFTER_THE_TAKE_OVERS}", once_ready=True),
    Kill("before-trim:kill"),
)


@pytest.mark.parametrize("kill", KILLS, ids=str)
async def test_one_register_and_one_outcome_wherever_it_dies(scene: Scene, kill: Kill):
    victim = event("victim", documents=2)
    bystanders = [event(next(numbers_on(partition, prefix="b"))) for partition in range(scene.partitions)]

    # A static member: it takes its own place at once. What a dynamic one's end costs is test_takeover's matter.
    worker = scene.worker(static=True, WORKER_TRIM_INTERVAL="0.1", **SHORT_DOUBTS)
    sent = [] if kill.once_ready else await scene.send(victim)
    worker.start(WORKER_FAULT_POINT=kill.point, WORKER_ALLOW_FAULTS="1")
    if kill.once_ready:
        await worker.ready()
        sent = await scene.send(victim)
    await worker.killed()
    sent += await scene.send(*bystanders)
    await worker.run()
    first = await scene.outcome(sent[0])
    sent += await scene.send(victim)

    outcomes = await scene.close_books(sent)
    assert (first.ending, scene.registers(victim.identity)) in kill.ends
    if first.ending == SCHEDULED:
        invoice = scene.invoice(victim.identity)
        # No point lies between an answer to attach or start and the fact that says so: nothing is sent again.
        assert len(invoice.documents) == len({document.sha256 for document in invoice.documents}) == 2
        assert invoice.started == 1
        assert outcomes[sent[-1]].ending == "repeated"
        assert outcomes[sent[-1]].data["earlierOutcome"] == first.headers["ce_id"]
    else:
        # Only a person's decision moves it: what comes later of this invoice is not billed either.
        letter = await scene.dead_letter(sent[0])
        assert letter.value == victim.value
        assert letter.cause.reason == "in_doubt"
        assert letter.cause.doubt == first.data["doubt"]
        assert outcomes[sent[-1]].ending == "failed blocked"
    for origin, bystander in zip(sent[1:-1], bystanders, strict=True):
        assert outcomes[origin].ending == SCHEDULED
        assert scene.registers(bystander.identity) == 1


# How many events share a commit is chance: each of the 4 partitions has one for its take-over, and at least one more.
@pytest.mark.parametrize(
    "point", ["answer-read:kill:60", "fact-acked:kill:60", "offsets-sent:kill:8", "started:kill:60"]
)
async def test_killed_under_load_only_open_intents_are_in_doubt(scene: Scene, point: str):
    """Many events on their way: what had no open intent goes on, what had one is in doubt, nothing is done twice."""
    scene.kravia.settings.latency = 0.005
    drafts = [event(f"load-{number}", documents=number % 2) for number in range(120)]
    sent = await scene.send(*drafts)
    assert {origin.partition for origin in sent} == set(range(scene.partitions))
    worker = scene.worker(static=True, **SHORT_DOUBTS)
    worker.start(WORKER_FAULT_POINT=point, WORKER_ALLOW_FAULTS="1")
    await worker.killed()
    known = set(await scene.read_outcomes())
    await worker.run()

    outcomes = await scene.close_books(sent)
    tally = scene.tally(outcomes.values())
    assert set(tally) <= {SCHEDULED, IN_DOUBT}
    assert len(known) < len(sent), "the point lies in the middle of the load"
    assert all(outcomes[origin].ending == SCHEDULED for origin in known)
    for origin, draft in zip(sent, drafts, strict=True):
        # A register that was carried out is found: only one that Kravia knows nothing of is left to a person.
        assert scene.registers(draft.identity) == (outcomes[origin].ending == SCHEDULED)
        if outcomes[origin].ending == SCHEDULED:
            invoice = scene.invoice(draft.identity)
            assert invoice.started >= 1
            assert len({document.sha256 for document in invoice.documents}) == int(draft.identity[-1]) % 2


async def test_killed_again_and_again(scene: Scene):
    """Lives of a few events each: what one leaves behind the next ones take up, until all is settled."""
    worker = scene.worker(static=True, **SHORT_DOUBTS)
    sent: list[Coordinates] = []
    drafts: list[Draft] = []
    for life, point in enumerate(("after-restore:2", "attached:5", "committed:6", "before-start:3", "started:4")):
        new = [event(f"life-{life}-{number}", documents=1) for number in range(16)]
        sent += await scene.send(*new)
        drafts += new
        step, nth = point.split(":")
        worker.start(WORKER_FAULT_POINT=f"{step}:kill:{nth}", WORKER_ALLOW_FAULTS="1")
        await worker.killed()
    await worker.run()
    outcomes = await scene.close_books(sent)
    assert set(scene.tally(outcomes.values())) <= {SCHEDULED, IN_DOUBT}
    # How many calls each life leaves open is chance; what Kravia carried out of them is found, all of it.
    for origin, draft in zip(sent, drafts, strict=True):
        assert scene.registers(draft.identity) == (outcomes[origin].ending == SCHEDULED)
