"""Totals of lines and of the invoice: the tolerance to the öre, rounding half up, any size of number."""

from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_rules import broken, line

EXACT = Context(prec=200)


def one(price, count, total, discount=None, currency="NOK"):
    """Whether the total of an only line is called wrong."""
    made = line(price, count, total, discount)
    found = broken(orderLines=[made], originalAmount=made["total"], currencyCode=currency)
    assert found <= {("orderLines/0/total", "line_total")}
    return bool(found)


@pytest.mark.parametrize(
    ("price", "count", "total", "discount"),
    [
        ("125", "10", "1250", None),
        ("125", "10", "1250.00", "0"),
        ("100", "1", "75", "25"),
        ("99.95", "3", "269.87", "10"),  # 269.865 is rounded up
        ("0.125", "1", "0.13", None),
        ("-0.125", "1", "-0.13", None),
        ("0.333", "3", "0.999", None),  # not rounded at all
        ("125", "-10", "-1250", None),
        ("125", "10", "0", "100"),
        ("0", "0", "0", None),
    ],
)
def test_a_right_total(price, count, total, discount):
    assert not one(price, count, total, discount)


@pytest.mark.parametrize(
    ("price", "count", "total", "discount"),
    [
        ("125", "10", "1250.02", None),
        ("125", "10", "1562.50", None),  # VAT added
        ("125", "10", "1250", "10"),
        ("125", "10", "-1250", None),
        ("125", "10", "125", None),
    ],
)
def test_a_wrong_total(price, count, total, discount):
    assert one(price, count, total, discount)


@pytest.mark.parametrize(("total", "wrong"), [("9.98", True), ("9.99", False), ("10.01", False), ("10.011", True)])
def test_the_edge_of_the_tolerance(total, wrong):
    assert one("10", "1", total) is wrong


def test_half_is_rounded_up_before_the_tolerance_counts():
    # 0.125 is 0.13: 0.14 is within 0.01 of it. Rounded to even it would be 0.12, and 0.14 too far.
    assert not one("0.125", "1", "0.14")
    assert one("0.125", "1", "0.11")


@pytest.mark.parametrize(("currency", "wrong"), [("ISK", False), ("JPY", False), ("NOK", True), ("KWD", True)])
def test_a_currency_without_decimals_is_rounded_to_whole_ones(currency, wrong):
    assert one("10.4", "3", "31", currency=currency) is wrong


def summed(totals, amount, **more):
    lines = [line(total, "1", total) for total in totals]
    return broken(orderLines=lines, originalAmount=Decimal(amount), **more)


@pytest.mark.parametrize(
    ("totals", "amount", "wrong"),
    [
        (["10", "20"], "30", False),
        (["10", "20"], "30.02", False),
        (["10", "20"], "30.021", True),
        (["10"], "10.01", False),
        (["10"], "10.02", True),
        (["10", "-20"], "-10", False),
        ([], "10", False),
    ],
)
def test_the_lines_add_up_within_a_hundredth_for_each(totals, amount, wrong):
    assert summed(totals, amount) == ({("originalAmount", "amount_total")} if wrong else set())


def test_an_invoice_without_lines_has_nothing_to_add_up():
    assert broken(orderLines=None, originalAmount=1) == set()


def test_each_wrong_line_is_named():
    lines = [line("1", "1", "1"), line("1", "1", "2"), line("1", "1", "1"), line("1", "1", "3")]
    assert broken(orderLines=lines, originalAmount=7) == {
        ("orderLines/1/total", "line_total"),
        ("orderLines/3/total", "line_total"),
    }


NUMBERS = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)
LARGE = st.decimals(-(10**30), 10**30, allow_nan=False, allow_infinity=False, places=8)
LINES = st.lists(
    st.tuples(NUMBERS | LARGE, NUMBERS | LARGE, st.none() | st.decimals(0, 100, places=3)), min_size=1, max_size=5
)


def computed(price, count, discount):
    exact = EXACT.multiply(price, count)
    if discount is not None:
        exact = EXACT.multiply(exact, EXACT.subtract(Decimal(1), EXACT.divide(discount, Decimal(100))))
    # A number of an event has at most 40 digits.
    return exact.quantize(Decimal("0.01"), ROUND_HALF_UP, EXACT)


@given(LINES)
def test_an_invoice_that_is_computed_right_is_never_warned_about(drawn):
    lines = [line(price, count, computed(price, count, discount), discount) for price, count, discount in drawn]
    lines = [one for one in lines if len(one["total"].as_tuple().digits) <= 40]
    amount = Decimal(0)
    for made in lines:
        amount = EXACT.add(amount, made["total"])
    if len(amount.as_tuple().digits) <= 40:
        assert broken(orderLines=lines, originalAmount=amount) == set()


@given(NUMBERS, NUMBERS, st.decimals("0.02", 10**6, places=2), st.booleans())
def test_a_total_that_is_off_by_more_than_the_tolerance_is_always_noticed(price, count, by, less):
    total = EXACT.add(computed(price, count, None), -by if less else by)
    assert one(price, count, total)
