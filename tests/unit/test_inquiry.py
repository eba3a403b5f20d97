"""Where an invoice is, told from what Kafka holds: each place it can be, and whose turn it is."""

from dataclasses import replace

import pytest

from tests.unit.fakes_inquiry import DESK, PARTITIONS, TOPICS, Shelf, at, invoice, replayed, stories, story_of, what
from worker.facts import Kind
from worker.inquiry.story import Turn, Where
from worker.inquiry.telling import unseen_event
from worker.model import (
    Call,
    Discarded,
    Failed,
    History,
    Problem,
    Reason,
    Refusal,
    Rejected,
    Resolved,
    Scheduled,
    Step,
)
from worker.standing import Entry, State

DRAFT = invoice()
IDENTITY = DRAFT.identity


async def test_never_seen():
    shelf = Shelf()
    story = await story_of(shelf)
    assert (story.where, story.moments, story.turn) == (Where.UNSEEN, (), Turn.PRODUCER)
    assert await stories(shelf, "no-such-id") == []
    assert "no-such-id" in unseen_event("no-such-id", TOPICS.requests)
    assert (await story_of(shelf, "invoice.requests/0/99")).where is Where.UNSEEN
    assert (await story_of(shelf, "invoice.requests/77/0")).where is Where.UNSEEN


async def test_waiting_and_what_came_before_the_committed_offset_is_not():
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    for subject in (IDENTITY, "e-1", str(sent)):
        story = await story_of(shelf, subject)
        assert (story.where, story.turn, story.unsettled) == (Where.WAITING, Turn.WORKER, (sent,))
        assert what(story) == ["received"]
        assert story.moments[0].details == {"event": "e-1"}
    shelf.commit(TOPICS.requests, sent.partition, sent.offset + 1)
    assert (await story_of(shelf)).where is Where.UNSEEN


async def test_a_register_call_under_way_then_unclear_then_given_up():
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    shelf.claim(IDENTITY, -100, "owner-1")
    intent = shelf.fact(Kind.INTENT, IDENTITY, 0, sent)
    story = await story_of(shelf, seconds=10)
    assert (story.where, story.doubt, what(story)) == (Where.REGISTERING, intent, ["received", "intent"])
    # Nobody answers within the intent's validity and the call's time-out.
    story = await story_of(shelf, seconds=40)
    assert story.where is Where.RECONCILING
    assert "no answer was journaled" in story.sentence
    shelf.fact(Kind.UNCLEAR, IDENTITY, 30, sent, intent=intent, answer_class="lost")
    story = await story_of(shelf, seconds=40)
    assert (story.where, story.turn, story.doubt) == (Where.RECONCILING, Turn.WORKER, intent)
    # 30 s, and then 300 s of late processing and 120 s of the search's delay; half an hour more for a witness.
    assert "before 2026-04-01 12:07:30Z" in story.next
    assert "no sooner than 2026-04-01 12:37:30Z" in story.next
    # Another owner begins its waits anew, and longer: 5 + 30 + 300 + 120 + 5 s.
    shelf.claim(IDENTITY, 600, "owner-2")
    assert "before 2026-04-01 12:17:40Z" in (await story_of(shelf, seconds=700)).next

    ending = Failed(Step.REGISTER, Reason.IN_DOUBT, 1, doubt=intent, last_class="no_witness")
    call = Call(at(0), "unclear:lost", "owner-1", intent)
    shelf.settle(DRAFT, sent, ending, 3000, history=History(1, calls=(call,)))
    shelf.stands(IDENTITY, Entry(State.IN_DOUBT, (sent.offset, -1), doubt=intent, calls=(call,)))
    story = await story_of(shelf)
    assert (story.where, story.turn, story.doubt) == (Where.IN_DOUBT, Turn.OPERATOR, intent)
    assert f"doubt {intent}" in story.next
    # The call is told once, though journal, outcome and ledger know of it.
    assert sorted(what(story)) == ["dead_letter", "failed", "received", "register"]
    # The same event again waits, and will be blocked.
    again = shelf.send(DRAFT)
    story = await story_of(shelf)
    assert (story.where, story.turn, story.unsettled) == (Where.WAITING, Turn.OPERATOR, (again,))
    assert "It will end blocked" in story.sentence


async def test_a_person_decides_and_the_replay_is_scheduled():
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    shelf.settle(DRAFT, sent, Failed(Step.REGISTER, Reason.IN_DOUBT, 1, doubt=4), 100)
    verdict = shelf.put(TOPICS.replays, sent.partition, key=DRAFT.key, value=b"{}", headers=DRAFT.headers)
    shelf.settle(DRAFT, verdict, Resolved("not_registered", "kari", "looked it up", 4, None), 200)
    shelf.stands(IDENTITY, Entry(State.ABSENT, (sent.offset, verdict.offset), commands=("v",)))
    story = await story_of(shelf)
    assert (story.where, story.turn) == (Where.DECIDED, Turn.OPERATOR)
    assert "it registers" in story.next
    assert "kari" not in str(story)

    replay = replayed(DRAFT, sent)
    again = shelf.send(replay, TOPICS.replays)
    assert (await story_of(shelf)).sentence.startswith("A replay stands at invoice.replays/")
    shelf.settle(replay, again, Scheduled("4711"), 300)
    shelf.stands(IDENTITY, Entry(State.SCHEDULED, (sent.offset, again.offset), "4711"))
    story = await story_of(shelf)
    assert (story.where, story.turn, story.invoice_id) == (Where.SCHEDULED, Turn.NOBODY, "4711")
    assert {"verdict", "resolved", "replayed", "scheduled"} <= set(what(story))


@pytest.mark.parametrize(("verdict", "word"), [(None, "certainly not registered"), ("4711", "registered as 4711")])
async def test_what_a_person_decided(verdict: str | None, word: str):
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    kind = "not_registered" if verdict is None else "registered"
    shelf.settle(DRAFT, sent, Resolved(kind, "kari", "because", 4, verdict), 200)
    state = State.ABSENT if verdict is None else State.REGISTERED
    shelf.stands(IDENTITY, Entry(state, (sent.offset, -1), verdict))
    story = await story_of(shelf)
    assert story.where is Where.DECIDED
    assert word in story.sentence


async def test_retrying_and_going_on_with_documents():
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    intent = shelf.fact(Kind.INTENT, IDENTITY, 0, sent)
    shelf.fact(Kind.NOT_CARRIED_OUT, IDENTITY, 1, sent, intent=intent, answer_class="throttled_429")
    story = await story_of(shelf)
    assert (story.where, story.turn) == (Where.RETRYING, Turn.WORKER)
    assert "throttled_429" in story.sentence
    intent = shelf.fact(Kind.INTENT, IDENTITY, 5, sent)
    shelf.fact(Kind.REGISTERED, IDENTITY, 6, sent, intent=intent, invoice_id="4711")
    shelf.fact(Kind.ATTACHED, IDENTITY, 7, sent, intent=intent, sha256="ab" * 32)
    shelf.fact(Kind.RENEW, IDENTITY, 8, sent)
    story = await story_of(shelf)
    assert (story.where, story.invoice_id) == (Where.REGISTERED, "4711")
    assert "documents and start are under way" in story.sentence
    assert what(story) == ["received", "intent", "not_carried_out", "intent", "registered", "attached"]
    shelf.fact(Kind.STARTED, IDENTITY, 9, sent, intent=intent)
    assert "its outcome is to come" in (await story_of(shelf)).sentence


async def test_a_record_without_an_identity_is_told_by_its_coordinates():
    shelf = Shelf()
    broken = replace(DRAFT, value=b"{")
    sent = shelf.send(broken)
    assert (await story_of(shelf, str(sent))).where is Where.WAITING
    shelf.settle(broken, sent, Rejected(Refusal.UNDECODABLE, (Problem("", "not_json", "x"),)), 10, identity=None)
    shelf.put(TOPICS.ledger, sent.partition, key=str(sent).encode(), value=b'{"v":1,"state":"absent","settled":[0,-1]}')
    for subject in (
        str(sent),
        "e-1",
        f"invoice.outcomes/{sent.partition % 2}/0",
        f"invoice.dead-letters/{sent.partition % 2}/0",
    ):
        story = await story_of(shelf, subject)
        assert (story.identity, story.record, story.where) == (None, sent, Where.REJECTED)
        assert "dead_letter" in what(story)
    assert (await story_of(shelf)).where is Where.UNSEEN


async def test_observed_only_and_discarded():
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    shelf.settle(DRAFT, sent, Scheduled("observed"), 10, desk=replace(DESK, observed=True))
    shelf.stands(IDENTITY, Entry(State.SCHEDULED, (sent.offset, -1), "observed"))
    assert (await story_of(shelf)).where is Where.OBSERVED
    shelf = Shelf()
    sent = shelf.send(DRAFT)
    shelf.settle(DRAFT, sent, Discarded("kari", "because"), 10)
    shelf.stands(IDENTITY, Entry(State.DISCARDED, (sent.offset, -1)))
    assert (await story_of(shelf)).where is Where.DISCARDED


async def test_when_the_outcomes_are_gone_the_ledger_still_tells():
    shelf = Shelf()
    call = Call(at(0), "registered", "owner-1", 4)
    shelf.stands(IDENTITY, Entry(State.SCHEDULED, (7, -1), "4711", calls=(call,)))
    story = await story_of(shelf)
    assert (story.where, story.invoice_id, what(story)) == (Where.SCHEDULED, "4711", ["register"])
    shelf.stands(IDENTITY, Entry(State.ABSENT, (7, -1)))
    assert (await story_of(shelf)).where is Where.FAILED


async def test_what_cannot_be_read_and_what_is_odd_is_noted():
    shelf = Shelf()
    calls = (Call(at(0), "registered", "o", 4), Call(at(1), "unclear:lost", "o", 5))
    shelf.stands(IDENTITY, Entry(State.SCHEDULED, (0, -1), "4711", calls=calls))
    partition = invoice().partition_of(PARTITIONS)
    shelf.put(TOPICS.journal, partition, value=b'{"v":2}')
    shelf.put(TOPICS.outcomes, partition % 2, key=IDENTITY.encode(), value=b'{"version":2}')
    notes = (await story_of(shelf)).notes
    assert any("invoice.journal/" in note for note in notes)
    assert any("invoice.outcomes/" in note for note in notes)
    assert any("More than one register call" in note for note in notes)
