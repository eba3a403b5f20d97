"""Documents by reference in the pipeline: fetched before anything is registered, or before each is attached."""

import asyncio

import pytest

from tests.unit.fakes_core import make_event
from tests.unit.fakes_documents import FakeDocument
from tests.unit.fakes_fetch import CONTENTS, EVENT, TWO, A, B, bench, let_go
from tests.unit.fakes_time import virtual
from worker import fetching
from worker.answers import NotSent, Throttled, Unclear
from worker.facts import Kind
from worker.model import Failed, Reason, Refusal, Rejected, Scheduled, Step
from worker.ports import Altered, Missing, NotAllowed, Unreachable
from worker.retry import RetryPolicy


class TestFresh:
    @virtual
    async def test_all_are_fetched_before_the_intent_and_attached_in_order(self):
        made = await bench()
        made.store.plan(B, (5.0, FakeDocument(CONTENTS[B])))
        handling = asyncio.create_task(made.handle(EVENT))
        await asyncio.sleep(4)
        assert (made.facts(), made.api.steps()) == ([], []), "nothing is announced while a document is on its way"
        assert await handling == Scheduled("inv-1")
        assert made.store.asked == [A, B], "each once"
        assert made.api.steps() == ["register", "attach", "attach", "start"]
        assert made.api.received == [b"first", b"second, longer"]
        assert made.store.most == 5 + 14, "space for both was taken at once"
        assert let_go(made.store)
        assert made.course.spent[Step.FETCH] == pytest.approx(5.0)

    @pytest.mark.parametrize(
        "answer",
        [
            Missing(fetching.MISSING, 404),
            Missing(fetching.FORBIDDEN, 403),
            Altered(fetching.DIGEST, 200),
            Altered(fetching.SIZE, 200),
            NotAllowed(fetching.ADDRESS),
        ],
    )
    @virtual
    async def test_one_that_can_not_be_had_registers_nothing(self, answer):
        made = await bench()
        made.store.plan(B, answer)
        ending = await made.handle(EVENT)
        assert isinstance(ending, Rejected)
        assert (ending.reason, ending.step, ending.invoice_id) == (Refusal.DOCUMENT, Step.FETCH, None)
        assert [(problem.pointer, problem.code) for problem in ending.problems] == [("/attachments/1/url", answer.code)]
        assert (made.api.steps(), made.facts()) == ([], [])
        assert let_go(made.store)

    @virtual
    async def test_a_store_that_is_away_for_a_while_is_asked_again(self):
        made = await bench()
        made.store.plan(A, Unreachable("timeout"), Unreachable("throttled", 429, 30.0))
        assert await made.handle(EVENT) == Scheduled("inv-1")
        assert made.store.asked == [A, A, A, B]
        assert asyncio.get_running_loop().time() >= 30, "as long as it asked for"
        assert ("retried", "fetch", "unreachable_timeout") in made.world.watcher.told

    @virtual
    async def test_a_store_that_stays_away_fails_the_event_within_the_bounds_of_retries(self):
        made = await bench(policy=RetryPolicy(attempts=3))
        made.store.plan(A, *[Unreachable("server_error", 503)] * 10)
        ending = await made.handle(EVENT)
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.step, ending.attempts) == (Reason.DOCUMENT_UNREACHABLE, Step.FETCH, 3)
        assert (ending.http_status, ending.last_class) == (503, "unreachable_server_error")
        assert made.api.steps() == []

    @virtual
    async def test_and_within_their_elapsed_time(self):
        made = await bench(policy=RetryPolicy(attempts=10**6, elapsed=100))
        made.store.plan(A, *[(10.0, Unreachable("timeout"))] * 50)
        ending = await made.handle(EVENT)
        assert isinstance(ending, Failed)
        assert ending.reason is Reason.DOCUMENT_UNREACHABLE
        assert 50 < asyncio.get_running_loop().time() <= 120

    @virtual
    async def test_nothing_is_held_while_it_waits_for_the_next_try(self):
        made = await bench()
        made.store.plan(B, Unreachable("throttled", 429, 100.0))
        handling = asyncio.create_task(made.handle(EVENT))
        await asyncio.sleep(50)
        assert let_go(made.store)
        assert made.world.budget._slots._value == 8, "nor a place among the events in flight"
        await handling
        assert made.store.asked == [A, B, A, B]

    @virtual
    async def test_a_register_that_is_tried_again_fetches_nothing_again(self):
        made = await bench()
        made.api.plan("register", NotSent("connect"), Throttled(429, 5.0))
        assert await made.handle(EVENT) == Scheduled("inv-3")
        assert made.store.asked == [A, B]

    @virtual
    async def test_a_slow_store_takes_no_place_from_events_that_need_none_of_it(self):
        made = await bench()
        made.store.plan(A, *[(100.0, FakeDocument(CONTENTS[A]))] * 8)
        slow = [asyncio.create_task(made.run(make_event(n, f"{n}", references=TWO))) for n in range(8)]
        await asyncio.sleep(1)
        assert await made.handle(make_event(99, "99")) == Scheduled("inv-1")
        assert asyncio.get_running_loop().time() < 10
        await asyncio.gather(*slow)

    @virtual
    async def test_one_document_under_two_names_is_fetched_once(self):
        made = await bench()
        made.store.contents = {A: b"same", B: b"same"}
        assert await made.handle(make_event(references=(("a.pdf", b"same"), ("b.pdf", b"same")))) == Scheduled("inv-1")
        assert made.store.asked == [A]


class TestResumed:
    async def _after(self, *kinds):
        made = await bench()
        origin = EVENT.envelope.origin
        intent = await made.own.write(origin, made.own.fact(Kind.INTENT, EVENT))
        for kind in kinds:
            sha256 = EVENT.attachments[0].sha256 if kind is Kind.ATTACHED else None
            invoice_id = "4711" if kind is Kind.REGISTERED else None
            fact = made.own.fact(kind, EVENT, intent=intent, sha256=sha256, invoice_id=invoice_id)
            await made.own.write(origin, fact)
        await made.restarted()
        return made

    @virtual
    async def test_only_what_is_not_attached_is_fetched(self):
        made = await self._after(Kind.REGISTERED, Kind.ATTACHED)
        assert await made.handle(EVENT) == Scheduled("4711")
        assert made.store.asked == [B]
        assert made.api.steps() == ["details", "attach", "start"]

    @virtual
    async def test_each_before_it_is_attached_and_space_for_one_at_a_time(self):
        made = await self._after(Kind.REGISTERED)
        assert await made.handle(EVENT) == Scheduled("4711")
        assert (made.store.asked, made.store.most) == ([A, B], 14)
        assert let_go(made.store)

    @virtual
    async def test_a_missing_one_keeps_the_invoices_id(self):
        made = await self._after(Kind.REGISTERED)
        made.store.plan(B, Missing(fetching.MISSING, 410))
        ending = await made.handle(EVENT)
        assert isinstance(ending, Rejected)
        assert (ending.reason, ending.invoice_id, ending.http_status) == (Refusal.DOCUMENT, "4711", 410)
        assert made.facts()[-1] == "attached", "the first one is, and is known to be"
        assert let_go(made.store)

    @virtual
    async def test_an_unreachable_one_too(self):
        made = await self._after(Kind.REGISTERED, Kind.ATTACHED)
        made.store.plan(B, *[Unreachable("dns")] * 50)
        ending = await made.handle(EVENT)
        assert isinstance(ending, Failed)
        assert (ending.reason, ending.step, ending.invoice_id) == (Reason.DOCUMENT_UNREACHABLE, Step.FETCH, "4711")

    @virtual
    async def test_one_that_is_attached_unclearly_is_sent_again_without_another_fetch(self):
        made = await bench()
        made.api.plan("attach", Unclear("lost"))
        assert await made.handle(EVENT) == Scheduled("inv-1")
        assert made.api.received == [b"first", b"first", b"second, longer"], "read again from its file"
        assert made.store.asked == [A, B]
