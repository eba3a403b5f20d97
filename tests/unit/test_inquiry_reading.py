"""What `worker why` is asked about, and what it reads for that."""

import pytest

from tests.unit.fakes_inquiry import TOPICS, Shelf, invoice, stories, story_of
from worker.inquiry.reading import find, read
from worker.inquiry.story import Where
from worker.inquiry.subject import OfEvent, OfInvoice, OfRecord, subject_of
from worker.model import Coordinates, Scheduled
from worker.ports import Isolation, Lost

DRAFT = invoice()
IDENTITY = DRAFT.identity


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("10759/Invoice/20001", OfInvoice("10759/Invoice/20001")),
        (" 1/CreditNote/2/A%2F2 ", OfInvoice("1/CreditNote/2/A%2F2")),
        ("invoice.requests/11/3", OfRecord(Coordinates("invoice.requests", 11, 3))),
        ("invoice.dead-letters/0/3", OfRecord(Coordinates("invoice.dead-letters", 0, 3))),
        ("another.topic/0/3", OfEvent("another.topic/0/3")),
        ("10759/invoice/20001", OfEvent("10759/invoice/20001")),
        ("b6a1c0de-0001", OfEvent("b6a1c0de-0001")),
    ],
)
def test_what_is_asked_about(text: str, subject: object):
    assert subject_of(text, TOPICS) == subject


async def test_only_an_invoices_own_partition_is_read():
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    assert (await story_of(shelf)).where is Where.WAITING
    reads = [(topic, isolation) for topic, partitions, isolation in shelf.reads]
    assert [topic for topic, _ in reads] == [
        TOPICS.requests,
        TOPICS.replays,
        TOPICS.journal,
        TOPICS.ledger,
        TOPICS.outcomes,
        TOPICS.dead_letters,
    ]
    fewer = (TOPICS.outcomes, TOPICS.dead_letters)
    assert [partitions for topic, partitions, _ in shelf.reads if topic not in fewer] == [(sent.partition,)] * 4
    assert [partitions for topic, partitions, _ in shelf.reads if topic in fewer] == [(sent.partition % 2,)] * 2
    assert {isolation for topic, isolation in reads if topic == TOPICS.journal} == {Isolation.UNCOMMITTED}
    assert {isolation for topic, isolation in reads if topic != TOPICS.journal} == {Isolation.COMMITTED}


async def test_one_event_id_may_lead_to_several_invoices():
    shelf = Shelf()
    other = invoice("2")
    shelf.settle(DRAFT, shelf.send(DRAFT), Scheduled("1"), 10)
    shelf.send(other)
    assert {story.identity for story in await stories(shelf, "e-1")} == {IDENTITY, other.identity}


@pytest.mark.parametrize("topic", [TOPICS.requests, TOPICS.outcomes, TOPICS.ledger])
async def test_a_topic_that_cannot_be_read_is_no_answer(topic: str):
    shelf = Shelf()
    shelf.send(DRAFT)
    shelf.broken = topic
    targets = await find(shelf.library, subject_of(IDENTITY, TOPICS))
    assert not isinstance(targets, Lost)
    assert isinstance(await read(shelf.library, targets[0]), Lost)
    if topic != TOPICS.ledger:
        assert isinstance(await find(shelf.library, OfEvent("e-1")), Lost)
