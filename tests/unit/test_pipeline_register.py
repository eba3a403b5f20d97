"""Register: an intent, a call, a fact; again only when it is certain that the call was not carried out."""

import asyncio

import pytest

from tests.unit.fakes_core import JOURNAL, make_event
from tests.unit.fakes_pipeline import PATIENT, TWO, Bench
from tests.unit.fakes_time import settle_down, virtual
from worker.answers import AlreadyThere, Forbidden, NotSent, Refused, Registered, Stop, Throttled, Unclear
from worker.facts import decode
from worker.gate import GatePolicy
from worker.model import Failed, Reason, Refusal, Rejected, Scheduled, Step
from worker.ports import Lost, LostWhy
from worker.retry import RetryPolicy
from worker.standing import Entry

DOWN = NotSent("connect")


@virtual
async def test_a_fresh_event_goes_through_all_steps_each_journaled():
    bench = await Bench().ready()
    event = make_event(documents=TWO)
    assert await bench.handle(event) == Scheduled("inv-1")
    assert bench.api.calls == [
        ("register", event.body),
        ("attach", "inv-1", "a.txt"),
        ("attach", "inv-1", "b.txt"),
        ("start", "inv-1", "Confirming invoice action"),
    ]
    assert bench.facts() == ["intent", "registered", "attached", "attached", "started"]


@virtual
async def test_register_goes_out_only_when_its_intent_is_acknowledged():
    bench = await Bench().ready()
    acknowledged = asyncio.Event()
    bench.world.producers[0].plan("send", acknowledged)
    handling = asyncio.create_task(bench.handle())
    await asyncio.sleep(4)
    assert bench.api.calls == []
    acknowledged.set()
    await handling
    assert bench.api.steps()[0] == "register"


@virtual
async def test_what_came_of_a_call_names_its_intent():
    bench = await Bench().ready()
    bench.api.plan("register", DOWN)
    await bench.handle()
    facts = [(row.offset, decode(row.value)) for row in _journal(bench)]
    intents = [offset for offset, fact in facts if fact.kind == "intent"]
    answers = [fact.intent for _, fact in facts if fact.kind in ("not_carried_out", "registered")]
    assert answers == intents


def _journal(bench):
    log = bench.world.log
    return [log.record(JOURNAL, offset) for offset, row in enumerate(log.rows[JOURNAL]) if row.record is not None]


@virtual
async def test_an_intent_that_grew_too_old_is_closed_and_announced_anew():
    bench = await Bench().ready()
    acknowledged = asyncio.Event()
    bench.world.producers[0].plan("send", acknowledged)
    handling = asyncio.create_task(bench.handle())
    await settle_down()
    bench.world.clock.wall_shift = 60  # frozen and moved while the intent was on its way
    acknowledged.set()
    assert isinstance(await handling, Scheduled)
    assert bench.facts()[:4] == ["intent", "not_carried_out", "intent", "registered"]
    assert bench.api.steps() == ["register", "start"]


CERTAIN = [DOWN, Throttled(429, 3.0), Throttled(429, None), Stop(401), Stop(404), Forbidden()]


@pytest.mark.parametrize("answer", CERTAIN, ids=lambda answer: type(answer).__name__)
@virtual
async def test_what_was_certainly_not_carried_out_is_tried_again_with_a_new_intent(answer):
    bench = await Bench().ready()
    bench.api.plan("register", answer)
    assert isinstance(await bench.handle(), Scheduled)
    assert bench.facts() == ["intent", "not_carried_out", "intent", "registered", "started"]


MAYBE = [AlreadyThere(409), Unclear("timeout"), Unclear("lost"), Unclear("server_error", 500), Unclear("no_id", 200)]


@pytest.mark.parametrize("answer", MAYBE, ids=lambda answer: getattr(answer, "kind", "already_there"))
@virtual
async def test_what_may_have_been_carried_out_is_never_sent_again(answer):
    bench = await Bench().ready()
    bench.api.plan("register", answer)
    ending = await bench.handle()
    assert isinstance(ending, Failed)
    assert (ending.reason, ending.doubt) == (Reason.IN_DOUBT, bench.last_intent)
    assert bench.api.steps() == ["register"]
    assert bench.facts() == ["intent", "unclear"]
    ending = await (await bench.restarted()).handle()
    assert isinstance(ending, Failed)
    assert (ending.reason, ending.doubt) == (Reason.IN_DOUBT, bench.last_intent)
    assert bench.api.calls == []


@virtual
async def test_a_refusal_rejects_and_nothing_else_is_sent():
    bench = await Bench().ready()
    bench.api.plan("register", Refused(422))
    ending = await bench.handle(make_event(documents=TWO))
    assert isinstance(ending, Rejected)
    assert (ending.reason, ending.step, ending.invoice_id) == (Refusal.REFUSED, Step.REGISTER, None)
    assert (bench.api.steps(), bench.facts()) == (["register"], ["intent", "not_carried_out"])


class TestBounds:
    @virtual
    async def test_attempts(self):
        bench = await Bench(policy=RetryPolicy(attempts=4)).ready()
        bench.api.plan("register", *[DOWN] * 9)
        ending = await bench.handle()
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.attempts, ending.last_class) == (Reason.EXPIRED, 4, "not_sent_connect")
        assert bench.own.open_intents == 0

    @virtual
    async def test_elapsed_time_from_the_first_failure_also_when_that_is_the_gates_first_moment(self):
        bench = await Bench(policy=RetryPolicy(attempts=10**6, elapsed=30, cap=2)).ready()
        bench.api.plan("register", *[DOWN] * 1000)
        ending = await bench.handle()
        assert isinstance(ending, Failed)
        assert ending.reason is Reason.EXPIRED
        assert 27 < asyncio.get_running_loop().time() <= 30

    @virtual
    async def test_time_behind_a_closed_gate_counts_for_none(self):
        bench = await Bench(policy=RetryPolicy(attempts=2, elapsed=60)).ready()
        bench.api.plan("register", Stop(401), Stop(401), Stop(302))
        bench.api.plan("search", *[Stop(401)] * 500)
        assert isinstance(await bench.handle(), Scheduled)
        assert asyncio.get_running_loop().time() > 20_000

    @virtual
    async def test_a_rate_limit_counts_for_none(self):
        bench = await Bench(policy=RetryPolicy(attempts=2, elapsed=60)).ready()
        bench.api.plan("register", *[Throttled(429, 3600.0)] * 20)
        assert isinstance(await bench.handle(), Scheduled)

    @virtual
    async def test_an_api_that_goes_away_costs_no_event_its_attempts(self):
        policy = RetryPolicy(attempts=8)
        bench = await Bench(policy=policy, gate=GatePolicy(failures=5)).ready()
        bench.api.plan("register", *[DOWN] * 12)
        bench.api.plan("search", *[DOWN] * 100)
        endings = await asyncio.gather(*(bench.handle(make_event(n, str(n))) for n in range(10)))
        assert all(isinstance(ending, Scheduled) for ending in endings)


class TestForbidden:
    @virtual
    async def test_the_creditor_waits_and_goes_on_when_it_is_served_again(self):
        bench = await Bench().ready()
        bench.api.plan("register", Forbidden(), Forbidden())
        assert isinstance(await bench.handle(), Scheduled)
        assert asyncio.get_running_loop().time() == pytest.approx(1 + 2)

    @virtual
    async def test_it_fails_as_forbidden_when_its_time_is_up(self):
        bench = await Bench(policy=RetryPolicy(attempts=2, elapsed=100)).ready()
        bench.api.plan("register", *[Forbidden()] * 50)
        ending = await bench.handle()
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.step) == (Reason.FORBIDDEN, Step.REGISTER)
        assert asyncio.get_running_loop().time() <= 100

    @virtual
    async def test_one_event_tries_for_all_of_its_creditor(self):
        bench = await Bench(policy=RetryPolicy(elapsed=30)).ready()
        bench.api.plan("register", *[Forbidden()] * 500)
        endings = await asyncio.gather(*(bench.handle(make_event(n, str(n))) for n in range(20)))
        assert {ending.reason for ending in endings} == {Reason.FORBIDDEN}
        # All at once before the first 403 came; then one at a time.
        assert len(bench.api.calls) < 20 + 10

    @virtual
    async def test_beyond_the_share_events_fail_at_once(self):
        bench = await Bench().ready()
        bench.world.creditors._share = 0
        bench.world.creditors.answered(10759, forbidden=True)
        ending = await bench.handle()
        assert isinstance(ending, Failed)
        assert ending.reason is Reason.FORBIDDEN
        assert bench.api.calls == []
        assert asyncio.get_running_loop().time() == 0


class TestLost:
    @virtual
    async def test_without_the_intents_acknowledgement_nothing_is_sent(self):
        bench = await Bench().ready()
        bench.world.producers[0].plan("send", Lost(LostWhy.FENCED, "another owner"))
        assert isinstance(await bench.run(make_event()), Lost)
        assert bench.api.calls == []
        assert bench.own.lost.done()

    @virtual
    async def test_when_the_answer_cannot_be_journaled_there_is_no_ending(self):
        bench = await Bench().ready()
        fenced = Lost(LostWhy.FENCED, "another owner")
        bench.world.producers[0].plan("send", None, fenced)
        assert await bench.run(make_event()) == fenced
        assert bench.api.steps() == ["register"]
        assert (await bench.restarted()).own.open_intents == 1

    @virtual
    async def test_a_ledger_that_cannot_be_read_ends_the_ownership(self):
        bench = await Bench().ready()
        bench.own.table.load(make_event().identity.encode(), Entry(), 0)
        bench.world.reader.lost = Lost(LostWhy.BROKEN, "unreachable")
        assert await bench.run(make_event()) == bench.world.reader.lost
        assert bench.own.lost.done()


@virtual
async def test_the_gate_lets_one_register_go_until_it_is_answered():
    bench = await Bench(gate=PATIENT).ready(gate_open=False)
    bench.api.plan("register", (30.0, Registered("inv-1")))
    handling = [asyncio.create_task(bench.handle(make_event(n, str(n)))) for n in range(5)]
    await asyncio.sleep(29)
    assert bench.api.steps() == ["register"]
    assert bench.facts() == ["intent"], "no intent of an event that still waits"
    await asyncio.gather(*handling)
