"""The statement for finance: what adds up, how it is written, and what it takes."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from schemas.commands import COMMAND_TYPE
from tests.unit.fakes_core import TOPICS
from tests.unit.finance_world import NOON, PERIOD, Month, as_csv, as_json, call, lines
from worker.finance.period import between, from_micros, micros, moment, month
from worker.finance.statement import SCHEDULED_IS_NOT_SENT
from worker.finance.writing import COLUMNS
from worker.standing import Entry, State

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
COMMAND = (("ce_type", COMMAND_TYPE.encode()),)


def test_a_good_month_is_explained():
    month = Month()
    month.scheduled(1)
    month.scheduled(2, amount="0.20")
    month.scheduled(3, creditor=7, amount="1000000000000.01")
    first = month.scheduled(4)
    month.outcome(month.sent(), first, "repeated", invoiceId="id4", earlierOutcome="x", amount="100.10", currency="NOK")
    month.outcome(
        month.sent(),
        "1/Invoice/5",
        "rejected",
        reason="refused",
        errors=[],
        step="register",
        amount="9",
        currency="SEK",
        calls=[{"at": NOON, "answer": "not_carried_out:refused_422", "owner": "o", "intent": 9}],
    )
    month.entry("1/Invoice/5", Entry(State.ABSENT, amount="9", currency="SEK", calls=(call("not_carried_out:x", 9),)))
    month.outcome(month.sent(), None, "rejected", reason="undecodable", errors=[])

    def check(made):
        assert made.unexplained_count == 0
        assert {key: (total.invoices, total.amount) for key, total in made.totals.items()} == {
            ("1", "NOK", "scheduled"): (3, Decimal("200.40")),
            ("7", "NOK", "scheduled"): (1, Decimal("1000000000000.01")),
            ("1", "SEK", "rejected refused"): (1, Decimal(9)),
        }
        assert made.outcomes["repeated", ""] == 1
        assert made.events == {(TOPICS.requests, "event"): 7}
        assert made.compared.found == 4
        told = lines(made)
        assert told[-1] == "unexplained: 0"
        assert f"note: {SCHEDULED_IS_NOT_SENT}" in told
        return as_csv(made), as_json(made)

    rows, whole = month.statement(check)
    assert tuple(rows[0]) == COLUMNS
    assert [row["identity"] for row in rows] == [*(f"1/Invoice/{number}" for number in (1, 2, 4, 5)), "7/Invoice/3"]
    assert rows[0] == {
        "identity": "1/Invoice/1",
        "creditor": "1",
        "claim type": "Invoice",
        "invoice no": "1",
        "amount": "100.10",
        "currency": "NOK",
        "outcome": "scheduled",
        "invoice id": "id1",
        "registered at": "2026-11-10T12:00:00Z",
        "calls": "1",
        "unexplained why": "",
        "unexplained ids": "",
    }
    assert (whole["unexplainedCount"], whole["unexplained"], len(whole["invoices"])) == (0, [], 5)
    assert whole["sums"][0] == {
        "creditor": "1",
        "currency": "NOK",
        "outcome": "scheduled",
        "invoices": 3,
        "amount": "200.40",
        "amountUnknown": 0,
    }


def test_an_empty_month_is_explained():
    assert Month().statement(lambda made: (made.unexplained_count, as_csv(made), as_json(made)["invoices"])) == (
        0,
        [],
        [],
    )


def test_other_months_do_not_count_and_neither_do_borders():
    month = Month()
    month.scheduled(1, at=PERIOD.start - timedelta(seconds=1))
    inside = month.scheduled(2, at=PERIOD.start)
    month.scheduled(3, at=PERIOD.end)
    assert month.statement(lambda made: [one.identity for one in made.invoices()]) == [inside]
    assert month.unexplained() == []
    assert month.since_asked == (PERIOD.start - timedelta(minutes=5)).replace(tzinfo=None)


def test_an_event_of_the_month_before_that_was_settled_in_this_one_has_its_input():
    month = Month()
    origin = month.sent(at=PERIOD.start - timedelta(days=2))
    month.outcome(origin, None, "rejected", reason="undecodable", errors=[], at=NOON)
    assert month.unexplained() == []
    assert month.statement(lambda made: made.events) == {}


def test_a_discarded_invoice_keeps_the_amount_of_its_event():
    month, identity = Month(), "1/Invoice/1"
    month.outcome(
        month.sent(),
        identity,
        "failed",
        reason="expired",
        step="register",
        amount="70",
        currency="NOK",
        calls=[{"at": NOON, "answer": "not_carried_out:x", "owner": "o", "intent": 1}],
    )
    who = {"who": "kari", "why": "cancelled"}
    month.outcome(
        month.sent(topic=TOPICS.replays, headers=COMMAND),
        identity,
        "discarded",
        command={"id": "c", "verb": "discard", "when": NOON} | who,
        **who,
    )
    month.entry(identity, Entry(State.ABSENT, calls=(call("not_carried_out:x", 1),)))
    totals = month.statement(lambda made: {key: total.amount for key, total in made.totals.items()})
    assert totals == {("1", "NOK", "discarded"): Decimal(70)}
    assert month.unexplained() == []


def test_a_refused_change_of_a_scheduled_invoice_changes_no_sum():
    month = Month()
    identity = month.scheduled(1, amount="100")
    month.outcome(
        month.sent(), identity, "rejected", reason="conflict", errors=[], invoiceId="id1", amount="999", currency="NOK"
    )
    assert month.statement(lambda made: made.totals["1", "NOK", "scheduled"].amount) == 100
    assert month.unexplained() == []


def test_months_have_the_borders_of_their_zone():
    oslo = ZoneInfo("Europe/Oslo")
    assert str(month("2026-10", oslo)) == "2026-09-30T22:00:00Z to 2026-10-31T23:00:00Z"
    assert str(month("2026-12", UTC)) == "2026-12-01T00:00:00Z to 2027-01-01T00:00:00Z"
    assert moment("2026-11-01", oslo) == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert moment("2026-11-01T08:00:00Z", oslo) == datetime(2026, 11, 1, 8, tzinfo=UTC)
    for wrong in ("2026-00", "2026-13", "11-2026", "2026-1", "٢٠٢٦-١١"):
        assert "YYYY-MM" in month(wrong, UTC)
    assert "is no time" in moment("yesterday", UTC)
    assert "is not before" in between(NOON, NOON)


@given(st.integers(0, 8000 * 365 * 86_400 * 10**6))
def test_a_time_survives_as_a_number(microseconds):
    assert micros(datetime.fromisoformat(from_micros(microseconds))) == microseconds


def test_one_creditor_alone():
    month = Month()
    month.scheduled(1)
    mine = month.scheduled(2, creditor=12, calls=[call("unknown")])
    month.scheduled(3, creditor=1, calls=[call("unknown", intent=8)])
    assert month.unexplained(creditor=12) == [("call_unresolved", mine)]
    assert month.statement(lambda made: set(made.totals), creditor=12) == {("12", "NOK", "scheduled")}


def test_a_number_is_no_formula_in_a_spreadsheet():
    month = Month()
    origin = month.sent()
    month.outcome(origin, "1/Invoice/%3D1%2B1", "rejected", reason="refused", errors=[])
    month.entry("1/Invoice/%3D1%2B1", Entry())
    assert month.statement(as_csv)[0]["invoice no"] == "'=1+1"


AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2).map(lambda amount: f"{amount:f}")


@given(st.lists(st.tuples(st.integers(1, 3), AMOUNTS), max_size=12))
def test_sums_are_those_of_a_naive_count(sent):
    month, naive = Month(), {}
    for number, (creditor, amount) in enumerate(sent):
        month.scheduled(number, creditor=creditor, amount=amount)
        naive[str(creditor)] = naive.get(str(creditor), Decimal(0)) + Decimal(amount)
    assert month.statement(lambda made: {key[0]: total.amount for key, total in made.totals.items()}) == naive
    assert month.unexplained() == []


MEASURED = """
import re, sys
from pathlib import Path
from tests.unit.finance_many import made_of

def peak():
    # Not ru_maxrss: it begins with the memory of the process that started this one.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

made_of(100)
before = peak()
print(*made_of(100_000), peak() - before)
"""


def test_a_hundred_thousand_outcomes_take_bounded_memory():
    """SQLite's own memory counts, too: a process of its own is measured. A dict of them alone would take more."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    unexplained, total, kib = done.stdout.split()
    assert (unexplained, total) == ("0", f"{100_000 * Decimal('100.10')}")
    assert int(kib) < 64 * 1024
