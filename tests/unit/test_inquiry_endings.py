"""What is told of invoices that ended: every failure and refusal, and what is to be done."""

import pytest

from tests.unit.fakes_inquiry import Shelf, invoice, story_of
from worker.inquiry.story import Turn, Where
from worker.model import Failed, Problem, Reason, Refusal, Rejected, Repeated, Scheduled, Step
from worker.standing import Entry, State

DRAFT = invoice()
IDENTITY = DRAFT.identity


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("invoice_id", [None, "4711"])
async def test_every_failure_says_what_to_do(reason: Reason, invoice_id: str | None):
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    shelf.settle(DRAFT, sent, Failed(Step.ATTACH, reason, 3, invoice_id=invoice_id), 100)
    state = State.ABSENT if invoice_id is None else State.REGISTERED
    shelf.stands(IDENTITY, Entry(state, (sent.offset, -1), invoice_id))
    story = await story_of(shelf)
    assert story.where is (Where.FAILED if invoice_id is None else Where.STUCK)
    assert (story.turn, story.invoice_id) == (Turn.OPERATOR, invoice_id)
    assert f"({reason})" in story.sentence
    assert "invoice.dead-letters/" in story.next


@pytest.mark.parametrize("reason", list(Refusal))
async def test_every_refusal_says_what_to_do(reason: Refusal):
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    problems = tuple(Problem(f"/invoice/field{n}", "bad", "A secret sentence.") for n in range(12))
    shelf.settle(DRAFT, sent, Rejected(reason, problems), 100)
    shelf.stands(IDENTITY, Entry(State.ABSENT, (sent.offset, -1)))
    story = await story_of(shelf)
    assert (story.where, story.turn) == (Where.REJECTED, Turn.PRODUCER)
    [rejected] = [moment for moment in story.moments if moment.what == "rejected"]
    assert str(rejected.details["errors"]).startswith("/invoice/field0 bad, ")
    assert str(rejected.details["errors"]).endswith("and 2 more")
    assert "secret" not in str(story)


@pytest.mark.parametrize(
    ("ending", "begins", "details"),
    [
        (Failed(Step.REGISTER, Reason.BLOCKED, 0), "Failed before any call (blocked)", {"call": "none"}),
        (Failed(Step.REGISTER, Reason.FORBIDDEN, 0), "Failed before any call (forbidden)", {"call": "none"}),
        (Failed(Step.REGISTER, Reason.FORBIDDEN, 2), "Failed at register (forbidden)", {"step": "register"}),
        (Rejected(Refusal.VALIDATION), "Rejected (validation)", {"call": "none"}),
        (Rejected(Refusal.REFUSED, step=Step.REGISTER), "Rejected (refused)", {"step": "register"}),
    ],
)
async def test_what_ended_without_a_call_names_none(ending: Failed | Rejected, begins: str, details: dict[str, str]):
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    shelf.settle(DRAFT, sent, ending, 100)
    shelf.stands(IDENTITY, Entry(State.ABSENT, (sent.offset, -1)))
    story = await story_of(shelf)
    assert story.sentence.startswith(begins)
    [moment] = [moment for moment in story.moments if moment.what in ("failed", "rejected")]
    assert {name: value for name, value in moment.details.items() if name in ("step", "call")} == details


async def test_a_later_conflict_leaves_a_scheduled_invoice_scheduled():
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    shelf.settle(DRAFT, sent, Scheduled("4711"), 10)
    changed = shelf.send(invoice(event_id="e-2", originalAmount=1))
    shelf.settle(invoice(event_id="e-2"), changed, Rejected(Refusal.CONFLICT, invoice_id="4711"), 20)
    shelf.stands(IDENTITY, Entry(State.SCHEDULED, (changed.offset, -1), "4711"))
    story = await story_of(shelf, "e-2")
    assert (story.where, story.turn, story.invoice_id) == (Where.SCHEDULED, Turn.PRODUCER, "4711")
    assert "A new invoice needs a new number" in story.next
    third = shelf.send(invoice(event_id="e-3"))
    shelf.settle(invoice(event_id="e-3"), third, Repeated("o", "4711"), 30)
    shelf.stands(IDENTITY, Entry(State.SCHEDULED, (third.offset, -1), "4711"))
    assert (await story_of(shelf)).turn is Turn.NOBODY
