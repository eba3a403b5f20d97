"""The journal's records, and what they add up to."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.facts import Attempt, Fact, Kind, Progress, UnreadableRecordError, decode, encode
from worker.model import Coordinates

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ORIGIN = Coordinates("invoice.requests", 3, 7)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
FACTS = st.builds(
    Fact,
    kind=st.sampled_from(Kind),
    owner=TEXT,
    at=st.datetimes(timezones=st.just(UTC)),
    input=st.none() | st.builds(Coordinates, TEXT, st.integers(0, 100), st.integers(0, 2**62)),
    identity=st.none() | TEXT,
    intent=st.none() | st.integers(0, 2**62),
    invoice_id=st.none() | TEXT,
    answer_class=st.none() | TEXT,
    sha256=st.none() | TEXT,
)


def fact(kind, intent=None, **more):
    return Fact(kind, "me", NOW, ORIGIN, "1/Invoice/1", intent, **more)


def folded(*facts, first=100):
    progress = Progress()
    for offset, each in enumerate(facts, first):
        progress.add(offset, each)
    return progress


class TestRecords:
    @given(FACTS)
    def test_what_is_written_is_read(self, written):
        assert decode(encode(written)) == written

    def test_its_bytes_stay_readable_for_later_versions(self):
        written = fact(Kind.REGISTERED, 5, invoice_id="4711")
        assert json.loads(encode(written)) == {
            "v": 1,
            "kind": "registered",
            "owner": "me",
            "at": "2026-01-02T03:04:05+00:00",
            "input": ["invoice.requests", 3, 7],
            "identity": "1/Invoice/1",
            "intent": 5,
            "id": "4711",
        }

    def test_a_newer_version_is_refused_by_name(self):
        with pytest.raises(UnreadableRecordError, match=r"journal record has version 2.*reads up to 1.*newer worker"):
            decode(b'{"v":2,"kind":"merged"}')

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"\xff",
            b"[]",
            b"{}",
            b'{"v":"1"}',
            b'{"v":1}',
            b'{"v":1,"kind":"intent","owner":"me","at":"then"}',
            b'{"v":1,"kind":"party","owner":"me","at":"2026-01-02T03:04:05+00:00"}',
        ],
    )
    def test_what_cannot_be_read_is_refused(self, value):
        with pytest.raises(UnreadableRecordError, match="journal record"):
            decode(value)


class TestProgress:
    def test_an_intent_without_an_answer_is_a_doubt(self):
        assert folded(fact(Kind.INTENT)).doubt == 100

    @pytest.mark.parametrize(
        ("answer", "doubt"),
        [(Kind.REGISTERED, None), (Kind.NOT_CARRIED_OUT, None), (Kind.UNCLEAR, 100)],
    )
    def test_what_came_of_it_closes_it_or_not(self, answer, doubt):
        assert folded(fact(Kind.INTENT), fact(answer, 100, invoice_id="4711")).doubt == doubt

    def test_an_answer_is_of_the_intent_that_it_names(self):
        progress = folded(fact(Kind.INTENT), fact(Kind.INTENT), fact(Kind.NOT_CARRIED_OUT, 100, answer_class="x"))
        assert progress.doubt == 101
        assert [attempt.answer for attempt in progress.attempts] == [Kind.NOT_CARRIED_OUT, None]

    def test_an_answer_to_another_intent_closes_nothing(self):
        assert folded(fact(Kind.INTENT), fact(Kind.NOT_CARRIED_OUT, 55)).doubt == 100

    def test_an_id_ends_every_doubt(self):
        progress = folded(fact(Kind.INTENT), fact(Kind.UNCLEAR, 100), fact(Kind.REGISTERED, 100, invoice_id="4711"))
        assert (progress.doubt, progress.invoice_id) == (None, "4711")

    def test_what_was_attached_and_started(self):
        progress = folded(fact(Kind.ATTACHED, sha256="aa"), fact(Kind.ATTACHED, sha256="bb"), fact(Kind.STARTED))
        assert (progress.attached, progress.started, progress.first) == ({"aa", "bb"}, True, 100)

    def test_claim_and_renew_say_nothing_of_an_event(self):
        progress = folded(fact(Kind.CLAIM), fact(Kind.RENEW))
        assert (progress.attempts, progress.invoice_id, progress.attached, progress.started) == ([], None, set(), False)

    def test_an_attempt_as_the_ledger_lists_it(self):
        assert Attempt(5, NOW, "me").as_call().answer == "unknown"
        assert Attempt(5, NOW, "me", Kind.UNCLEAR, "timeout").as_call().answer == "unclear:timeout"
        assert Attempt(5, NOW, "me", Kind.REGISTERED).as_call().answer == "registered"

    @given(st.lists(st.sampled_from([*Kind, "answer the first", "answer the last"]), max_size=30), st.data())
    def test_a_register_that_may_have_been_carried_out_is_never_forgotten(self, script, data):
        progress, open_intents, registered = Progress(), {}, False
        for offset, what in enumerate(script):
            if what is Kind.INTENT:
                open_intents[offset] = None
                progress.add(offset, fact(what))
            elif isinstance(what, str) and not isinstance(what, Kind):
                if not open_intents:
                    continue
                intent = min(open_intents) if what == "answer the first" else max(open_intents)
                kind = data.draw(st.sampled_from([Kind.REGISTERED, Kind.NOT_CARRIED_OUT, Kind.UNCLEAR]))
                progress.add(offset, fact(kind, intent, invoice_id="4711" if kind is Kind.REGISTERED else None))
                open_intents[intent] = kind
                registered |= kind is Kind.REGISTERED
            elif what not in (Kind.REGISTERED, Kind.NOT_CARRIED_OUT, Kind.UNCLEAR):
                progress.add(offset, fact(what))
        doubtful = [intent for intent, answer in open_intents.items() if answer in (None, Kind.UNCLEAR)]
        assert progress.doubt == (None if registered else max(doubtful, default=None))
        assert len(progress.attempts) == len(open_intents)

    def test_times_keep_their_zone(self):
        later = NOW + timedelta(microseconds=1)
        assert decode(encode(Fact(Kind.CLAIM, "me", later))).at == later
