"""The verdict: what counts as lost, what as billed twice."""

import random
from uuid import NAMESPACE_URL, UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from worker.demo.scoreboard import OUTCOMES, Scoreboard, Verdict
from worker.model import Coordinates


def outcome_id(topic: str, partition: int, offset: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"{topic}/{partition}/{offset}")


def board(*outcomes: str | None) -> Scoreboard:
    """One sent record for each argument; None: no outcome yet."""
    made = Scoreboard(outcome_id)
    for offset, outcome in enumerate(outcomes):
        made.sent(Coordinates("invoice.requests", 0, offset))
        if outcome is not None:
            made.outcome(str(outcome_id("invoice.requests", 0, offset)), outcome)
    return made


def test_the_line_is_for_machines():
    verdict = board("scheduled", "scheduled", "rejected", "failed", "repeated").verdict({"a": 1, "b": 1})
    assert verdict.line() == (
        "verdict: sent=5 scheduled=2 rejected=1 failed=1 repeated=1 discarded=0 registered_twice=0 lost=0"
    )
    assert verdict.ok


def test_a_record_without_an_outcome_is_lost():
    made = board("scheduled", None)
    verdict = made.verdict({})
    assert (verdict.lost, verdict.ok) == (1, False)
    assert made.without_one() == [(Coordinates("invoice.requests", 0, 1), 0)]


def test_a_record_with_two_outcomes_counts_too():
    made = board("scheduled")
    made.outcome(str(outcome_id("invoice.requests", 0, 0)), "repeated")
    assert made.verdict({}).lost == 1
    assert made.settled_count == 1
    assert made.by_outcome() == {"scheduled": 1}


def test_an_identity_that_kravia_holds_twice_fails_the_verdict():
    verdict = board("scheduled").verdict({"a": 2, "b": 1, "c": 3})
    assert (verdict.registered_twice, verdict.ok) == (2, False)


def test_an_outcome_of_something_else_changes_nothing():
    made = board("scheduled")
    made.outcome(str(outcome_id("elsewhere", 0, 0)), "failed")
    assert made.verdict({}) == Verdict(1, {"scheduled": 1}, 0, 0)
    assert made.settled_count == 1


@given(outcomes=st.lists(st.lists(st.sampled_from(OUTCOMES), max_size=3), max_size=20), seed=st.integers(0, 2**32))
def test_the_order_in_which_things_are_heard_of_does_not_matter(outcomes: list[list[str]], seed: int):
    made = Scoreboard(outcome_id)
    heard = [(offset, None) for offset in range(len(outcomes))]
    heard += [(offset, name) for offset, names in enumerate(outcomes) for name in names]  # type: ignore[misc]
    random.Random(seed).shuffle(heard)
    for offset, name in heard:
        if name is None:
            made.sent(Coordinates("t", 0, offset))
        else:
            made.outcome(str(outcome_id("t", 0, offset)), name)
    assert made.sent_count == len(outcomes)
    assert made.settled_count == sum(bool(names) for names in outcomes)
    assert made.verdict({}).lost == sum(len(names) != 1 for names in outcomes)
    assert sum(made.by_outcome().values()) == made.settled_count
