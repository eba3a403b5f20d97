"""What a statement can't explain of Kravia's search and `/details`: each kind is named, with ids as fields."""

from datetime import UTC, datetime

from tests.unit.finance_world import Month, as_csv, as_json, call, doubtful, lines
from worker.answers import Unclear
from worker.standing import Entry, State

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)


def test_an_id_that_kravia_does_not_show_is_named_and_details_count():
    month = Month()
    missing, hidden = month.scheduled(1, row=False), month.scheduled(2, row=False)
    month.known["id2"] = {"id": "id2", "invoiceNo": "2"}
    assert month.unexplained() == [("not_at_kravia", missing)]
    assert month.statement(lambda made: (made.compared.found, made.compared.looked_up)) == (0, 1)
    assert hidden != missing
    assert month.unexplained(search=False) == []


def test_when_kravia_does_not_answer_nothing_is_believed_found():
    month = Month()
    identities = [month.scheduled(number) for number in range(8)]
    month.failing = True
    month.known = {f"id{number}": Unclear("timeout") for number in range(8)}
    found = month.unexplained()
    assert found == [*(("not_looked_up", one) for one in identities), ("search_incomplete", None)]


def test_an_id_shown_with_another_identity_is_named():
    month = Month()
    identity = month.scheduled(1, row=False)
    month.row("id1", "77")
    assert month.unexplained() == [("identity_differs", identity)]


def test_a_second_invoice_of_an_identity_of_ours_is_named_and_strangers_are_not_ours():
    month = Month()
    identity = month.scheduled(1)
    month.scheduled(2)
    month.row("other", "900")
    month.row("strange", "900", creditor=55)
    month.row("note", "2", kind="CreditNote")
    assert month.unexplained() == []
    assert month.statement(lambda made: list(made.rows_not_ours())) == ["other", "note"]
    month.row("again", "1")
    assert month.unexplained() == [("double_at_kravia", identity)]
    assert month.statement(lambda made: made.not_ours) == 2
    [told] = [line for line in month.statement(lines) if line.startswith("- double_at_kravia")]
    assert "again besides id1" in told


def test_the_ids_that_a_finding_is_about_are_fields():
    month = Month()
    for number in range(1, 6):
        month.scheduled(number, row=number not in (3, 4))
    month.row("again", "1")
    month.row("or this", "2", invoiceId="or that")
    month.row("id4", "77")
    month.row("=seems", "5", kind=None)
    month.known["=seems"] = Unclear("timeout")
    told = month.statement(as_json)["unexplained"]
    assert [(one["kind"], one["subject"], one["invoiceIds"], one["match"]) for one in told] == [
        ("not_at_kravia", "1/Invoice/3", ["id3"], None),
        ("identity_differs", "1/Invoice/4", ["id4"], "other"),
        ("double_at_kravia", "1/Invoice/1", ["again"], "same"),
        ("double_at_kravia", "1/Invoice/2", ["or this", "or that"], "same"),
        ("double_at_kravia", "1/Invoice/5", ["=seems"], "likely"),
    ]
    ids = {row["identity"]: row["unexplained ids"] for row in month.statement(as_csv)}
    assert ids == {
        "1/Invoice/1": "again",
        "1/Invoice/2": "or this; or that",
        "1/Invoice/3": "id3",
        "1/Invoice/4": "id4",
        "1/Invoice/5": "'=seems",
    }


def test_a_row_that_says_too_little_is_looked_up():
    month = Month()
    month.scheduled(1)
    month.row("again", "1", kind=None)
    month.known["again"] = {"creditorId": 1, "claimType": "CreditNote", "invoiceNo": "1"}
    assert month.unexplained() == []
    month.known["again"] = {"creditorId": 1, "claimType": "Invoice", "invoiceNo": "1"}
    assert month.unexplained() == [("double_at_kravia", "1/Invoice/1")]


def test_an_invoice_of_an_earlier_month_is_ours_and_its_double_is_seen():
    month = Month()
    month.entry("1/Invoice/3", Entry(State.SCHEDULED, invoice_id="old", calls=(call(at=SEPTEMBER),)))
    month.scheduled(1)
    month.row("old", "3")
    assert month.unexplained() == []
    assert month.statement(lambda made: made.not_ours) == 0
    month.row("old again", "3")
    assert month.unexplained() == [("double_at_kravia", "1/Invoice/3")]


def test_what_kravia_has_and_no_register_of_ours_did_is_named():
    month = Month()
    identity, _ = doubtful(month, 4)
    month.row("found", "4")
    assert month.unexplained() == [("doubt_open", identity), ("unknown_at_kravia", identity)]
