"""A partition's records: in order for each identity, side by side across identities, each settled once."""

import asyncio

from tests.unit.fakes_core import DEAD_LETTERS, LEDGER, OUTCOMES, REQUESTS, TOPICS, make_record
from tests.unit.fakes_lane import make, settled, unfinished
from tests.unit.fakes_time import settle_down, until, virtual
from worker.answers import NotSent, Refused, Registered, Unclear
from worker.model import Record
from worker.standing import State

IDENTITY = "10759/Invoice/20001"


class TestOrder:
    @virtual
    async def test_one_identity_in_order_the_next_begins_after_the_formers_commit(self):
        world, lane = await make()
        world.api.plan("register", (5.0, Registered("4711")))
        world.producers[1].plan("commit", 7.0)
        lane.offer([make_record(0), make_record(1), make_record(2, originalAmount=9)])
        await asyncio.sleep(11.9)
        assert (unfinished(lane), world.outcomes()) == ([0, 1, 2], [])
        await settled(lane)
        assert world.outcomes() == ["scheduled", "repeated", "rejected"]
        assert world.api.steps() == ["register", "start"]

    @virtual
    async def test_different_identities_side_by_side(self):
        world, lane = await make()
        world.api.plan("register", *[(10.0, Registered(str(n))) for n in range(8)])
        lane.offer([make_record(offset, str(offset)) for offset in range(8)])
        await settled(lane)
        assert world.api.most == 8
        assert asyncio.get_running_loop().time() < 11

    @virtual
    async def test_one_that_takes_long_holds_the_offset_and_nobody_else(self):
        world, lane = await make()
        world.api.plan("register", (1000.0, Registered("slow")))
        lane.offer([make_record(offset, str(offset)) for offset in range(4)])
        await until(lambda: unfinished(lane) == [0])
        assert world.outcomes() == ["scheduled"] * 3
        assert world.log.committed["group", REQUESTS].offset == 0
        await settled(lane)
        assert world.log.committed["group", REQUESTS].offset == 4

    @virtual
    async def test_a_replay_waits_for_the_request_of_its_identity(self):
        world, lane = await make()
        lane.offer([make_record(0)])
        lane.offer([make_record(0, topic=TOPICS.replays, headers=(("replay-of", b"invoice.requests/0/0"),))])
        await settled(lane)
        assert world.outcomes() == ["scheduled", "repeated"]
        entry = world.entries()[IDENTITY]
        assert (entry.settled, entry.replays) == ((0, 0), 1)

    @virtual
    async def test_events_in_flight_are_bounded(self):
        world, lane = await make()
        world.api.plan("register", *[(1.0, Registered(str(n))) for n in range(30)])
        lane.offer([make_record(offset, str(offset)) for offset in range(30)])
        await settled(lane)
        assert world.api.most == 8


class TestRestart:
    @virtual
    async def test_what_is_settled_beyond_the_committed_offset_is_skipped(self):
        world, lane = await make()
        world.api.plan("register", (10_000.0, Registered("never")))
        records = [make_record(offset, str(offset)) for offset in range(4)]
        records[2] = Record(TOPICS.requests, 0, 2, 0, b"k", b"not JSON")
        lane.offer(records)
        await until(lambda: unfinished(lane) == [0])
        world.api.calls.clear()
        # A new owner, while the former still waits for its answer.
        _, later = await make(world)
        assert later.position(TOPICS.requests) == 0
        later.offer(records)
        await settled(later)
        assert sorted(world.outcomes()) == ["failed", "rejected", "scheduled", "scheduled"]
        assert world.api.calls == [], "the one is in doubt, the others are settled"
        assert world.log.committed["group", REQUESTS].offset == 4

    @virtual
    async def test_a_record_that_is_delivered_again_is_left_alone(self):
        world, lane = await make()
        for _ in range(3):
            lane.offer([make_record(0)])
        await settled(lane)
        lane.offer([make_record(0)])
        assert world.outcomes() == ["scheduled"]

    @virtual
    async def test_trimmed_to_nothing_once_all_is_settled(self):
        _, lane = await make()
        lane.offer([make_record(offset, str(offset)) for offset in range(5)])
        await settled(lane)
        await settle_down()
        assert lane.own.trim_to == lane.own.journal.end
        assert lane.own.open_intents == 0


class TestBounds:
    @virtual
    async def test_the_window_of_unsettled_records(self):
        world, lane = await make(window=3)
        world.api.plan("register", *[(5.0, Registered(str(n))) for n in range(3)])
        lane.offer([make_record(offset, str(offset)) for offset in range(2)])
        assert lane.has_room
        lane.offer([make_record(2, "2")])
        assert not lane.has_room
        await settled(lane)
        assert lane.has_room

    @virtual
    async def test_bytes_are_held_until_settled(self):
        world, lane = await make()
        world.api.plan("register", (5.0, Registered("1")))
        records = [make_record(0), make_record(1)]
        lane.offer(records)
        assert world.budget.held == sum(record.size for record in records)
        await settled(lane)
        await settle_down()
        assert world.budget.held == 0

    @virtual
    async def test_bytes_beyond_the_bound_leave_no_room(self):
        world, lane = await make()
        world.budget._size = 100
        lane.offer([make_record(0)])
        assert not lane.has_room

    @virtual
    async def test_a_closed_lane_gives_its_bytes_back(self):
        world, lane = await make()
        world.api.plan("register", *[NotSent("connect")] * 100)
        lane.offer([make_record(0)])
        await asyncio.sleep(0.1)
        await lane.close()
        assert world.budget.held == 0


class TestEndings:
    @virtual
    async def test_a_record_that_cannot_be_decoded_ends_under_its_coordinates(self):
        world, lane = await make()
        lane.offer([Record(TOPICS.requests, 0, 0, 0, b"k", b"\xff", (("h", b"1"),))])
        await settled(lane)
        assert world.outcomes() == ["rejected"]
        assert list(world.entries()) == ["invoice.requests/0/0"]
        [letter] = world.log.visible(DEAD_LETTERS)
        assert (letter.key, letter.value, letter.headers[0]) == (b"k", b"\xff", ("h", b"1"))

    @virtual
    async def test_an_invalid_event_leaves_its_identity_as_it_stands(self):
        world, lane = await make()
        lane.offer([make_record(0), make_record(1, currencyCode=7)])
        await settled(lane)
        assert world.outcomes() == ["scheduled", "rejected"]
        entry = world.entries()[IDENTITY]
        assert (entry.state, entry.settled) == (State.SCHEDULED, (1, -1))

    @virtual
    async def test_one_that_failed_later_resumes_and_one_in_doubt_blocks(self):
        world, lane = await make()
        world.api.plan("start", Refused(422))
        lane.offer([make_record(0), make_record(1)])
        await settled(lane)
        assert (world.outcomes(), world.api.steps().count("register")) == (["rejected", "scheduled"], 1)
        world.api.plan("register", Unclear("timeout"))
        lane.offer([make_record(2, "2"), make_record(3, "2")])
        await settled(lane)
        assert world.outcomes()[2:] == ["failed", "failed"]
        assert world.watcher.told[-2:] == [("failed", "in_doubt"), ("failed", "blocked")]

    @virtual
    async def test_each_end_is_one_transaction_of_ledger_and_outcome(self):
        world, lane = await make()
        lane.offer([make_record(0)])
        await settled(lane)
        [transaction] = {id(row.transaction) for row in world.log.rows[OUTCOMES]}
        assert transaction in {id(row.transaction) for row in world.log.rows[LEDGER]}
