"""What a statement can't explain: each kind is named, and only then."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from schemas.commands import COMMAND_TYPE
from tests.unit.fakes_core import TOPICS
from tests.unit.finance_world import NOON, Month, as_csv, call, doubtful, lines
from worker.finance.findings import WHAT_TO_DO
from worker.standing import Entry, State

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
COMMAND = (("ce_type", COMMAND_TYPE.encode()),)


def verdict(month, identity, doubt, invoice=None):
    word = "not_registered" if invoice is None else "registered"
    who = {"who": "kari", "why": "looked"}
    month.outcome(
        month.sent(topic=TOPICS.replays, headers=COMMAND),
        identity,
        "resolved",
        verdict=word,
        doubt=doubt,
        invoiceId=invoice,
        command={"id": "c", "verb": word, "when": NOON} | who,
        replayOf="invoice.requests/0/0",
        **who,
    )


def test_an_open_doubt_is_named_with_its_money_until_a_person_decides():
    month = Month()
    month.scheduled(1)
    identity, made = doubtful(month, 2)
    assert month.unexplained() == [("doubt_open", identity)]
    told = month.statement(lines)
    assert told[-2].startswith(f"- doubt_open {identity} (50 NOK): doubt 2 is open")
    assert told[-1].strip().startswith("→ ")
    verdict(month, identity, 2)
    judged = call("not_carried_out:verdict", intent=2)
    month.entry(identity, Entry(State.ABSENT, amount="50", currency="NOK", calls=(judged,)))
    assert month.unexplained() == []
    month.scheduled(2, calls=[call(intent=5)], amount="50")
    month.entry(
        identity, Entry(State.SCHEDULED, invoice_id="id2", amount="50", currency="NOK", calls=(judged, call(intent=5)))
    )
    assert month.unexplained() == []

    def check(made):
        assert made.calls == {"registered": 2, "not_carried_out:verdict": 1}
        assert made.verbs == {"not_registered": 1}
        assert made.totals["1", "NOK", "scheduled"].amount == Decimal("150.10")
        return {row["identity"]: row["calls"] for row in as_csv(made)}

    assert month.statement(check)[identity] == "2"
    assert made.answer == "unclear:lost"


@pytest.mark.parametrize("answer", ["unclear:timeout", "unknown"])
def test_a_call_that_nothing_resolved_is_named(answer):
    month = Month()
    identity = month.scheduled(1, calls=[call(answer)])
    assert month.unexplained() == [("call_unresolved", identity)]


@pytest.mark.parametrize("answer", ["registered:adopted", "not_carried_out:witnessed", "registered:verdict"])
def test_what_reconciler_or_person_resolved_is_explained(answer):
    month = Month()
    month.scheduled(1, calls=[call(answer)])
    assert month.unexplained() == []


def test_two_calls_that_may_have_been_carried_out_are_a_possible_double():
    month = Month()
    identity = month.scheduled(1, calls=[call(), call(intent=1)])
    assert month.unexplained() == [("possible_double", identity)]
    month = Month()
    identity = month.scheduled(2)
    month.entry(
        identity,
        Entry(
            State.SCHEDULED, invoice_id="id2", calls=(call(intent=2),), folded={"registered": 1, "not_carried_out": 9}
        ),
    )
    assert month.unexplained() == [("possible_double", identity)]


def test_a_settled_record_without_an_outcome_is_named_and_one_under_way_is_counted():
    month = Month()
    month.scheduled(1)
    month.sent()
    assert month.unexplained() == [("input_without_outcome", "invoice.requests/0/1")]
    month.unsettled = 1
    assert month.statement(lambda made: (made.unexplained_count, made.under_way)) == (0, 1)


def test_an_outcome_without_its_input_is_named_unless_retention_took_it():
    month = Month()
    identity = month.scheduled(1)
    month.scheduled(2)
    month.records[TOPICS.requests][0] = None
    assert month.unexplained() == [("outcome_without_input", identity)]
    month.gone[TOPICS.requests] = 1
    assert month.unexplained() == []
    [note] = month.statement(lambda made: made.kept.notes)
    assert note.startswith("invoice.requests holds all records only from 2026-11-10T12:00:00Z on")


def test_two_outcomes_of_one_record_are_named():
    month = Month()
    identity = month.scheduled(1)
    month.outcome(month.records[TOPICS.requests][0], identity, invoiceId="id1")
    assert month.unexplained() == [("outcome_twice", identity)]


def test_outcomes_that_retention_took_are_named():
    month = Month()
    month.scheduled(1)
    month.scheduled(2, at=NOON + timedelta(days=1))
    month.gone[TOPICS.outcomes] = 1
    assert month.unexplained() == [("outcomes_gone", "outcomes/0")]


def test_a_ledger_that_forgot_an_invoice_is_named():
    month = Month()
    identity = month.scheduled(1)
    month.records[TOPICS.ledger][1:] = []
    assert month.unexplained() == [("no_ledger_entry", identity)]


def test_records_of_another_version_are_named():
    month = Month()
    month.scheduled(1)
    month._append(TOPICS.outcomes, b"k", b'{"version": 2}', NOON)
    month._append(TOPICS.ledger, b"1/Invoice/9", b'{"v": 99}', NOON)
    assert [kind for kind, _ in month.unexplained()] == ["unreadable", "unreadable"]


def test_every_kind_says_what_to_do():
    assert all(todo[-1] in ".?" for todo in WHAT_TO_DO.values())
