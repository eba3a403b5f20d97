"""How dead letters stand, from sequences of outcomes."""

import json
from dataclasses import replace

import pytest

from schemas.identity import identity
from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_letters import (
    DISCARDED,
    EXPIRED,
    IN_DOUBT,
    LOOP,
    NO_SUCH_DOUBT,
    REFUSED,
    REPEATED,
    RESOLVED,
    SCHEDULED,
    SEEN,
    FakeTopics,
    again,
    command,
)
from worker.deadletters.letters import State
from worker.deadletters.source import read_board
from worker.model import Coordinates, Record
from worker.ports import Lost, LostWhy

IDENTITY = identity(10759, "Invoice", "20001")
FIRST = Coordinates(TOPICS.requests, 0, 0)


async def only(world, **more):
    board = await read_board(world, **more)
    [summary] = board.summaries.values()
    return summary


@pytest.fixture
def world():
    """One event that Kravia refused."""
    made = FakeTopics()
    made.settle(make_record(0), REFUSED)
    return made


async def test_what_nobody_touched_is_open(world):
    one = await only(world)
    assert (one.origin, one.identity, one.state, one.since) == (FIRST, IDENTITY, State.OPEN, None)
    assert (one.reason, one.step, one.http_status, one.replays) == ("refused", "register", 422, 0)


async def test_sent_again_and_well(world):
    world.settle(again(world, FIRST), SCHEDULED)
    one = await only(world)
    assert (one.state, one.replays) == (State.REPLAYED, 1)
    assert one.since > one.last_failure


async def test_a_replay_that_fails_again_is_open_with_the_newer_letter(world):
    world.settle(again(world, FIRST), EXPIRED)
    one = await only(world)
    assert (one.state, one.origin, one.at.offset, one.replays) == (State.OPEN, FIRST, 1, 1)
    assert (one.reason, one.http_status) == ("expired", 503)
    assert one.first_failure < one.last_failure


async def test_resolved_then_replayed():
    world = FakeTopics()
    world.settle(make_record(0), IN_DOUBT)
    world.settle(command(world, FIRST, "not_registered", identity=IDENTITY, doubt=7), RESOLVED)
    assert (await only(world)).state is State.RESOLVED
    world.settle(again(world, FIRST), SCHEDULED)
    one = await only(world)
    assert (one.state, one.replays) == (State.REPLAYED, 1)


async def test_resolved_then_failed_again_is_open():
    world = FakeTopics()
    world.settle(make_record(0), IN_DOUBT)
    world.settle(command(world, FIRST, "not_registered", identity=IDENTITY, doubt=7), RESOLVED)
    world.settle(again(world, FIRST), REFUSED)
    one = await only(world)
    assert (one.state, one.reason) == (State.OPEN, "refused")


async def test_discarded_stays_so_when_a_verdict_comes_too_late(world):
    world.settle(command(world, FIRST, "discard", identity=IDENTITY), DISCARDED)
    world.settle(command(world, FIRST, "not_registered", identity=IDENTITY, doubt=7), NO_SUCH_DOUBT)
    world.settle(command(world, FIRST, "not_registered", identity=IDENTITY, doubt=7), REPEATED)
    board = await read_board(world)
    [one] = board.summaries.values()
    assert (one.state, one.at.offset, one.replays, board.commands) == (State.DISCARDED, 0, 0, 1)


async def test_a_command_seen_before_changes_nothing(world):
    world.settle(again(world, FIRST, name="c-1"), EXPIRED)
    world.settle(again(world, FIRST, name="c-1"), SEEN)
    one = await only(world)
    assert (one.state, one.reason) == (State.OPEN, "expired")


@pytest.mark.parametrize("structured", [False, True])
async def test_a_command_that_could_not_be_read_opens_nothing_again(world, structured):
    world.settle(again(world, FIRST), SCHEDULED)
    misspelt = command(world, FIRST, "discard", identity=IDENTITY, structured=structured, forgood=True)
    world.settle(misspelt, None)
    assert json.loads(world.told[-1].value)["outcome"] == "rejected"
    board = await read_board(world)
    [one] = board.summaries.values()
    assert (one.state, one.at.offset, board.commands) == (State.REPLAYED, 0, 1)


async def test_the_end_of_a_loop_changes_no_state(world):
    world.settle(command(world, FIRST, "discard", identity=IDENTITY), DISCARDED)
    world.settle(again(world, FIRST), LOOP)
    assert (await only(world)).state is State.DISCARDED


async def test_sent_again_by_hand_without_a_command(world):
    world.settle(again(world, FIRST, by_hand=True, bare=True), SCHEDULED)
    one = await only(world)
    assert (one.state, one.replays) == (State.REPLAYED, 1)


async def test_a_producer_can_not_close_a_dead_letter(world):
    forged = (("replay-of", str(FIRST).encode()),)
    world.settle(make_record(9, "20009", headers=forged), SCHEDULED)
    assert (await only(world)).state is State.OPEN


async def test_what_was_sent_again_to_another_partition_counts_by_time(world):
    # A misrouted event: its first dead letter stands in a partition that is read after the other.
    world.settle(again(world, FIRST), EXPIRED)
    first, second = world.dead_letters
    world.dead_letters = [replace(second, partition=0, offset=0), replace(first, partition=3, offset=5)]
    one = await only(world)
    assert (one.at, one.reason) == (Coordinates(TOPICS.dead_letters, 0, 0), "expired")


async def test_an_outcome_in_an_order_that_is_not_that_of_time(world):
    world.settle(command(world, FIRST, "discard", identity=IDENTITY), DISCARDED, minute=50)
    world.settle(again(world, FIRST), EXPIRED, minute=40)
    assert (await only(world)).state is State.DISCARDED


async def test_amounts_where_they_are_asked_for():
    world = FakeTopics()
    world.settle(make_record(0, "1", originalAmount=2500), REFUSED)
    world.settle(make_record(1, "2", originalAmount="2500"), None)
    world.settle(Record(TOPICS.requests, 0, 2, 0, None, b"\xff", ()), None)
    board = await read_board(world, amounts=True)
    amounts = [(one.amount, one.currency) for one in board.summaries.values()]
    assert amounts == [(2500, "NOK"), (None, None), (None, None)]


async def test_records_that_are_no_dead_letters_are_counted(world):
    world.dead_letters.append(Record(TOPICS.dead_letters, 0, 1, 0, None, b"{}", ()))
    board = await read_board(world)
    assert (len(board.summaries), board.unread) == (1, 1)
    assert board.unreadable[0].at == Coordinates(TOPICS.dead_letters, 0, 1)


async def test_an_outcome_of_another_version_is_counted(world):
    world.settle(again(world, FIRST), SCHEDULED)
    newer = json.loads(world.told[-1].value) | {"version": 2}
    world.told[-1] = replace(world.told[-1], value=json.dumps(newer).encode())
    board = await read_board(world)
    assert (board.unread_outcomes, next(iter(board.summaries.values())).state) == (1, State.OPEN)


async def test_a_broken_read_is_a_value(world):
    world.break_with(Lost(LostWhy.BROKEN, "read: gone"))
    assert await read_board(world) == Lost(LostWhy.BROKEN, "read: gone")
