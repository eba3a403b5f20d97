"""A sweep shows every row that was there all the time, or says that it is not complete."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_search import BEGIN, ModelSearch
from tests.unit.fakes_time import EPOCH, virtual
from worker.answers import NotSent, Refused, Throttled, Unclear
from worker.sweep import SweepPolicy, sweep

SINCE = EPOCH - timedelta(seconds=60)


async def swept(api, policy=SweepPolicy(page=20, pages=500, pause=0.01), enough=()):  # noqa: B008 -- immutable
    visited = []

    def visit(row, raw):
        assert str(raw["id"]) == row.ids[0]
        visited.append(raw["id"])
        return raw["id"] in enough

    return await sweep(api, SINCE, visit, policy), visited


def spaced(count, *, by=1.0, **options):
    api = ModelSearch(**options)
    for number in range(count):
        api.put(number, number * by)
    return api


@virtual
async def test_nothing_there():
    result, visited = await swept(ModelSearch())
    assert (result.complete, result.rows, visited) == (True, 0, [])


@virtual
async def test_every_row_once_page_by_page():
    api = spaced(100)
    result, visited = await swept(api)
    assert (result.complete, result.rows) == (True, 100)
    assert visited == list(range(100))
    since = [asked[0] for asked in api.asked]
    assert since == sorted(since)
    assert since[0] == SINCE.replace(tzinfo=None)  # in UTC, without a zone
    # It goes on by time, a little before the last row that it has seen.
    assert BEGIN + timedelta(seconds=17) in since


@pytest.mark.parametrize("options", [{"cap": 20}, {"cap": 7}, {"cap": 3}, {"times": False}])
@virtual
async def test_pages_that_are_shorter_than_asked_for_and_rows_without_a_time(options):
    result, visited = await swept(spaced(90, **options), SweepPolicy(page=100, pages=500, pause=0.01))
    assert result.complete
    assert visited == list(range(90))


@pytest.mark.parametrize("cap", [None, 20, 2])
@virtual
async def test_more_rows_of_one_time_than_a_page_holds(cap):
    result, visited = await swept(spaced(130, by=0.0, cap=cap))
    assert result.complete
    assert visited == list(range(130))


@virtual
async def test_one_row_a_page_is_never_complete_and_never_endless():
    result, _ = await swept(spaced(10, cap=1))
    assert result.problem == "more than 500 pages"


@virtual
async def test_a_refused_page_size_falls_back_to_the_guides():
    api = spaced(50, largest=20)
    result, visited = await swept(api, SweepPolicy(page=100, pages=50, pause=0.01))
    assert result.complete
    assert visited == list(range(50))
    assert [asked[2] for asked in api.asked[:3]] == [100, 20, 20]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Refused(400), "search: refused_400"),
        (Unclear("timeout"), "search: timeout"),
        (Throttled(429, 1.0), "search: throttled_429"),
        (NotSent("connect"), "search: not_sent_connect"),
    ],
)
@virtual
async def test_an_error_on_the_way_is_not_the_end_of_the_rows(answer, problem):
    api = spaced(60)
    api.between = lambda search: search.answers.append(answer) if len(search.asked) == 2 else None
    result, visited = await swept(api)
    assert (result.complete, result.problem) == (False, problem)
    assert 0 < len(visited) < 60


@virtual
async def test_the_number_of_pages_is_bounded():
    result, visited = await swept(spaced(1000), SweepPolicy(page=20, pages=10, pause=0.01))
    assert result.problem == "more than 10 pages"
    assert len(visited) < 1000


BLOCK = list(range(20))
MOVES = {
    "in their order": (True, BLOCK),
    "so that a later page begins with one that moved": (True, [*range(10), *range(15, 20), *range(10, 15)]),
    "without a time that tells": (False, BLOCK),
}


@pytest.mark.parametrize(("times", "order"), MOVES.values(), ids=MOVES)
@virtual
async def test_a_block_that_moves_away_under_the_sweep_is_not_complete(times, order):
    """What was seen moves to the end: what follows it moves up, past where the next page begins."""
    api = spaced(25, by=0.0, times=times)
    block_is_seen = 3 if times else 1

    def between(search):
        if len(search.asked) == block_is_seen:
            for place, number in enumerate(order):
                search.put(number, 100.0 + place / 1000)

    api.between = between
    result, visited = await swept(api)
    assert result.problem == "rows moved between two pages"
    assert set(visited) == set(BLOCK)


@virtual
async def test_rows_that_vanish_under_the_sweep_are_not_its_end():
    api = spaced(60, by=0.0)
    api.between = lambda search: search.updated.clear() if len(search.asked) == 3 else None
    result, _ = await swept(api)
    assert result.problem == "rows moved between two pages"


def arriving(search):
    search.put(10_000 + len(search.asked), search.latest + 0.01)


@virtual
async def test_rows_that_keep_coming_do_not_spoil_it_once_it_has_seen_enough():
    """`visit` knows a row that was registered after the sweep began: whatever was there before stands before it."""
    api = spaced(60, between=arriving)
    result, visited = await swept(api, enough={10_004})
    assert result.complete
    assert set(range(60)) <= set(visited)


@virtual
async def test_rows_that_came_while_it_ended_are_shown_too():
    def few(search):
        if 3 <= len(search.asked) <= 5:
            arriving(search)

    result, visited = await swept(spaced(30, between=few))
    assert result.complete
    assert set(range(30)) <= set(visited)


@given(
    st.integers(0, 2**32),
    st.integers(1, 90),
    st.sampled_from([0.0, 0.01, 0.2, 1.0, 5.0]),
    st.sampled_from([None, 20, 11, 4, 2, 1]),
    st.lists(st.integers(1, 20), max_size=30),
    st.booleans(),
)
def test_what_was_there_all_the_time_is_shown_or_the_sweep_is_not_complete(seed, count, by, cap, lengths, bursts):
    """Rows move, come and block each other between any two pages."""
    chance = random.Random(seed)

    @virtual
    async def run():
        api = spaced(count, by=by, cap=cap)
        api.lengths = list(lengths)
        moved = set()
        left = [chance.randrange(60)]

        def between(search):
            now = search.latest + chance.choice([0.0, 0.001, 1.0, 3.0])
            for _ in range(chance.choice([0, 0, 1, 2, 40 if bursts else 3])):
                if left[0] <= 0:
                    return
                left[0] -= 1
                if chance.random() < 0.6:
                    number = chance.randrange(count)
                    # A change is later than whatever a page has shown of it.
                    search.put(number, max(now, search.updated[number] + 0.001))
                    moved.add(number)
                else:
                    search.put(10_000 + left[0], now)

        api.between = between
        result, visited = await swept(api)
        assert len(visited) == len(set(visited))
        if result.complete:
            assert set(range(count)) <= set(visited)

    run()
