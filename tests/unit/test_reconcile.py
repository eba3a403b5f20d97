"""What became of a doubtful register: found, or not found *with a witness*, or left to a person."""

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from tests.unit.fakes_reconcile import POLICY, WANTED, Desk
from tests.unit.fakes_time import EPOCH, settle_down, until, virtual
from worker.answers import Unclear
from worker.doubt import Adopted, CertainlyNot, GivenUp
from worker.gate import GateState


@virtual
async def test_found_is_adopted_as_soon_as_a_sweep_may_be_believed():
    desk = Desk()
    desk.index.show(4711)
    assert await desk.resolve() == Adopted("4711")
    assert desk.index.sweeps[0] > 50.0  # deadline + D
    assert desk.index.sweeps[0] < 51.0
    assert desk.told.kinds == ["adopted"]


@virtual
async def test_the_sweep_begins_well_before_the_intent():
    desk = Desk()
    desk.index.show(4711)
    await desk.resolve(desk.doubt(since=-100.0))
    since = desk.index.since[0].replace(tzinfo=UTC)
    assert since < EPOCH - timedelta(seconds=100 + POLICY.clock_error)


@virtual
async def test_what_shows_only_after_the_first_sweep_is_found_by_a_later_one():
    desk = Desk()
    desk.index.show(4711, at=60.0)
    assert await desk.resolve() == Adopted("4711")
    assert len(desk.index.sweeps) > 5


@virtual
async def test_not_found_counts_with_a_witness_over_more_than_the_disorder():
    desk = Desk()
    desk.witness(1, sent=30.1)
    assert await desk.resolve() == CertainlyNot()
    assert desk.told.kinds == ["certainlynot"]
    first, last = desk.index.sweeps[0], desk.index.sweeps[-1]
    assert last > first + POLICY.disorder


@pytest.mark.parametrize("sent", [30.0, 29.9, 0.0])
@virtual
async def test_a_witness_must_be_sent_after_the_deadline(sent):
    desk = Desk()
    desk.witness(1, sent=sent)
    assert await desk.resolve() == GivenUp("no_witness")
    assert desk.clock.boottime() > 150.0  # no sooner than when it expires


@virtual
async def test_a_process_that_stood_still_for_the_whole_patience_looks_before_it_gives_up():
    desk = Desk(running=False)
    desk.index.show(4711)
    resolving = asyncio.create_task(desk.resolve())
    await asyncio.sleep(200.0)  # it has expired meanwhile
    running = asyncio.create_task(desk.reconciler.run())
    assert await resolving == Adopted("4711")
    running.cancel()


@virtual
async def test_an_invoice_that_is_not_ours_is_no_witness():
    desk = Desk()
    desk.index.show(2, "20002", at=40.0)
    assert await desk.resolve() == GivenUp("no_witness")


@virtual
async def test_a_witness_that_the_search_does_not_show_proves_nothing():
    desk = Desk()
    desk.reconciler.registered("1", replace(WANTED, invoice_no="w1"), 40.0)
    assert await desk.resolve() == GivenUp("no_witness")


@virtual
async def test_the_disorder_counts_from_when_a_sweep_showed_the_witness():
    desk = Desk()
    desk.witness(1, sent=31.0, shown=80.0)
    assert await desk.resolve() == CertainlyNot()
    assert desk.index.sweeps[-1] > 80.0 + POLICY.disorder


@pytest.mark.parametrize("late", [0.0, 2.0, POLICY.disorder])
@virtual
async def test_one_that_shows_after_its_witness_but_within_the_disorder_is_found(late):
    desk = Desk()
    desk.witness(1, sent=31.0, shown=60.0)
    desk.index.show(4711, at=60.0 + late)
    assert await desk.resolve() == Adopted("4711")


@virtual
async def test_quarantine_never_registers_again_but_still_adopts():
    desk = Desk(replace(POLICY, quarantine=True))
    desk.witness(1, sent=31.0)
    assert await desk.resolve() == GivenUp("quarantined")
    desk.index.show(4711)
    assert await desk.resolve() == Adopted("4711")


@virtual
async def test_one_sweep_serves_many_doubts():
    desk = Desk()
    wanted = [replace(WANTED, invoice_no=f"3000{number}") for number in range(5)]
    for number in range(5):
        desk.index.show(100 + number, f"3000{number}")
    doubts = [desk.doubt(one, intent=number) for number, one in enumerate(wanted)]
    found = await asyncio.gather(*(desk.resolve(doubt) for doubt in doubts))
    assert found == [Adopted(str(100 + number)) for number in range(5)]
    assert len(desk.index.sweeps) == 1


@virtual
async def test_a_doubt_that_is_not_ripe_waits_while_another_is_swept_for():
    desk = Desk()
    desk.index.show(1, "1")
    desk.index.show(2, "2")
    early = desk.doubt(replace(WANTED, invoice_no="1"), deadline=10.0)
    late = asyncio.create_task(desk.resolve(desk.doubt(replace(WANTED, invoice_no="2"), deadline=60.0)))
    assert await desk.resolve(early) == Adopted("1")
    assert [doubt.wanted.invoice_no for doubt in desk.reconciler.doubts()] == ["2"]
    assert await late == Adopted("2")
    assert desk.clock.boottime() > 80.0


@virtual
async def test_a_cancelled_resolve_leaves_no_trace():
    desk = Desk()
    waiting = asyncio.create_task(desk.resolve())
    await settle_down()
    assert len(desk.reconciler.doubts()) == 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert desk.reconciler.doubts() == []
    await asyncio.sleep(300)
    assert (desk.index.sweeps, desk.told.kinds) == ([], [])


@virtual
async def test_one_that_is_cancelled_in_the_middle_of_its_sweep_disturbs_no_other():
    desk = Desk()
    desk.index.show(4711)
    other = asyncio.create_task(desk.resolve(desk.doubt(replace(WANTED, invoice_no="1"))))
    real = desk.index.search

    async def search(since, *, skip, top):
        other.cancel()
        await asyncio.sleep(0.5)
        return await real(since, skip=skip, top=top)

    desk.index.search = search
    assert await desk.resolve() == Adopted("4711")
    assert other.cancelled()


@virtual
async def test_behind_a_closed_gate_nothing_is_swept_and_nothing_given_up():
    desk = Desk()
    desk.gate.close("the test said so")
    waiting = asyncio.create_task(desk.resolve())
    await asyncio.sleep(10_000)
    assert desk.index.sweeps == []
    assert not waiting.done()
    desk.gate._become(GateState.HALF_OPEN, "it answers again")
    desk.witness(1, sent=desk.clock.boottime() + 1)
    assert await waiting == CertainlyNot()


@virtual
async def test_a_search_that_fails_is_asked_again():
    desk = Desk()
    desk.index.show(4711)
    desk.index.failures = [Unclear("server_error", 500)] * 3
    assert await desk.resolve() == Adopted("4711")
    assert desk.told.results == ["search: server_error"] * 3 + ["complete"]


@virtual
async def test_a_search_that_never_works_ends_as_unreadable():
    desk = Desk()
    desk.witness(1, sent=31.0)
    desk.index.failures = [Unclear("server_error", 500)] * 1000
    assert await desk.resolve() == GivenUp("unreadable")


@virtual
async def test_it_wakes_up_for_a_new_doubt_and_goes_on_for_ever():
    desk = Desk()
    await asyncio.sleep(100_000)
    desk.index.show(4711)
    assert await desk.resolve(desk.doubt(deadline=100_001.0)) == Adopted("4711")
    assert desk.clock.boottime() < 100_030.0
    await until(lambda: desk.reconciler.doubts() == [])
    assert not desk.runner.done()


@virtual
async def test_a_search_that_never_stands_still_is_swept_up_to_one_that_we_sent_after_the_beginning():
    """At every page another invoice is registered: nobody could ever read to the end."""
    desk = Desk()
    real = desk.index.search

    async def search(since, *, skip, top):
        desk.witness(1000 + len(desk.index.rows), desk.clock.boottime())
        await asyncio.sleep(0.01)
        return await real(since, skip=skip, top=top)

    desk.index.search = search
    assert await desk.resolve() == CertainlyNot()
    assert set(desk.told.results) == {"complete"}
