"""Fetched documents while their event waits, and at its end: nothing is held longer than it must be."""

import asyncio

import pytest

from tests.unit.fakes_core import make_record
from tests.unit.fakes_documents import FakeDocument
from tests.unit.fakes_fetch import CONTENTS, EVENT, TWO, A, B, bench, let_go
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import settle_down, until, virtual
from worker import fetching
from worker.answers import Forbidden, Refused, Unclear
from worker.doubt import Adopted, CertainlyNot
from worker.model import Refusal, Rejected, Scheduled
from worker.ports import Lost, LostWhy, Missing
from worker.telemetry.labels import State


class TestWaits:
    @pytest.mark.parametrize("found", [Adopted("77"), CertainlyNot()])
    @virtual
    async def test_a_doubt_holds_no_document_and_what_it_needs_then_is_fetched_again(self, found):
        made = await bench()
        made.api.plan("register", Unclear("lost"))
        held = []

        async def resolve(doubt):
            held.append(let_go(made.store))
            return found

        made.world.tools.reconciler.resolve = resolve
        ending = await made.handle(EVENT)
        assert isinstance(ending, Scheduled)
        assert held == [True]
        assert made.store.asked == [A, B, A, B]
        assert made.api.steps().count("register") == (1 if isinstance(found, Adopted) else 2)

    @virtual
    async def test_after_a_doubt_that_was_none_a_missing_document_registers_nothing(self):
        made = await bench()
        made.api.plan("register", Unclear("lost"))

        async def resolve(doubt):
            made.store.plan(A, Missing(fetching.FORBIDDEN, 403))
            return CertainlyNot()

        made.world.tools.reconciler.resolve = resolve
        ending = await made.handle(EVENT)
        assert isinstance(ending, Rejected)
        assert (ending.reason, ending.invoice_id) == (Refusal.DOCUMENT, None)
        assert made.api.steps() == ["register"]

    @virtual
    async def test_a_paused_creditors_events_hold_no_documents_while_they_wait(self):
        made = await bench()
        made.api.plan("register", *[Forbidden()] * 6)
        handling = asyncio.create_task(made.handle(EVENT))
        await asyncio.sleep(20)
        assert made.api.steps() == ["register"] * 5
        assert let_go(made.store)
        assert await handling == Scheduled("inv-7")
        assert made.api.received == [b"first", b"second, longer"]


class TestEnding:
    @virtual
    async def test_a_refusal_lets_go(self):
        made = await bench()
        made.api.plan("attach", Refused(415))
        assert isinstance(await made.handle(EVENT), Rejected)
        assert let_go(made.store)

    @virtual
    async def test_so_does_a_repeat_that_needs_no_document(self):
        world, lane = await make()
        world.documents.contents = CONTENTS
        lane.offer([make_record(0, references=TWO)])
        await settled(lane)
        world.documents.contents = {}
        lane.offer([make_record(1, references=TWO)])
        await settled(lane)
        assert world.outcomes() == ["scheduled", "repeated"]

    @virtual
    async def test_closing_a_lane_cuts_a_fetch_and_does_not_wait_for_it(self):
        world, lane = await make()
        world.documents.contents = CONTENTS
        world.documents.plan(B, (1000.0, FakeDocument(b"late")))
        lane.offer([make_record(0, references=TWO)])
        await until(lambda: world.documents.asked == [A, B])
        assert [State.of(work.state) for work in lane.unfinished()] == [State.FETCHING]
        began = asyncio.get_running_loop().time()
        assert await lane.stop() is None, "a drain does not wait for it either"
        await lane.close()
        assert asyncio.get_running_loop().time() - began < 1
        await settle_down()
        assert let_go(world.documents)
        assert world.api.calls == []

    @virtual
    async def test_a_lane_that_stays_after_a_drain_goes_on_with_what_was_fetched_meanwhile(self):
        world, lane = await make()
        world.documents.contents = CONTENTS
        world.documents.plan(B, (5.0, FakeDocument(CONTENTS[B])))
        lane.offer([make_record(0, references=TWO)])
        await until(lambda: world.documents.asked == [A, B])
        await lane.stop()
        await asyncio.sleep(20)
        assert world.api.calls == [], "no step begins while it is stopped"
        lane.go()
        await settled(lane)
        assert (world.outcomes(), world.documents.asked) == (["scheduled"], [A, B])

    @virtual
    async def test_a_lost_ownership_registers_nothing_after_the_fetch_and_lets_go(self):
        made = await bench()
        made.store.plan(A, (5.0, FakeDocument(CONTENTS[A])))
        running = asyncio.create_task(made.run(EVENT))
        await asyncio.sleep(1)
        made.own.lose(Lost(LostWhy.TIMEOUT, "settling"))
        assert isinstance(await running, Lost)
        assert made.api.calls == []
        assert let_go(made.store)
