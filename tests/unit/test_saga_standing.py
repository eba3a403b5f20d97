"""How an identity stands after an event."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_core import make_event
from tests.unit.fakes_time import EPOCH
from worker.facts import Attempt, Kind, Progress
from worker.model import Discarded, Failed, Reason, Refusal, Rejected, Repeated, Resolved, Scheduled, Step
from worker.standing import Entry, State, ending_id, standing_after

EVENT = make_event()
DIGESTS = {"amount": "aa"}
ABSENT, IN_DOUBT = Entry(), Entry(State.IN_DOUBT, doubt=5, digests=DIGESTS, amount="1", currency="SEK")
REGISTERED = Entry(State.REGISTERED, invoice_id="4711", digests=DIGESTS, attached=("d1",), amount="1", outcome="first")
SCHEDULED = replace(REGISTERED, state=State.SCHEDULED)
DISCARDED = Entry(State.DISCARDED)
LEFT_ALONE = [
    Repeated("first", "4711"),
    Discarded("kari", "cancelled"),
    Resolved("registered", "kari", "saw it", 5, "4711"),
    Rejected(Refusal.CONFLICT, invoice_id="4711"),
    Failed(Step.REGISTER, Reason.BLOCKED, 0, doubt=5),
]
WITHOUT_AN_ID = [
    Rejected(Refusal.REFUSED, step=Step.REGISTER, http_status=422),
    Failed(Step.REGISTER, Reason.EXPIRED, 3),
    Failed(Step.REGISTER, Reason.FORBIDDEN, 3),
]
WITH_AN_ID = [
    Rejected(Refusal.REFUSED, step=Step.ATTACH, http_status=422, invoice_id="4711"),
    Failed(Step.ATTACH, Reason.EXPIRED, 3, invoice_id="4711"),
    Failed(Step.START, Reason.NOT_VISIBLE, 3, invoice_id="4711"),
    Failed(Step.ATTACH, Reason.ATTACH_UNKNOWN, 3, invoice_id="4711"),
    Failed(Step.START, Reason.FORBIDDEN, 3, invoice_id="4711"),
]
DOUBTFUL = Failed(Step.REGISTER, Reason.IN_DOUBT, 1, doubt=9)
ENDINGS = [*LEFT_ALONE, *WITHOUT_AN_ID, *WITH_AN_ID, Scheduled("4711"), DOUBTFUL]


def after(before, ending, progress=None):
    return standing_after(
        before, EVENT, ending, digests={"amount": "bb"}, progress=progress or Progress(), outcome="this"
    )


@pytest.mark.parametrize("before", [None, ABSENT, REGISTERED])
def test_scheduled(before):
    entry = after(before, Scheduled("4711"), Progress(attached={"d2"}))
    assert (entry.state, entry.invoice_id, entry.outcome) == (State.SCHEDULED, "4711", "this")
    assert entry.digests == {"amount": "bb"}
    assert entry.attached == (("d1", "d2") if before is REGISTERED else ("d2",))
    assert (entry.amount, entry.currency) == ("2500", "NOK")


def test_in_doubt_names_its_intent():
    entry = after(None, DOUBTFUL)
    assert (entry.state, entry.doubt, entry.invoice_id, entry.outcome) == (State.IN_DOUBT, 9, None, "this")


@pytest.mark.parametrize("ending", WITH_AN_ID, ids=lambda ending: f"{ending.step}-{ending.reason}")
@pytest.mark.parametrize("before", [None, REGISTERED])
def test_failed_with_an_id_is_registered_and_can_be_resumed(before, ending):
    entry = after(before, ending)
    assert (entry.state, entry.invoice_id, entry.outcome) == (State.REGISTERED, "4711", "this")


@pytest.mark.parametrize("ending", WITHOUT_AN_ID, ids=lambda ending: f"{ending.step}-{ending.reason}")
def test_failed_without_an_id_is_certainly_not_registered(ending):
    entry = after(None, ending)
    assert (entry.state, entry.digests, entry.outcome) == (State.ABSENT, {}, None)
    assert (entry.amount, entry.currency) == ("2500", "NOK"), "finance sees what was not billed"


@pytest.mark.parametrize("ending", LEFT_ALONE, ids=lambda ending: type(ending).__name__)
@pytest.mark.parametrize("before", [REGISTERED, SCHEDULED, IN_DOUBT, DISCARDED], ids=lambda entry: entry.state)
def test_what_changes_nothing_in_the_world_leaves_the_entry_alone(before, ending):
    assert after(before, ending) == before


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: type(ending).__name__)
def test_every_register_call_is_listed_whatever_the_end(ending):
    attempts = [Attempt(7, EPOCH, "me", Kind.NOT_CARRIED_OUT, "throttled_429"), Attempt(9, EPOCH, "me")]
    earlier = Attempt(1, EPOCH, "you", Kind.UNCLEAR, "timeout").as_call()
    entry = after(Entry(calls=(earlier,)), ending, Progress(7, attempts))
    assert [(call.intent, call.answer) for call in entry.calls] == [
        (1, "unclear:timeout"),
        (7, "not_carried_out:throttled_429"),
        (9, "unknown"),
    ]


@given(st.sampled_from([None, ABSENT, REGISTERED, SCHEDULED, IN_DOUBT, DISCARDED]), st.sampled_from(ENDINGS))
def test_a_state_that_holds_an_id_holds_it_and_a_doubt_its_intent(before, ending):
    entry = after(before, ending)
    assert (entry.invoice_id is not None) == (entry.state in (State.SCHEDULED, State.REGISTERED))
    assert (entry.doubt is not None) == (entry.state is State.IN_DOUBT)


def test_the_id_of_an_ending():
    assert ending_id(Scheduled("4711")) == "4711"
    assert ending_id(Discarded("kari", "why")) is None
