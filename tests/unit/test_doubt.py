"""What is waited for before anything is believed: each inequality of docs/explanation/never-twice.md."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_core import make_event
from worker.doubt import DoubtPolicy, inherited_doubt, own_doubt
from worker.matching import Identity

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EVENT = make_event()
SECONDS = st.integers(0, 10_000).map(float)
POLICIES = st.builds(
    DoubtPolicy,
    intent_validity=SECONDS,
    register_timeout=SECONDS,
    late_processing=SECONDS,
    search_delay=SECONDS,
    clock_error=SECONDS,
    witness_timeout=SECONDS,
)


@given(POLICIES, SECONDS)
def test_an_owner_waits_a_and_d_after_the_end_of_its_own_call(policy, ended):
    doubt = own_doubt(policy, EVENT, 7, NOW, ended)
    assert doubt.deadline == ended + policy.late_processing
    assert doubt.ripe == doubt.deadline + policy.search_delay
    assert doubt.expires == doubt.ripe + policy.witness_timeout


@given(POLICIES, SECONDS)
def test_a_new_owner_waits_v_t_a_d_and_e_after_its_claim(policy, claimed):
    doubt = inherited_doubt(policy, EVENT, 7, NOW, claimed)
    frozen = policy.intent_validity + policy.register_timeout + policy.clock_error
    assert doubt.deadline == claimed + frozen + policy.late_processing
    assert doubt.ripe == doubt.deadline + policy.search_delay
    assert doubt.expires == doubt.ripe + policy.witness_timeout


def test_a_doubt_knows_its_intent_and_what_to_look_for():
    event = make_event(invoice_no="A 1", accountingInvoiceId="x-7")
    doubt = own_doubt(DoubtPolicy(), event, 7, NOW, 100.0)
    assert (doubt.intent, doubt.since) == (7, NOW)
    assert doubt.wanted == Identity("10759", "Invoice", "A 1", "x-7")
