"""Which offset may be committed."""

from hypothesis import given
from hypothesis import strategies as st

from worker.offsets import Prefix


def test_only_the_contiguous_prefix_may_be_committed():
    prefix = Prefix(10)
    assert [prefix.take(offset) for offset in (10, 11, 12)] == [True, True, True]
    prefix.settle(11)
    prefix.settle(12)
    assert (prefix.next, prefix.position, prefix.pending) == (10, 13, 1)
    prefix.settle(10)
    assert (prefix.next, prefix.pending) == (13, 0)


def test_a_record_delivered_again_is_left_alone():
    prefix = Prefix(5)
    assert prefix.take(5)
    assert not prefix.take(5)
    assert not prefix.take(4)
    assert prefix.pending == 1


def test_control_records_are_passed_only_when_nothing_is_pending():
    prefix = Prefix(0)
    prefix.take(0)
    prefix.advance(3)
    assert (prefix.next, prefix.position) == (0, 1)
    prefix.settle(0)
    prefix.advance(3)
    assert (prefix.next, prefix.position) == (3, 3)
    prefix.advance(2)
    assert prefix.next == 3


STEPS = st.lists(st.tuples(st.sampled_from(("take", "settle", "advance")), st.integers(0, 30)), max_size=80)


@given(st.integers(0, 5), STEPS)
def test_nothing_unsettled_ever_lies_before_what_is_committed(start, steps):
    prefix = Prefix(start)
    pending, settled, last, highest = set(), set(), start, start
    for what, offset in steps:
        if what == "take":
            fresh = offset >= highest
            assert prefix.take(offset) is fresh
            if fresh:
                pending.add(offset)
                highest = offset + 1
        elif what == "settle":
            prefix.settle(offset)
            if offset in pending:
                pending.discard(offset)
                settled.add(offset)
        else:
            prefix.advance(offset)
            if not pending:
                highest = max(highest, offset)
        assert prefix.next == min(pending, default=highest)
        assert prefix.next >= last, "it never goes back"
        assert prefix.position == highest
        assert prefix.pending == len(pending)
        last = prefix.next


@given(st.sets(st.integers(0, 200), min_size=1), st.randoms(use_true_random=False))
def test_settled_in_whatever_order_the_end_is_the_same(offsets, random):
    prefix = Prefix(0)
    for offset in sorted(offsets):
        prefix.take(offset)
    order = list(offsets)
    random.shuffle(order)
    for done, offset in enumerate(order):
        assert prefix.next == min(set(order[done:]))
        prefix.settle(offset)
    assert prefix.next == max(offsets) + 1
