"""A doubtful register on its way through the pipeline: what is waited for, what is journaled, what follows."""

import asyncio
from collections import deque
from dataclasses import replace

import pytest

from tests.unit.fakes_core import JOURNAL, World, make_event, make_record
from tests.unit.fakes_lane import make, settled, unfinished
from tests.unit.fakes_pipeline import PATIENT, TWO, Bench
from tests.unit.fakes_time import settle_down, until, virtual
from worker.answers import Refused, Unclear
from worker.doubt import Adopted, CertainlyNot, DoubtPolicy, GivenUp
from worker.facts import decode
from worker.model import Failed, Reason, Scheduled
from worker.ports import Details
from worker.standing import State

MAYBE = Unclear("timeout")
POLICY = DoubtPolicy(
    intent_validity=5.0, register_timeout=30.0, late_processing=300.0, search_delay=120.0, clock_error=5.0, registers=2
)


class Told:
    """A reconciler that answers as the test says, and keeps what it was asked."""

    def __init__(self, *resolutions):
        self.policy = POLICY
        self.resolutions = deque(resolutions)
        self.doubts = []
        self.witnesses = {}

    def registered(self, invoice_id, identity, sent):
        self.witnesses[invoice_id] = sent

    async def resolve(self, doubt):
        self.doubts.append(doubt)
        resolution = self.resolutions.popleft()
        if isinstance(resolution, asyncio.Future):
            resolution = await resolution
        await asyncio.sleep(1.0)
        return resolution


def told_by(world, *resolutions):
    told = Told(*resolutions)
    world.tools = replace(world.tools, reconciler=told)
    return told


async def bench(*resolutions):
    made = Bench()
    told = told_by(made.world, *resolutions)
    return await made.ready(), told


def classes(made):
    log = made.world.log
    facts = [decode(row.record[1]) for row in log.rows[JOURNAL] if row.record is not None]
    return [(fact.kind.value, fact.answer_class) for fact in facts if fact.kind != "claim"]


@virtual
async def test_one_that_is_found_goes_on_under_its_id():
    made, told = await bench(Adopted("4711"))
    made.api.plan("register", (7.0, MAYBE))
    assert await made.handle(make_event(documents=TWO)) == Scheduled("4711")
    assert classes(made)[:3] == [("intent", None), ("unclear", "timeout"), ("registered", "adopted")]
    # Somebody may have gone on with it: what is there is asked first.
    assert made.api.steps() == ["register", "details", "attach", "attach", "start"]
    [doubt] = told.doubts
    assert doubt.deadline == 7.0 + POLICY.late_processing  # from the end of the call, not from its beginning


@virtual
async def test_what_details_show_is_not_done_again():
    made, _ = await bench(Adopted("4711"))
    made.api.plan("register", MAYBE)
    made.api.plan("details", Details(("a.txt", "b.txt"), False))
    assert await made.handle(make_event(documents=TWO)) == Scheduled("4711")
    assert made.api.steps() == ["register", "details"]


@virtual
async def test_one_that_is_certainly_not_registered_gets_a_new_intent():
    made, told = await bench(CertainlyNot())
    made.api.plan("register", MAYBE)
    assert await made.handle() == Scheduled("inv-2")
    assert classes(made)[:5] == [
        ("intent", None),
        ("unclear", "timeout"),
        ("not_carried_out", "witnessed"),
        ("intent", None),
        ("registered", None),
    ]
    assert list(told.witnesses) == ["inv-2"]


@virtual
async def test_it_is_registered_again_a_bounded_number_of_times():
    made, told = await bench(*[CertainlyNot()] * 5)
    made.api.plan("register", *[MAYBE] * 5)
    ending = await made.handle()
    assert isinstance(ending, Failed)
    assert (ending.reason, ending.doubt) == (Reason.EXPIRED, None)
    assert made.api.steps() == ["register"] * POLICY.registers
    assert len(told.doubts) == POLICY.registers


@pytest.mark.parametrize("why", ["no_witness", "quarantined", "ambiguous", "no_identity", "unreadable"])
@virtual
async def test_one_that_nobody_can_tell_names_its_doubt(why):
    made, told = await bench(GivenUp(why))
    made.api.plan("register", MAYBE)
    ending = await made.handle()
    assert isinstance(ending, Failed)
    assert (ending.reason, ending.last_class, ending.doubt) == (Reason.IN_DOUBT, why, told.doubts[0].intent)
    assert made.api.steps() == ["register"]


async def crashed(made, *facts):
    """An owner that ends in the middle, with these answers to its calls; another one takes over."""
    task = asyncio.create_task(made.run(make_event(documents=TWO)))
    await until(lambda: made.facts() == list(facts))
    await settle_down()  # on to what it waits for then
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(40.0)
    await made.restarted()
    made.world.open_gate()


@virtual
async def test_an_inherited_intent_waits_from_the_claim_and_is_not_sent_again():
    made, told = await bench(Adopted("4711"))
    made.api.plan("register", (1000.0, MAYBE))
    await crashed(made, "intent")
    assert await made.handle(make_event(documents=TWO)) == Scheduled("4711")
    assert "register" not in made.api.steps()
    [doubt] = told.doubts
    assert doubt.deadline == made.own.claimed + 5.0 + 30.0 + 5.0 + 300.0
    assert made.own.claimed >= 40.0


@virtual
async def test_a_doubt_that_was_being_reconciled_is_one_for_the_next_owner_too():
    never = asyncio.get_running_loop().create_future()
    made, told = await bench(never, CertainlyNot())
    made.api.plan("register", MAYBE)
    await crashed(made, "intent", "unclear")
    assert await made.handle(make_event(documents=TWO)) == Scheduled("inv-2")
    own, inherited = told.doubts
    assert own.intent == inherited.intent
    assert inherited.deadline > own.deadline
    assert made.api.steps().count("register") == 1


@virtual
async def test_what_was_found_once_is_never_asked_for_again():
    made, told = await bench(Adopted("4711"))
    made.api.plan("register", MAYBE)
    made.api.plan("details", (1000.0, Details(None, None)))
    await crashed(made, "intent", "unclear", "registered")
    assert await made.handle(make_event(documents=TWO)) == Scheduled("4711")
    assert len(told.doubts) == 1


class TestLane:
    @virtual
    async def test_later_events_of_the_identity_wait_and_others_go_on(self):
        world = World()
        answer = asyncio.get_running_loop().create_future()
        told_by(world, answer)
        world, lane = await make(world)
        world.api.plan("register", MAYBE)
        lane.offer([make_record(0), make_record(1), *(make_record(2 + n, f"other-{n}") for n in range(20))])
        await until(lambda: len(unfinished(lane)) == 2)
        # More others than there are places: the doubtful one holds none.
        assert world.outcomes() == ["scheduled"] * 20
        assert [work.state for work in lane.unfinished()] == ["doubt", "queued"]
        answer.set_result(Adopted("4711"))
        await settled(lane)
        assert world.outcomes()[20:] == ["scheduled", "repeated"]
        assert world.api.steps().count("register") == 21

    @virtual
    async def test_as_many_doubts_as_there_are_places_hold_nobody_up(self):
        world = World(gate=PATIENT)
        answers = [asyncio.get_running_loop().create_future() for _ in range(8)]
        told_by(world, *answers)
        world, lane = await make(world)
        world.api.plan("register", *[MAYBE] * 8)
        lane.offer([make_record(n, f"doubtful-{n}") for n in range(8)])
        await until(lambda: all(work.state == "doubt" for work in lane.unfinished()))
        lane.offer([make_record(8 + n, f"other-{n}") for n in range(8)])
        await until(lambda: len(unfinished(lane)) == 8)
        for answer in answers:
            answer.set_result(GivenUp("no_witness"))
        await settled(lane)
        assert sorted(world.outcomes()) == ["failed"] * 8 + ["scheduled"] * 8
        assert world.budget.held == 0

    @virtual
    async def test_a_lane_that_closes_leaves_the_doubt_to_the_next_owner(self):
        world = World()
        told_by(world, asyncio.get_running_loop().create_future(), Adopted("4711"))
        world, lane = await make(world)
        world.api.plan("register", MAYBE)
        lane.offer([make_record(0)])
        await until(lambda: [work.state for work in lane.unfinished()] == ["doubt"])
        await lane.stop()
        await lane.close()
        assert world.outcomes() == []
        _, lane = await make(world)
        lane.offer([make_record(0)])
        await settled(lane)
        assert world.outcomes() == ["scheduled"]
        assert world.api.steps().count("register") == 1

    @virtual
    async def test_what_is_in_the_ledger_tells_each_call_and_its_end(self):
        world = World()
        told_by(world, CertainlyNot(), CertainlyNot())
        world, lane = await make(world)
        world.api.plan("register", MAYBE, Unclear("server_error", 500), Refused(422))
        lane.offer([make_record(0)])
        await settled(lane)
        [entry] = world.entries().values()
        assert [call.answer for call in entry.calls] == ["not_carried_out:witnessed"] * 2
        assert entry.state is State.ABSENT
        assert lane.own.table.doubles == 0
