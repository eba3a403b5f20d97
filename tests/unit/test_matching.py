"""Whether a row of a search is the wanted invoice: what is not said is never read as "another one"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.matching import Identity, Match, compare, folded, read_row

INVOICE = Identity("10759", "Invoice", "20001", None)
WITH_ACCOUNT = Identity("10759", "Invoice", "20001", "A-7")
NOTE = Identity("10759", "CreditNote", "20001", None)
PARTIAL_NOTE = Identity("10759", "CreditNote", "20001", "A-7")
NAMES = {
    "creditor_id": "creditorId",
    "claim_type": "claimType",
    "invoice_no": "invoiceNo",
    "accounting_invoice_id": "accountingInvoiceId",
}


def row(wanted=INVOICE, **changes):
    """The row that Kravia would show of this invoice, read; None takes a field away."""
    said = {name: getattr(wanted, field) for field, name in NAMES.items()} | changes
    return read_row({"id": 1} | {name: value for name, value in said.items() if value is not None}).identity


def spelt(name, how):
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).split()
    match how:
        case "snake":
            return "_".join(words)
        case "kebab":
            return "-".join(words)
        case "pascal":
            return "".join(word.capitalize() for word in words)
        case "upper":
            return name.upper()
        case _:
            return name


@given(
    st.dictionaries(
        st.sampled_from(sorted(NAMES.values())),
        st.tuples(
            st.sampled_from(["camel", "snake", "kebab", "pascal", "upper"]),
            st.lists(st.sampled_from(["invoice", "data", "Claim", "header"]), max_size=2),
        ),
    )
)
def test_the_row_of_the_invoice_is_never_another_one_however_it_is_spelt_and_nested(how):
    """Fields in any spelling and nesting; those that `how` does not name are missing."""
    values = {name: getattr(WITH_ACCOUNT, field) for field, name in NAMES.items()}
    said = {"id": 7}
    for name, (spelling, path) in how.items():
        place = said
        for part in path:
            place = place.setdefault(part, {})
        place[spelt(name, spelling)] = values[name]
    read = read_row(said).identity
    for field, name in NAMES.items():
        assert getattr(read, field) == (values[name] if name in how else None)
    match = compare(read, WITH_ACCOUNT)
    assert match is not Match.OTHER
    assert (match is Match.SAME) == (
        {"creditorId", "claimType"} <= how.keys() and bool({"invoiceNo", "accountingInvoiceId"} & how.keys())
    )


@pytest.mark.parametrize(
    ("said", "match"),
    [
        (row(), Match.SAME),
        (row(creditorId=10759), Match.SAME),
        (row(accountingInvoiceId="X"), Match.SAME),  # ours has none: theirs says nothing about it
        (row(claimType=None), Match.LIKELY),
        (row(claimType="Something"), Match.LIKELY),
        (row(creditorId=None), Match.UNSURE),
        (row(invoiceNo=None), Match.UNSURE),
        (row(creditorId=None, claimType=None, invoiceNo=None), Match.UNSURE),
        (row(creditorId="10760"), Match.OTHER),
        (row(claimType="creditnote"), Match.OTHER),
        (row(invoiceNo="20002"), Match.OTHER),
        (row(invoiceNo="20002", creditorId=None, claimType=None), Match.OTHER),
    ],
)
def test_an_invoice_without_a_callers_id(said, match):
    assert compare(said, INVOICE) is match


@pytest.mark.parametrize(
    ("said", "match"),
    [
        (row(WITH_ACCOUNT), Match.SAME),
        (row(WITH_ACCOUNT, accountingInvoiceId=None), Match.SAME),
        (row(WITH_ACCOUNT, invoiceNo=None), Match.SAME),
        (row(WITH_ACCOUNT, creditorId=None), Match.LIKELY),
        (row(WITH_ACCOUNT, creditorId=None, claimType=None, invoiceNo=None), Match.LIKELY),
        (row(WITH_ACCOUNT, accountingInvoiceId="A-8"), Match.UNSURE),  # not part of an invoice's identity
        (row(WITH_ACCOUNT, invoiceNo="20002"), Match.OTHER),
    ],
)
def test_an_invoice_with_a_callers_id(said, match):
    assert compare(said, WITH_ACCOUNT) is match


@pytest.mark.parametrize(
    ("wanted", "said", "match"),
    [
        (PARTIAL_NOTE, row(PARTIAL_NOTE), Match.SAME),
        (PARTIAL_NOTE, row(PARTIAL_NOTE, accountingInvoiceId="A-8"), Match.OTHER),
        (PARTIAL_NOTE, row(PARTIAL_NOTE, accountingInvoiceId=None), Match.UNSURE),
        (PARTIAL_NOTE, row(PARTIAL_NOTE, invoiceNo=None), Match.LIKELY),
        (PARTIAL_NOTE, row(PARTIAL_NOTE, claimType="Invoice"), Match.OTHER),
        (NOTE, row(NOTE), Match.SAME),
        (NOTE, row(NOTE, accountingInvoiceId="A-7"), Match.UNSURE),
        (NOTE, row(NOTE, claimType=None), Match.LIKELY),
    ],
)
def test_a_credit_note(wanted, said, match):
    """Several partial notes may stand beside one invoice: which of them it is must be said."""
    assert compare(said, wanted) is match


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("00123", 123),
        ("A 1 ", "A 1"),
        ("ab-1", "AB-1"),
        ("2026.0", "2026"),
        ("\uff11\uff12", "12"),
    ],
)
def test_what_may_be_a_respelling_is_not_another_invoice(ours, theirs):
    assert compare(row(invoiceNo=theirs), Identity("10759", "Invoice", ours, None)) is Match.UNSURE


def test_composed_and_decomposed_letters_are_the_same():
    assert compare(row(invoiceNo="fakturae\u0301"), Identity("10759", "Invoice", "faktura\u00e9", None)) is Match.SAME


def test_a_creditor_as_a_decimal_is_not_another_creditor():
    assert compare(row(creditorId="10759.0"), INVOICE) is Match.UNSURE


def test_a_field_that_says_two_things_says_nothing():
    said = read_row({"id": 1, "invoiceNo": "20001", "invoice": {"invoiceNo": "20002"}, "creditorId": 10759})
    assert said.identity.invoice_no is None
    assert compare(said.identity, INVOICE) is Match.UNSURE


def test_a_creditor_that_is_an_object():
    assert read_row({"creditor": {"id": 10759, "name": "x"}}).identity.creditor_id == "10759"


@pytest.mark.parametrize("value", [None, True, [], ["20001"], "", "  "])
def test_what_is_no_scalar_says_nothing(value):
    assert read_row({"invoiceNo": value}).identity.invoice_no is None


@pytest.mark.parametrize(
    ("said", "ids"),
    [
        ({"id": 4711}, ("4711",)),
        ({"InvoiceId": "4711"}, ("4711",)),
        ({"data": {"id": 4711}}, ("4711",)),
        ({"id": 4711, "invoiceId": "4711"}, ("4711",)),
        ({"id": 1, "invoiceId": 4711}, ("1", "4711")),
        ({"debtor": {"id": 9}}, ()),
        ({"creditor": {"id": 9}}, ()),
        ({"identity": "x"}, ()),
    ],
)
def test_ids_of_a_row(said, ids):
    assert read_row(said).ids == ids


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2021-06-01T15:13:14.4044853", "2021-06-01T15:13:14.404485"),
        ("2021-06-01T15:13:14Z", "2021-06-01T15:13:14"),
        ("yesterday", None),
    ],
)
def test_the_time_of_a_row_is_as_printed(text, time):
    updated = read_row({"lastUpdatedTime": text}).updated
    assert (updated and updated.isoformat()) == time


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_value_can_be_read(value):
    read_row({"id": value, "creditorId": value, "invoiceNo": {"x": value}, "lastUpdatedTime": value})


_TEXT = st.text(min_size=1).filter(str.strip)


@given(_TEXT, _TEXT)
def test_only_a_field_that_says_otherwise_makes_another_invoice(ours, theirs):
    wanted = Identity("10759", "Invoice", ours, None)
    match = compare(row(invoiceNo=theirs), wanted)
    assert compare(row(invoiceNo=ours), wanted) in (Match.SAME, Match.UNSURE)
    if match is Match.OTHER:
        assert ours.strip().casefold() != theirs.strip().casefold()


_NUMBER = st.text(st.sampled_from("0123aAåÅ. \u0301\uff11"), min_size=1, max_size=5)


@given(_NUMBER, _NUMBER)
def test_numbers_that_differ_when_folded_are_always_another_invoice(ours, theirs):
    """What lets a sweep look doubts up by their number hides no row that could be one of them."""
    wanted = Identity("10759", "Invoice", ours, "A-7")
    said = row(WITH_ACCOUNT, invoiceNo=theirs)
    if said.invoice_no is not None:
        assert (compare(said, wanted) is Match.OTHER) == (folded(said.invoice_no) != folded(ours))
