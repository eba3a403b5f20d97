"""What an event begins with: every cell of "What the ledger decides" in docs/explanation/architecture.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_time import EPOCH
from worker.facts import Attempt, Kind, Progress
from worker.model import Failed, Reason, Refusal, Rejected, Repeated, Step
from worker.opening import Doubt, Fresh, Over, Resume, open_event
from worker.standing import Entry, State

SAME, OTHER = {"amount": "aa", "dueDate": "bb"}, {"amount": "xx", "dueDate": "bb", "email": "cc"}
BODIES = pytest.mark.parametrize("body", [SAME, OTHER], ids=["same body", "other body"])


def entry(state, **more):
    known = {"invoice_id": "4711"} if state in (State.SCHEDULED, State.REGISTERED) else {}
    return Entry(state, digests=SAME, attached=("d1",), outcome="earlier", doubt=more.pop("doubt", None), **known)


def progress(*answers, **more):
    attempts = [Attempt(offset, EPOCH, "me", answer) for offset, answer in enumerate(answers, 50)]
    return Progress(50 if answers else None, attempts, **more)


class TestTheLedger:
    @BODIES
    @pytest.mark.parametrize("known", [None, entry(State.ABSENT)], ids=["nothing", "certainly not registered"])
    def test_not_registered_processes(self, known, body):
        assert open_event(known, body, None) == Fresh()
        assert open_event(known, body, Progress()) == Fresh()

    def test_scheduled_with_the_same_body_repeats(self):
        assert open_event(entry(State.SCHEDULED), SAME, None) == Over(Repeated("earlier", "4711"))

    def test_registered_with_the_same_body_resumes(self):
        assert open_event(entry(State.REGISTERED), SAME, None) == Resume("4711", frozenset({"d1"}), False)

    @pytest.mark.parametrize("state", [State.SCHEDULED, State.REGISTERED])
    def test_another_body_is_a_conflict_that_names_the_fields(self, state):
        opening = open_event(entry(state), OTHER, None)
        assert isinstance(opening, Over)
        assert isinstance(opening.ending, Rejected)
        assert (opening.ending.reason, opening.ending.invoice_id) == (Refusal.CONFLICT, "4711")
        assert [problem.pointer for problem in opening.ending.problems] == ["/invoice/amount", "/invoice/email"]
        assert all("aa" not in problem.message for problem in opening.ending.problems)

    @BODIES
    @pytest.mark.parametrize(("state", "doubt"), [(State.IN_DOUBT, 7), (State.DISCARDED, None)])
    def test_in_doubt_and_discarded_are_blocked(self, state, doubt, body):
        blocked = Failed(Step.REGISTER, Reason.BLOCKED, attempts=0, doubt=doubt)
        assert open_event(entry(state, doubt=doubt), body, None) == Over(blocked)


class TestTheJournal:
    def test_an_id_resumes_whatever_the_ledger_says(self):
        facts = progress(Kind.REGISTERED, invoice_id="4712", attached={"d2"}, started=True)
        assert open_event(None, SAME, facts) == Resume("4712", frozenset({"d2"}), True)

    @pytest.mark.parametrize("answer", [None, Kind.UNCLEAR])
    def test_an_intent_whose_call_may_have_been_made_is_a_doubt(self, answer):
        assert open_event(None, SAME, progress(answer)) == Doubt(50)
        assert open_event(entry(State.ABSENT), OTHER, progress(Kind.NOT_CARRIED_OUT, answer)) == Doubt(51)

    def test_calls_that_were_certainly_not_carried_out_begin_again(self):
        assert open_event(None, SAME, progress(Kind.NOT_CARRIED_OUT, Kind.NOT_CARRIED_OUT)) == Fresh()

    def test_what_a_resumed_event_attached_and_started_is_known(self):
        # The id is in the ledger, from an event that failed later; this event's facts name no intent.
        facts = progress(attached={"d2"}, started=True)
        assert open_event(entry(State.REGISTERED), SAME, facts) == Resume("4711", frozenset({"d1", "d2"}), True)


ANSWERS = st.lists(st.sampled_from([None, Kind.UNCLEAR, Kind.NOT_CARRIED_OUT]), max_size=4)


@given(st.none() | st.sampled_from(State).map(entry), ANSWERS, st.sampled_from([SAME, OTHER]))
def test_register_is_never_begun_where_one_may_have_been_carried_out(known, answers, body):
    opening = open_event(known, body, progress(*answers))
    if any(answer in (None, Kind.UNCLEAR) for answer in answers):
        assert isinstance(opening, Doubt)
    elif known is not None and known.state is not State.ABSENT:
        assert not isinstance(opening, Fresh)
    else:
        assert opening == Fresh()
