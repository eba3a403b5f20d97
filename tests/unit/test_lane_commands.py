"""A person's verdicts, settled by the partition's owner; and what `/status` says of a doubt."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

from schemas.commands import COMMAND_TYPE
from schemas.identity import identity
from tests.unit.fakes_core import DEAD_LETTERS, OUTCOMES, TOPICS, World, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import EPOCH, until, virtual
from worker.answers import Refused, Unclear
from worker.doubt import GivenUp
from worker.gate import GateState
from worker.model import Record
from worker.standing import State
from worker.status import Status

IDENTITY = identity(10759, "Invoice", "20001")
MAYBE = Unclear("timeout")
AMOUNT = "2500"


def verdict(offset, doubt, *, invoice_id=None, name=None, topic=TOPICS.replays):
    verb = "not_registered" if invoice_id is None else "registered"
    data = {"identity": IDENTITY, "doubt": doubt, "verb": verb, "who": "kari", "when": EPOCH.isoformat(), "why": "seen"}
    headers = {"ce_specversion": "1.0", "ce_id": name or f"c-{offset}", "ce_source": "/ops", "ce_type": COMMAND_TYPE}
    value = json.dumps(data if invoice_id is None else data | {"invoiceId": invoice_id}).encode()
    return Record(
        topic, 0, offset, 0, IDENTITY.encode(), value, tuple((key, text.encode()) for key, text in headers.items())
    )


async def doubtful():
    """A lane whose first event was given up as doubtful; the doubt."""
    world, lane = await make()
    world.api.plan("register", MAYBE)
    lane.offer([make_record(0)])
    await settled(lane)
    [entry] = world.entries().values()
    assert entry.state is State.IN_DOUBT
    return world, lane, entry.doubt


@virtual
async def test_not_registered_lets_the_next_event_register():
    world, lane, doubt = await doubtful()
    lane.offer([make_record(1), verdict(0, doubt)])
    await settled(lane)
    assert world.outcomes() == ["failed", "failed", "resolved"]
    assert len(world.log.visible(DEAD_LETTERS)) == 2
    lane.offer([make_record(2)])
    await settled(lane)
    assert world.outcomes()[3:] == ["scheduled"]
    assert world.api.steps().count("register") == 2


@virtual
async def test_registered_as_an_id_lets_the_next_event_go_on_under_it():
    world, lane, doubt = await doubtful()
    lane.offer([verdict(0, doubt, invoice_id="4711")])
    await settled(lane)
    lane.offer([make_record(1, documents=[("a.txt", b"first")])])
    await settled(lane)
    assert world.outcomes() == ["failed", "resolved", "scheduled"]
    assert [call[:2] for call in world.api.calls if call[0] in ("attach", "start")] == [
        ("attach", "4711"),
        ("start", "4711"),
    ]
    assert world.api.steps().count("register") == 1


@virtual
async def test_another_body_is_a_conflict_also_after_a_verdict():
    world, lane, doubt = await doubtful()
    lane.offer([verdict(0, doubt, invoice_id="4711")])
    await settled(lane)
    lane.offer([make_record(1, originalAmount=1)])
    await settled(lane)
    assert world.outcomes() == ["failed", "resolved", "rejected"]


@virtual
async def test_stale_and_repeated_verdicts_have_no_effect():
    world, lane, doubt = await doubtful()
    lane.offer(
        [verdict(0, doubt + 1), verdict(1, doubt, name="once"), verdict(2, doubt, name="once"), verdict(3, doubt)]
    )
    await settled(lane)
    assert world.outcomes() == ["failed", "repeated", "resolved", "repeated", "repeated"]
    [entry] = world.entries().values()
    assert (entry.state, entry.settled) == (State.ABSENT, (0, 3))
    assert len(world.log.visible(DEAD_LETTERS)) == 1


@virtual
async def test_a_restart_keeps_doubt_verdict_and_command_ids():
    world, lane, doubt = await doubtful()
    await lane.close()
    _, lane = await make(world)
    assert lane.own.table.counts[State.IN_DOUBT] == 1
    lane.offer([verdict(0, doubt, name="once")])
    await settled(lane)
    await lane.close()
    _, lane = await make(world)
    assert lane.own.table.counts[State.IN_DOUBT] == 0
    lane.offer([verdict(1, doubt, name="once")])
    await settled(lane)
    assert world.outcomes() == ["failed", "resolved", "repeated"]


@virtual
async def test_a_verdict_of_an_invoice_that_nobody_knows_is_refused():
    world, lane = await make()
    lane.offer([verdict(0, 7)])
    await settled(lane)
    assert world.outcomes() == ["rejected"]
    [record] = world.log.visible(OUTCOMES)
    assert [error["code"] for error in json.loads(record.value)["errors"]] == ["no_such_doubt"]


@virtual
async def test_on_the_request_topic_nobody_obeys():
    world, lane, doubt = await doubtful()
    lane.offer([verdict(1, doubt, topic=TOPICS.requests)])
    await settled(lane)
    assert world.outcomes() == ["failed", "rejected"]
    assert world.entries()[IDENTITY].state is State.IN_DOUBT


class Slow:
    """A reconciler that is still looking."""

    def __init__(self, policy):
        self.policy = policy
        self.answer = asyncio.get_running_loop().create_future()

    def registered(self, invoice_id, identity, sent):
        pass

    async def resolve(self, doubt):
        return await self.answer


@virtual
async def test_status_shows_what_is_waited_for():
    world = World()
    slow = Slow(world.tools.reconciler.policy)
    world.tools = replace(world.tools, reconciler=slow)
    world, lane = await make(world)
    world.api.plan("register", MAYBE)
    lane.offer([make_record(0), make_record(1)])
    await until(lambda: [work.state for work in lane.unfinished()] == ["doubt", "queued"])
    await asyncio.sleep(100.0)

    consumer = SimpleNamespace(problem=None, last_poll=0.0, dead=False)
    partitions = SimpleNamespace(lanes=lambda: [lane], problems=list, unserved=dict, broken=[])
    status = Status(consumer, partitions, world.gate, world.clock)
    [partition] = json.loads(json.dumps(status.report()))["partitions"]
    [told] = partition["doubts"]
    assert (told["record"], told["identity"], told["state"]) == ("invoice.requests/0/0", IDENTITY, "doubt")
    assert (told["step"], told["last_answer"]) == ("register", "timeout")
    assert told["doubt"]["intent"] == next(lane.unfinished()).course.doubt.intent
    assert 319 < told["doubt"]["believed_in_seconds"] < 321  # A + D, less the 100 s that have passed
    assert 2119 < told["doubt"]["given_up_in_seconds"] < 2121
    assert partition["unfinished"] == {"doubt": 1, "queued": 1}
    [gauges] = status.gauges()
    assert gauges.doubts == 1
    assert 99 < gauges.oldest_doubt_seconds < 101
    at_risk = {"in_doubt": {"NOK": {"invoices": 1, "sum": AMOUNT}}}
    assert status.report()["money_at_risk"] == partition["money_at_risk"] == gauges.exposure.report() == at_risk

    slow.answer.set_result(GivenUp("no_witness"))
    await settled(lane)
    [partition] = status.report()["partitions"]
    assert partition["doubts"] == []
    assert partition["ledger"]["in_doubt"] == 1
    assert partition["money_at_risk"] == at_risk
    [gauges] = status.gauges()
    assert (gauges.doubts, gauges.oldest_doubt_seconds, gauges.ledger[State.IN_DOUBT]) == (0, 0.0, 1)


@virtual
async def test_an_invoice_that_waits_at_the_gate_is_at_risk_once():
    world, lane = await make()
    world.api.plan("register", Refused(422))
    lane.offer([make_record(0)])
    await settled(lane)
    status = Status(
        SimpleNamespace(problem=None, last_poll=0.0, dead=False),
        SimpleNamespace(lanes=lambda: [lane], problems=list, unserved=dict, broken=[]),
        world.gate,
        world.clock,
    )
    assert status.report()["money_at_risk"] == {"dead": {"NOK": {"invoices": 1, "sum": AMOUNT}}}
    world.gate._become(GateState.CLOSED, "the test said so")
    lane.offer([make_record(1), make_record(2)])
    await until(lambda: [work.state for work in lane.unfinished()] == ["gate", "queued"])
    assert status.report()["money_at_risk"] == {"behind_gate": {"NOK": {"invoices": 1, "sum": AMOUNT}}}
    world.open_gate()
    await settled(lane)
    assert status.report()["money_at_risk"] == {}
