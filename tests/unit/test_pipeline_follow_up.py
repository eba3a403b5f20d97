"""Attach and start: `/details` is asked wherever one may have been carried out; resumed at whatever step."""

import asyncio

import pytest

from tests.unit.fakes_core import make_event
from tests.unit.fakes_pipeline import TWO, Bench
from tests.unit.fakes_time import settle_down, virtual
from worker.answers import AlreadyThere, Done, Forbidden, NotSent, NotVisible, Refused, Stop, Throttled, Unclear
from worker.drain import Drain
from worker.facts import Kind
from worker.model import Failed, Reason, Refusal, Rejected, Scheduled, Step
from worker.pipeline import Pipeline
from worker.ports import Details, Lost, LostWhy
from worker.retry import RetryPolicy

EVENT = make_event(documents=TWO)
FIRST, SECOND = EVENT.attachments
LATER = ["attach", "start"]


async def after_crash(*kinds, **options):
    """A new owner that finds these facts of EVENT in the journal."""
    bench = await Bench(**options).ready()
    origin = EVENT.envelope.origin
    intent = await bench.own.write(origin, bench.own.fact(Kind.INTENT, EVENT))
    shas = iter((FIRST.sha256, SECOND.sha256))
    for kind in kinds:
        sha256 = next(shas) if kind is Kind.ATTACHED else None
        invoice_id = "4711" if kind is Kind.REGISTERED else None
        fact = bench.own.fact(kind, EVENT, intent=intent, sha256=sha256, invoice_id=invoice_id)
        await bench.own.write(origin, fact)
    return await bench.restarted()


REGISTERED, ATTACHED, STARTED = Kind.REGISTERED, Kind.ATTACHED, Kind.STARTED


class TestResume:
    @pytest.mark.parametrize(
        ("facts", "calls"),
        [
            ([REGISTERED], ["details", "attach", "attach", "start"]),
            ([REGISTERED, ATTACHED], ["details", "attach", "start"]),
            ([REGISTERED, ATTACHED, ATTACHED], ["details", "start"]),
            ([REGISTERED, ATTACHED, ATTACHED, STARTED], []),
            ([], []),
        ],
    )
    @virtual
    async def test_whatever_step_it_crashed_at_nothing_is_registered_again(self, facts, calls):
        bench = await after_crash(*facts)
        ending = await bench.handle(EVENT)
        assert bench.api.steps() == calls
        if facts:
            assert ending == Scheduled("4711")
        else:
            assert isinstance(ending, Failed)
            assert ending.reason is Reason.IN_DOUBT

    @virtual
    async def test_documents_that_are_there_are_not_sent_again(self):
        bench = await after_crash(REGISTERED)
        bench.api.plan("details", Details(("a.txt",), None))
        assert await bench.handle(EVENT) == Scheduled("4711")
        assert bench.api.calls[1:] == [("attach", "4711", "b.txt"), ("start", "4711", "Confirming invoice action")]
        assert bench.facts()[2:] == ["attached", "attached", "started"], "the one that was there is known now too"

    @virtual
    async def test_a_start_that_is_no_longer_available_was_done(self):
        bench = await after_crash(REGISTERED, ATTACHED, ATTACHED)
        bench.api.plan("details", Details(None, False))
        assert await bench.handle(EVENT) == Scheduled("4711")
        assert bench.api.steps() == ["details"]

    @virtual
    async def test_a_document_that_may_be_there_is_left_to_a_person_where_the_setting_says_so(self):
        bench = await after_crash(REGISTERED, person=True)
        ending = await bench.handle(EVENT)
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.step, ending.invoice_id) == (Reason.ATTACH_UNKNOWN, Step.ATTACH, "4711")
        assert bench.api.steps() == ["details"]


class TestUnclear:
    @pytest.mark.parametrize("answer", [Unclear("server_error", 500), Unclear("timeout"), AlreadyThere(409)])
    @virtual
    async def test_start_asks_details_and_is_not_sent_again_when_it_was_done(self, answer):
        bench = await Bench().ready()
        bench.api.plan("start", answer)
        bench.api.plan("details", Details(None, False))
        assert await bench.handle() == Scheduled("inv-1")
        assert bench.api.steps() == ["register", "start", "details"]

    @virtual
    async def test_start_is_sent_again_when_details_does_not_tell(self):
        bench = await Bench().ready()
        bench.api.plan("start", Unclear("lost"))
        assert await bench.handle() == Scheduled("inv-1")
        assert bench.api.steps() == ["register", "start", "details", "start"]

    @virtual
    async def test_details_is_asked_anew_after_each(self):
        bench = await Bench().ready()
        bench.api.plan("attach", Unclear("lost"), Unclear("lost"))
        bench.api.plan("details", Details((), True), Details(("a.txt",), True))
        assert await bench.handle(EVENT) == Scheduled("inv-1")
        assert bench.api.steps() == ["register", "attach", "details", "attach", "details", "attach", "start"]

    @virtual
    async def test_a_document_whose_upload_is_unclear_is_left_to_a_person_where_the_setting_says_so(self):
        bench = await Bench(person=True).ready()
        bench.api.plan("attach", Unclear("lost"))
        ending = await bench.handle(EVENT)
        assert isinstance(ending, Failed)
        assert ending.reason is Reason.ATTACH_UNKNOWN

    @virtual
    async def test_details_that_fails_is_tried_again_and_one_that_refuses_does_not_tell(self):
        bench = await Bench().ready()
        bench.api.plan("start", Unclear("lost"))
        bench.api.plan("details", Unclear("timeout"), NotSent("connect"), Throttled(429, 2.0), Refused(400))
        assert await bench.handle() == Scheduled("inv-1")
        assert bench.api.steps() == ["register", "start", *["details"] * 4, "start"]


@pytest.mark.parametrize("step", LATER)
class TestEveryRow:
    @pytest.mark.parametrize("answer", [NotSent("tls"), Throttled(429, 5.0), Throttled(503, 5.0), Stop(401), Stop(302)])
    @virtual
    async def test_it_is_tried_again(self, step, answer):
        bench = await Bench().ready()
        bench.api.plan(step, answer)
        assert await bench.handle(EVENT) == Scheduled("inv-1")
        assert bench.api.steps().count("register") == 1
        assert "details" not in bench.api.steps(), "certainly not carried out: nothing to ask"

    @virtual
    async def test_a_refusal_keeps_the_id_and_ends_it(self, step):
        bench = await Bench().ready()
        bench.api.plan(step, Refused(415))
        ending = await bench.handle(EVENT)
        assert isinstance(ending, Rejected)
        assert (ending.reason, ending.step, ending.invoice_id) == (Refusal.REFUSED, Step(step), "inv-1")
        assert bench.api.steps()[-1] == step, "start is never sent when an attachment failed"

    @virtual
    async def test_404_is_not_visible_yet_for_a_bounded_time(self, step):
        bench = await Bench(policy=RetryPolicy(attempts=2, not_visible_elapsed=60)).ready()
        bench.api.plan(step, *[NotVisible()] * 5)
        assert await bench.handle(EVENT) == Scheduled("inv-1")

    @virtual
    async def test_404_for_longer_fails_and_keeps_the_id(self, step):
        bench = await Bench(policy=RetryPolicy(not_visible_elapsed=60)).ready()
        bench.api.plan(step, *[NotVisible()] * 500)
        ending = await bench.handle(EVENT)
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.step, ending.invoice_id) == (Reason.NOT_VISIBLE, Step(step), "inv-1")
        assert 20 < asyncio.get_running_loop().time() <= 60

    @virtual
    async def test_403_waits_for_the_creditor_and_then_fails_with_the_id(self, step):
        bench = await Bench(policy=RetryPolicy(elapsed=100)).ready()
        bench.api.plan(step, *[Forbidden()] * 50)
        ending = await bench.handle(EVENT)
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.step, ending.invoice_id) == (Reason.FORBIDDEN, Step(step), "inv-1")

    @virtual
    async def test_attempts_are_bounded(self, step):
        bench = await Bench(policy=RetryPolicy(attempts=3)).ready()
        bench.api.plan(step, *[Unclear("server_error", 500)] * 50)
        ending = await bench.handle(EVENT)
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.step, ending.http_status) == (Reason.EXPIRED, Step(step), 500)
        assert bench.api.steps().count(step) == 3


class TestProofOfOwnership:
    @virtual
    async def test_a_late_call_renews_first(self):
        bench = await Bench().ready()
        bench.api.plan("attach", Throttled(429, 30.0))
        assert await bench.handle(EVENT) == Scheduled("inv-1")
        assert bench.facts() == ["intent", "registered", "renew", "attached", "attached", "started"]

    @virtual
    async def test_an_owner_that_was_fenced_meanwhile_sends_nothing_more(self):
        bench = await Bench().ready()
        bench.api.plan("attach", Throttled(429, 30.0))
        running = asyncio.create_task(bench.run(EVENT))
        await asyncio.sleep(10)
        await bench.world.own()
        lost = await running
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.FENCED
        assert bench.api.steps() == ["register", "attach"]

    @virtual
    async def test_a_lost_ownership_begins_no_call(self):
        bench = await after_crash(REGISTERED)
        bench.own.lose(Lost(LostWhy.TIMEOUT, "settling"))
        assert isinstance(await bench.run(EVENT), Lost)
        assert bench.api.calls == []


@virtual
async def test_a_step_under_way_holds_the_drain_and_the_next_waits():
    bench = await Bench().ready()
    bench.api.plan("attach", (20.0, Done()))
    drain, pipeline = Drain(), Pipeline(bench.world.tools)
    handling = asyncio.create_task(pipeline.handle(pipeline.course(EVENT, bench.own, drain)))
    await asyncio.sleep(1)
    drain.stop()
    await drain.idle()
    assert asyncio.get_running_loop().time() == pytest.approx(20)
    assert bench.facts()[-1] == "attached", "what came of it is journaled before the drain ends"
    await asyncio.sleep(100)
    await settle_down()
    assert bench.api.steps() == ["register", "attach"]
    drain.go()
    await handling
