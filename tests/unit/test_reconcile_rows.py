"""Rows that say too little: `/details` decides, and what nobody can decide is never *not found*."""

from dataclasses import replace

import pytest

from tests.unit.fakes_reconcile import POLICY, WANTED, Desk
from tests.unit.fakes_time import virtual
from worker.answers import NotVisible
from worker.doubt import Adopted, CertainlyNot, GivenUp
from worker.ports import Details


@virtual
async def test_two_of_the_same_identity_are_left_to_a_person():
    desk = Desk()
    for invoice_id in (4711, 4712):
        desk.index.show(invoice_id)
        desk.index.tell(invoice_id)
    assert await desk.resolve() == GivenUp("ambiguous")


@virtual
async def test_of_two_rows_details_may_know_that_one_is_another():
    desk = Desk()
    for invoice_id in (4711, 4712):
        desk.index.show(invoice_id)
    desk.index.tell(4711, "something else")
    desk.index.tell(4712)
    assert await desk.resolve() == Adopted("4712")


@pytest.mark.parametrize("missing", ["claimType", "creditorId"])
@virtual
async def test_a_likely_row_is_looked_up(missing):
    desk = Desk()
    desk.index.show(4711, accountingInvoiceId="A-7", **{missing: None})
    desk.index.tell(4711)
    assert await desk.resolve() == Adopted("4711")
    assert desk.index.details_asked == ["4711"]


@virtual
async def test_a_likely_row_that_turns_out_to_be_another_does_not_stand_in_the_way():
    desk = Desk()
    desk.witness(1, sent=31.0)
    desk.index.show(4711, claimType=None)
    desk.index.tell(4711, claimType="CreditNote")
    assert await desk.resolve() == CertainlyNot()
    assert desk.index.details_asked == ["4711"]  # an invoice's identity does not change: once is enough


@pytest.mark.parametrize("told", [{}, {"claimType": None}])
@virtual
async def test_a_likely_row_that_details_can_not_decide_is_never_not_found(told):
    desk = Desk()
    desk.witness(1, sent=31.0)
    desk.index.show(4711, claimType=None)
    if told:
        desk.index.tell(4711, **told)
    assert await desk.resolve() == GivenUp("no_identity")


@virtual
async def test_rows_without_identity_prove_nothing_even_with_a_witness():
    desk = Desk()
    desk.witness(1, sent=31.0)
    desk.index.show(4711, None, creditorId=None, claimType=None)
    assert await desk.resolve() == GivenUp("no_identity")


@virtual
async def test_a_row_without_even_an_id_is_never_not_found():
    desk = Desk()
    desk.witness(1, sent=31.0)
    desk.index.show(None, None, creditorId=None, claimType=None)
    assert await desk.resolve() == GivenUp("no_identity")


@virtual
async def test_rows_without_identity_are_no_hindrance_where_they_are_our_own():
    """We know what we registered under that id."""
    desk = Desk()
    desk.reconciler.registered("1", replace(WANTED, invoice_no="w1"), 31.0)
    desk.index.show(1, None, creditorId=None, claimType=None)
    assert await desk.resolve() == CertainlyNot()
    assert desk.index.details_asked == []


@virtual
async def test_a_row_without_identity_is_found_where_it_is_our_own_answer_that_could_not_be_journaled():
    desk = Desk()
    desk.reconciler.registered("1", WANTED, 20.0)
    desk.index.show(1, None, creditorId=None, claimType=None)
    assert await desk.resolve() == Adopted("1")


@virtual
async def test_a_row_that_nobody_can_tell_starts_the_disorders_span_anew():
    desk = Desk()
    desk.witness(1, sent=31.0)
    desk.index.show(4711, None, at=53.0, creditorId=None, claimType=None)

    async def details(_):
        return NotVisible() if desk.clock.boottime() < 70.0 else Details(None, None, {"invoiceNo": "another"})

    desk.index.details = details
    assert await desk.resolve() == CertainlyNot()
    assert desk.clock.boottime() > 70.0 + POLICY.disorder


@virtual
async def test_a_row_with_two_different_ids_is_looked_up_under_both():
    """Which of them attach and start want can't be told from the row."""
    desk = Desk()
    desk.index.show(9, invoiceId=4711)
    desk.index.tell(4711)
    assert await desk.resolve() == Adopted("4711")
    assert desk.index.details_asked == ["9", "4711"]


@virtual
async def test_a_row_with_two_ids_that_both_lead_nowhere_is_never_not_found():
    desk = Desk()
    desk.witness(1, sent=31.0)
    desk.index.show(9, invoiceId=4711)
    assert await desk.resolve() == GivenUp("no_identity")
