"""Money at risk: the ledger table's running sums are those of a count from scratch."""

import tracemalloc
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_core import TOPICS
from worker.at_risk import CURRENCIES, Exposure, Risk, Stake, pack, stake, stake_of, unpack
from worker.ownership.table import LedgerTable
from worker.standing import Entry, State

AMOUNTS = st.decimals(min_value=-(10**20), max_value=10**20, places=2) | st.just(Decimal("0.001"))
CODES = st.sampled_from(["NOK", "EUR", "JPY"])
ENTRIES = st.builds(
    lambda state, amount, currency: Entry(
        state, amount=None if amount is None else f"{amount:f}", currency=None if amount is None else currency
    ),
    st.sampled_from(State),
    st.none() | AMOUNTS,
    CODES,
)


@given(st.lists(st.tuples(st.integers(0, 5), ENTRIES), max_size=40))
def test_any_sequence_of_entries_sums_to_what_the_latest_say(history):
    table, latest = LedgerTable(TOPICS.inputs), {}
    for offset, (number, entry) in enumerate(history):
        table.load(f"1/Invoice/{number}".encode(), entry, offset)
        latest[number] = entry
    naive = {}
    for entry in latest.values():
        dead = entry.state is State.REGISTERED or (entry.state is State.ABSENT and entry.amount is not None)
        if not dead and entry.state is not State.IN_DOUBT:
            continue
        currency = entry.currency if entry.currency in CURRENCIES else "other"
        key = (Risk.DEAD if dead else Risk.IN_DOUBT, currency)
        count, total = naive.get(key, (0, Decimal(0)))
        naive[key] = (count + 1, total + Decimal(entry.amount or 0))
    assert {(risk, currency): (count, total) for risk, currency, count, total in table.exposure.rows()} == naive


def test_what_leaves_leaves_nothing_behind():
    table = LedgerTable(TOPICS.inputs)
    key, doubt = b"1/Invoice/1", Entry(State.IN_DOUBT, amount="0.10", currency="NOK", doubt=3)
    table.load(key, doubt, 0)
    table.load(b"1/Invoice/2", Entry(State.IN_DOUBT, amount="0.20", currency="NOK"), 1)
    assert table.exposure.sums == {(Risk.IN_DOUBT, "NOK"): Decimal("0.30")}
    table.load(key, Entry(State.SCHEDULED, amount="0.10", currency="NOK"), 2)
    table.load(b"1/Invoice/2", Entry(State.DISCARDED, amount="0.20", currency="NOK"), 3)
    assert table.exposure == Exposure()
    assert table.stake(key) is None


def test_an_entry_without_an_amount_is_at_risk_only_where_a_call_may_have_been_made():
    assert stake_of(Entry(State.ABSENT)) is None
    assert stake_of(Entry(State.IN_DOUBT)) == Stake(Risk.IN_DOUBT, "other", Decimal(0))
    assert stake_of(Entry(State.REGISTERED)) == Stake(Risk.DEAD, "other", Decimal(0))


@given(st.sampled_from(Risk), AMOUNTS, CODES)
def test_packed_and_unpacked_it_is_the_same(risk, amount, currency):
    made = stake(risk, amount, currency)
    assert unpack(pack(made)) == made


def test_at_most_200_bytes_for_each_identity_that_is_at_risk():
    many = 200_000
    entry = Entry(State.IN_DOUBT, (7, -1), amount="1234567.89", currency="NOK", doubt=4)
    table = LedgerTable(TOPICS.inputs, (8, 0))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(many):
            table.load(f"10759/Invoice/{number}".encode(), entry, number)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert taken / many <= 200
    assert table.exposure.sums[Risk.IN_DOUBT, "NOK"] == many * Decimal("1234567.89")


def test_for_json_sums_are_text():
    exposure = Exposure()
    exposure.add(stake(Risk.DEAD, Decimal("2500.00"), "SEK"))
    exposure.add(stake(Risk.DEAD, Decimal("0.50"), "SEK"))
    exposure.add(stake(Risk.BEHIND_GATE, Decimal(1), "JPY"))
    assert exposure.report() == {
        "dead": {"SEK": {"invoices": 2, "sum": "2500.50"}},
        "behind_gate": {"other": {"invoices": 1, "sum": "1"}},
    }
