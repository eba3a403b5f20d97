"""Dead letters sent again, edited and discarded: settled by the partition's owner, each command once."""

import json

import pytest

from schemas.commands import COMMAND_TYPE
from schemas.identity import identity
from tests.unit.fakes_core import DEAD_LETTERS, OUTCOMES, TOPICS, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import EPOCH, virtual
from worker.answers import Refused, Unclear
from worker.model import Record
from worker.standing import State

IDENTITY = identity(10759, "Invoice", "20001")
FIRST = f"{TOPICS.requests}/0/0"


def audit(name, verb="replay", **more):
    texts = {
        "replay-of": FIRST,
        "command-id": name,
        "command-verb": verb,
        "command-who": "kari",
        "command-when": EPOCH.isoformat(),
        "command-why": "the API is well again",
    } | more
    return tuple((key.replace("_", "-"), text.encode()) for key, text in texts.items() if text is not None)


def again(offset, name, verb="replay", *, letter=(), more=None, **changes):
    return make_record(offset, topic=TOPICS.replays, headers=(*letter, *audit(name, verb, **(more or {}))), **changes)


def discard(offset, name, *, for_good=False, who=IDENTITY):
    data = {"verb": "discard", "who": "kari", "when": EPOCH.isoformat(), "why": "cancelled", "forGood": for_good}
    headers = {
        "ce_specversion": "1.0",
        "ce_id": name,
        "ce_source": "/ops",
        "ce_type": COMMAND_TYPE,
        "replay-of": FIRST,
    }
    value = json.dumps(data if who is None else data | {"identity": who}).encode()
    key = (who or FIRST).encode()
    return Record(
        TOPICS.replays, 0, offset, 0, key, value, tuple((key, text.encode()) for key, text in headers.items())
    )


def told(world):
    return [json.loads(record.value) for record in world.log.visible(OUTCOMES)]


async def refused():
    """A lane whose first event Kravia refused."""
    world, lane = await make()
    world.api.plan("register", Refused(422))
    lane.offer([make_record(0)])
    await settled(lane)
    return world, lane


@virtual
async def test_a_replay_goes_through_and_says_who_sent_it():
    world, lane = await refused()
    lane.offer([again(0, "r-1")])
    await settled(lane)
    assert world.outcomes() == ["rejected", "scheduled"]
    outcome = told(world)[1]
    assert outcome["replayOf"] == FIRST
    assert (outcome["command"]["id"], outcome["command"]["verb"], outcome["command"]["who"]) == (
        "r-1",
        "replay",
        "kari",
    )
    assert (outcome["amount"], outcome["currency"]) == ("2500", "NOK")
    [entry] = world.entries().values()
    assert (entry.commands, entry.replays, entry.state) == (("r-1",), 1, State.SCHEDULED)


@virtual
async def test_a_command_id_seen_twice_has_no_effect():
    world, lane = await refused()
    world.api.plan("register", Refused(422))
    lane.offer([again(0, "r-1"), again(1, "r-1")])
    await settled(lane)
    assert world.outcomes() == ["rejected", "rejected", "repeated"]
    assert told(world)[2]["command"]["seen"] is True
    assert world.api.steps() == ["register", "register"]


@virtual
async def test_an_edited_event_registers_what_it_says_now():
    world, lane = await refused()
    lane.offer([again(0, "e-1", "edit", more={"command-changed": "/invoice/email /invoice/orderLines/0"}, email=None)])
    await settled(lane)
    outcome = told(world)[1]
    assert outcome["outcome"] == "scheduled"
    assert outcome["command"]["changed"] == ["/invoice/email", "/invoice/orderLines/0"]


@virtual
async def test_an_edit_can_not_change_an_invoice_that_may_be_registered_into_another():
    world, lane = await make()
    world.api.plan("register", Unclear("timeout"))
    lane.offer([make_record(0)])
    await settled(lane)
    [letter] = world.log.visible(DEAD_LETTERS)
    lane.offer([again(0, "e-1", "edit", letter=letter.headers, invoice_no="20002")])
    await settled(lane)
    outcome = told(world)[1]
    assert outcome["outcome"] == "rejected"
    assert [error["code"] for error in outcome["errors"]] == ["identity_locked"]


@virtual
async def test_an_edit_may_change_the_number_of_what_was_never_tried():
    world, lane = await make()
    lane.offer([make_record(0, originalAmount="x")])
    await settled(lane)
    [letter] = world.log.visible(DEAD_LETTERS)
    lane.offer([again(0, "e-1", "edit", letter=letter.headers, invoice_no="20002")])
    await settled(lane)
    assert world.outcomes() == ["rejected", "scheduled"]


@virtual
async def test_a_discarded_record_leaves_its_invoice_free():
    world, lane = await refused()
    lane.offer([discard(0, "d-1")])
    await settled(lane)
    outcome = told(world)[1]
    assert (outcome["outcome"], outcome["who"], outcome["why"]) == ("discarded", "kari", "cancelled")
    assert (outcome["replayOf"], outcome["command"]["verb"]) == (FIRST, "discard")
    [entry] = world.entries().values()
    assert (entry.state, entry.amount) == (State.ABSENT, None)
    lane.offer([make_record(1)])
    await settled(lane)
    assert world.outcomes()[2:] == ["scheduled"]


@virtual
async def test_an_invoice_discarded_for_good_is_never_registered():
    world, lane = await refused()
    lane.offer([discard(0, "d-1", for_good=True)])
    await settled(lane)
    lane.offer([make_record(1), again(1, "r-1")])
    await settled(lane)
    assert world.outcomes() == ["rejected", "discarded", "failed", "failed"]
    assert {one.get("reason") for one in told(world)[2:]} == {"blocked"}
    assert world.api.steps() == ["register"]


@virtual
@pytest.mark.parametrize("for_good", [False, True])
async def test_a_scheduled_invoice_stays_scheduled(for_good):
    world, lane = await make()
    lane.offer([make_record(0)])
    await settled(lane)
    lane.offer([discard(0, "d-1", for_good=for_good)])
    await settled(lane)
    [entry] = world.entries().values()
    assert (world.outcomes()[1], entry.state, entry.amount) == ("discarded", State.SCHEDULED, "2500")


@virtual
async def test_a_doubt_is_not_discarded_by_the_way():
    world, lane = await make()
    world.api.plan("register", Unclear("timeout"))
    lane.offer([make_record(0)])
    await settled(lane)
    lane.offer([discard(0, "d-1")])
    await settled(lane)
    assert [error["code"] for error in told(world)[1]["errors"]] == ["doubt_open"]
    [entry] = world.entries().values()
    assert entry.state is State.IN_DOUBT
    lane.offer([discard(1, "d-2", for_good=True)])
    await settled(lane)
    [entry] = world.entries().values()
    assert (entry.state, entry.doubt) == (State.DISCARDED, 0 if entry.doubt == 0 else entry.doubt)


@virtual
async def test_a_record_without_identity_is_discarded_where_it_stands():
    world, lane = await make()
    lane.offer([Record(TOPICS.requests, 0, 0, 0, None, b"{", ())])
    await settled(lane)
    lane.offer([discard(0, "d-1", who=None)])
    await settled(lane)
    assert world.outcomes() == ["rejected", "discarded"]
    assert told(world)[1]["replayOf"] == FIRST


@virtual
async def test_a_loop_of_replays_ends():
    world, lane = await refused()
    for number in range(22):
        world.api.plan("register", Refused(422))
        lane.offer([again(number, f"r-{number}")])
        await settled(lane)
    codes = [error["code"] for error in told(world)[-1]["errors"]]
    assert codes == ["replay_limit"]
    assert world.api.steps().count("register") == 21


@virtual
async def test_half_an_audit_is_refused():
    world, lane = await refused()
    lane.offer([again(0, "r-1", more={"command-who": None})])
    await settled(lane)
    assert [error["code"] for error in told(world)[1]["errors"]] == ["bad_command"]


@virtual
async def test_producers_can_not_speak_for_a_person():
    world, lane = await make()
    lane.offer([make_record(0, headers=audit("r-1"))])
    await settled(lane)
    assert "command" not in told(world)[0]
