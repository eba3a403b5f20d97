"""What `/status` reports of a partition, and how far behind it is."""

import asyncio
import json

import pytest

from tests.unit.fakes_core import REPLAYS, REQUESTS, World, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_status import backing_off, status_of
from tests.unit.fakes_time import until, virtual
from worker.answers import Forbidden
from worker.backlog import Backlogs, Look, backlog
from worker.model import Partition
from worker.offsets import Prefix
from worker.ports import Lost, LostWhy


class TestReport:
    @virtual
    async def test_the_head_is_the_event_that_the_rest_waits_behind(self):
        world, lane = await backing_off()
        [partition] = json.loads(json.dumps(status_of(world, lane).report()))["partitions"]
        head = partition["heads"][REQUESTS.topic]
        assert (head["record"], head["event"], head["step"], head["tries"]) == (
            "invoice.requests/0/0",
            "<b>e-1</b>",
            "register",
            1,
        )
        assert 29 < head["retry_in_seconds"] <= 30  # half of the base: the fakes' jitter
        assert head["last_answer"] == "not_sent_connect"
        assert REPLAYS.topic not in partition["heads"]

    @virtual
    async def test_behind_a_closed_gate_it_says_why(self):
        world, lane = await make()
        world.gate.close("register stop_401")
        lane.offer([make_record(0)])
        await until(lambda: next(lane.unfinished()).state == "gate")
        told = status_of(world, lane).report()
        assert told["partitions"][0]["heads"][REQUESTS.topic]["waiting_for"] == "register stop_401"
        assert (told["ready"], told["problems"]) == (False, ["the gate is closed: register stop_401"])

    @virtual
    async def test_what_made_no_call_names_none(self):
        world, lane = await make()
        world.gate.close("register stop_401")
        lane.offer([make_record(number, str(number)) for number in range(9)])
        works = list(lane.unfinished())
        await until(lambda: works[7].state == "gate")
        report = status_of(world, lane)._work
        assert (report(works[7])["step"], report(works[7])["tries"]) == ("register", 0)
        # It has no place yet, and is not begun.
        assert works[8].course is not None
        assert report(works[8]).keys() & {"step", "tries", "last_answer"} == set()
        works[7].ended = True
        assert report(works[7])["state"] == "settling"
        assert report(works[7]).keys() & {"step", "tries", "last_answer"} == set()

    @virtual
    async def test_it_says_since_when_the_gate_is_closed_and_when_it_is_probed(self):
        world, lane = await make()
        assert status_of(world, lane).report()["gate"]["next_probe_in_seconds"] is None
        running = asyncio.create_task(world.gate.run())
        await asyncio.sleep(60)
        world.gate.close("register stop_401")
        await asyncio.sleep(0.4)
        told = status_of(world, lane).report()
        assert told["gate"] == {
            "state": "closed",
            "why": "register stop_401",
            "since": "2026-01-02T03:05:05+00:00",
            "next_probe_in_seconds": 0.6,
        }
        running.cancel()

    @virtual
    async def test_a_paused_creditor_is_named_and_what_waits_for_it(self):
        world, lane = await make()
        world.api.plan("register", Forbidden())
        lane.offer([make_record(0)])
        await until(lambda: next(lane.unfinished()).state == "backoff")
        told = status_of(world, lane).report()
        [paused] = told["paused_creditors"]
        assert (paused["creditor"], paused["answered_403"]) == (10759, 1)
        assert 0 < paused["next_try_in_seconds"] <= 1
        assert told["partitions"][0]["heads"][REQUESTS.topic]["paused_creditor"] == 10759
        await settled(lane)
        assert status_of(world, lane).report()["paused_creditors"] == []

    @virtual
    async def test_partitions_that_are_not_served_are_named(self):
        told = status_of(World(), None, unserved={5: "being taken over", 2: "lost (refused): too large"}).report()
        assert told["not_served"] == [
            {"partition": 2, "why": "lost (refused): too large"},
            {"partition": 5, "why": "being taken over"},
        ]

    @virtual
    async def test_an_event_has_its_time_and_its_age(self):
        world, lane = await backing_off()
        await asyncio.sleep(7)
        head = status_of(world, lane).report()["partitions"][0]["heads"][REQUESTS.topic]
        assert head["time"] == "2026-01-02T03:04:05+00:00"
        assert head["age_seconds"] == pytest.approx(7, abs=0.5)

    @virtual
    async def test_a_dead_coordination_task_fails_liveness_and_nothing_less_does(self):
        world, lane = await make()
        world.gate.close("register stop_401")
        assert status_of(world, lane, problem="rebalancing").livez() == []
        assert status_of(world, lane, dead=True).livez() == ["the group's coordination task has ended"]

    @virtual
    async def test_a_poll_that_hangs_fails_liveness(self):
        world, _ = await make()
        status = status_of(world, None)
        status._consumer.last_poll = 1.0
        await asyncio.sleep(60)
        assert status.livez() == ["no poll for 59 s"]


class TestBacklog:
    def test_nothing_is_told_before_a_look(self):
        assert backlog([], 0.0) is None

    def test_rates_and_the_time_to_catch_up(self):
        told = backlog([Look(0, 100, 400), Look(10, 200, 420)], 12.0)
        assert (told.behind, told.settled, told.arriving, told.age) == (220, 10.0, 2.0, 2.0)
        assert told.catch_up == pytest.approx(220 / 8)

    def test_one_that_grows_never_catches_up_and_one_look_tells_no_rate(self):
        assert backlog([Look(0, 0, 10), Look(10, 10, 40)], 10).catch_up is None
        assert backlog([Look(0, 0, 10)], 0) == backlog([Look(0, 0, 10)], 0)
        assert backlog([Look(0, 0, 10)], 0).settled is None
        assert backlog([Look(0, 10, 10)], 0).catch_up == 0.0

    @virtual
    async def test_it_looks_at_what_is_owned_and_begins_anew_with_a_new_ownership(self):
        world = World()
        prefix, ends = Prefix(0), {"r": 10}
        inputs = {"r": prefix}
        owned = [(3, inputs)]

        async def ask(partitions):
            assert partitions == [Partition("r", 3)]
            return {Partition("r", 3): ends["r"]} if ends["r"] is not None else Lost(LostWhy.TIMEOUT, "")

        backlogs = Backlogs(ask, lambda: owned, world.clock)
        running = asyncio.create_task(backlogs.run())
        await asyncio.sleep(1)
        assert backlogs.of(3).behind == 10
        for offset in range(5):
            prefix.take(offset)
        prefix.settle(0)
        prefix.settle(3)
        await asyncio.sleep(5)
        assert (backlogs.of(3).behind, backlogs.of(3).settled) == (8, 0.4)
        ends["r"] = None
        await asyncio.sleep(5)
        assert (backlogs.of(3).behind, backlogs.of(3).age) == (8, 6.0)
        ends["r"], owned[0] = 10, (3, {"r": Prefix(10)})
        await asyncio.sleep(5)
        assert (backlogs.of(3).behind, backlogs.of(3).settled) == (0, None)
        owned.clear()
        await asyncio.sleep(5)
        assert backlogs.of(3) is None
        running.cancel()
