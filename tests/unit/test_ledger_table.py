"""The ledger in memory."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_core import TOPICS
from worker.model import Record
from worker.ownership.table import LedgerTable
from worker.standing import Entry, State

KEY = b"1/Invoice/1"


def record(offset, topic=TOPICS.requests):
    return Record(topic, 0, offset, 0, KEY, None)


def coordinates(offset, topic=TOPICS.requests):
    return f"{topic}/0/{offset}".encode()


def test_at_most_200_bytes_for_each_identity():
    many = 200_000
    entry = Entry(State.SCHEDULED, (7, -1), "4711")
    table = LedgerTable(TOPICS.inputs, (8, 0))
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(many):
            table.load(f"10759/Invoice/{number}".encode(), entry, number)
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert len(table) == many
    assert taken / many <= 200


def test_what_it_knows_of_an_identity():
    table = LedgerTable(TOPICS.inputs)
    table.load(KEY, Entry(State.IN_DOUBT, (4, 2), doubt=7), 99)
    glance = table.glance(KEY)
    assert (glance.state, glance.settled, glance.offset) == (State.IN_DOUBT, (4, 2), 99)
    assert table.glance(b"1/Invoice/2") is None


def test_the_latest_entry_counts_once():
    table = LedgerTable(TOPICS.inputs)
    table.load(KEY, Entry(State.REGISTERED, invoice_id="1"), 1)
    table.load(KEY, Entry(State.SCHEDULED, invoice_id="1"), 5)
    assert len(table) == 1
    assert (table.counts[State.REGISTERED], table.counts[State.SCHEDULED]) == (0, 1)
    assert table.glance(KEY).offset == 5


def test_what_is_settled_beyond_the_committed_offset_is_known_by_identity():
    table = LedgerTable(TOPICS.inputs, (10, 0))
    table.load(KEY, Entry(settled=(15, 3)), 0)
    assert table.is_settled(record(15), KEY)
    assert table.is_settled(record(12), KEY), "an earlier event of the same identity"
    assert not table.is_settled(record(16), KEY)
    assert table.is_settled(record(3, TOPICS.replays), KEY)
    assert not table.is_settled(record(4, TOPICS.replays), KEY)


def test_a_record_without_an_identity_is_known_by_its_coordinates():
    table = LedgerTable(TOPICS.inputs, (10, 0))
    table.load(coordinates(12), Entry(settled=(12, -1)), 0)
    assert table.is_settled(record(12), coordinates(12))
    assert not table.is_settled(record(13), coordinates(13))
    assert len(table) == 0, "nothing but its offset is kept"


def test_an_identity_is_not_taken_for_coordinates_whatever_the_topics_are_called():
    table = LedgerTable(("1", "2"))
    table.load(b"1/Invoice/1", Entry(State.SCHEDULED, invoice_id="4711"), 0)
    assert len(table) == 1


def test_what_lies_before_the_committed_offsets_takes_no_memory():
    table = LedgerTable(TOPICS.inputs, (0, 0))
    for offset in range(100):
        table.load(coordinates(offset), Entry(settled=(offset, -1)), offset)
    table.forget_below(90, 0)
    assert sum(len(beyond) for beyond in table._beyond) == 10
    table.load(coordinates(5), Entry(settled=(5, -1)), 101)
    assert sum(len(beyond) for beyond in table._beyond) == 10


def test_fresh_entries_are_kept_whole_for_a_while():
    table = LedgerTable(TOPICS.inputs)
    for number in range(3000):
        table.remember(f"1/Invoice/{number}".encode(), Entry(replays=number))
    assert table.recent(b"1/Invoice/2999").replays == 2999
    assert table.recent(b"1/Invoice/0") is None


ENTRIES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 40)), max_size=30)


@given(ENTRIES, st.integers(0, 20))
def test_nothing_unsettled_is_taken_for_settled(settlements, floor):
    """Entries of an identity come in the order of their offsets, as the lane settles them."""
    table, settled, own = LedgerTable(TOPICS.inputs, (floor, 0)), set(), {}
    for number, offset in settlements:
        if offset in settled or own.get(number, -1) > offset:
            continue
        own[number] = offset
        settled.add(offset)
        table.load(f"1/Invoice/{number}".encode(), Entry(settled=(offset, -1)), 0)
    for offset in settled:
        if offset >= floor:
            assert table.is_settled(record(offset), b"9/Invoice/other")
    for number in range(6):
        for offset in range(floor, 45):
            expected = offset in settled or offset <= own.get(number, -1)
            assert table.is_settled(record(offset), f"1/Invoice/{number}".encode()) is expected
