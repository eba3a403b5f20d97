"""Which partitions this process owns, through rebalances, fencing and failures."""

import asyncio

import pytest

from tests.unit.fakes_core import CONFIG, REPLAYS, REQUESTS, TOPICS, World, make_record
from tests.unit.fakes_time import settle_down, until, virtual
from worker.answers import NotSent, Registered
from worker.model import Partition
from worker.ownership import take_over
from worker.partitions import Partitions
from worker.ports import Lost, LostWhy

BOTH = [REQUESTS, REPLAYS]


class FakeIntake:
    """`ports.Intake`. `flows`: where each partition that is released goes on."""

    def __init__(self):
        self.flows = {}
        self.stale = []
        """What the next proofs of membership answer."""
        self.proofs = 0
        self.refuses = False

    def release(self, partition, offset):
        if self.refuses:
            return False
        self.flows[partition] = offset
        return True

    def hold(self, partition):
        self.flows.pop(partition, None)

    async def prove_membership(self, partitions):
        await asyncio.sleep(0)
        self.proofs += 1
        return self.stale.pop(0) if self.stale else None


class Fixture:
    def __init__(self, *, drain_timeout=45.0):
        self.world, self.intake, self.taken, self.failures = World(), FakeIntake(), [], []
        self.world.open_gate()
        self.partitions = Partitions(
            TOPICS,
            self.intake,
            self._take_over,
            self.world.new_lane,
            self.world.watcher,
            drain_timeout=drain_timeout,
            jitter=lambda: 0.5,
        )

    async def _take_over(self, number):
        if self.failures:
            failure = self.failures.pop(0)
            if isinstance(failure, BaseException):
                raise failure
            return failure
        taken = await take_over(CONFIG, self.world.ports, number)
        self.taken.append(taken)
        return taken

    async def assigned(self):
        self.partitions.assigned(BOTH)
        await until(self.flowing)
        return self

    def flowing(self):
        return set(self.intake.flows) == set(BOTH)

    def offer(self, *records):
        self.partitions.offer({REQUESTS: list(records)})

    async def outcomes(self, *wanted):
        await until(lambda: self.world.outcomes() == list(wanted))


class TestAssignment:
    @virtual
    async def test_records_flow_only_after_the_take_over(self):
        fixture = Fixture()
        fixture.partitions.assigned(BOTH)
        assert fixture.partitions.with_room() == []
        assert fixture.partitions.problems() == ["partition 0: being taken over"]
        fixture.offer(make_record(0))
        await until(fixture.flowing)
        assert (fixture.intake.flows, fixture.partitions.problems()) == ({REQUESTS: 0, REPLAYS: 0}, [])
        assert (fixture.partitions.served(), fixture.partitions.lost()) == ({0: True}, {})
        assert fixture.partitions.with_room() == BOTH
        fixture.offer(make_record(0))
        await fixture.outcomes("scheduled")
        await fixture.partitions.close()

    @virtual
    async def test_a_partition_without_its_pair_is_not_owned(self):
        fixture = Fixture()
        fixture.partitions.assigned([REQUESTS])
        await asyncio.sleep(60)
        assert (fixture.taken, fixture.partitions.lanes()) == ([], [])

    @virtual
    async def test_one_that_stays_keeps_its_producers_and_state(self):
        fixture = await Fixture().assigned()
        fixture.offer(make_record(0))
        await fixture.outcomes("scheduled")
        await fixture.partitions.revoked()
        assert fixture.partitions.with_room() == []
        fixture.partitions.assigned(BOTH)
        assert len(fixture.taken) == 1
        assert fixture.intake.flows[REQUESTS] == 1, "it goes on at its own next offset"
        await fixture.partitions.close()

    @virtual
    async def test_one_that_left_is_closed(self):
        fixture = await Fixture().assigned()
        await fixture.partitions.revoked()
        fixture.partitions.assigned([])
        await until(lambda: all(producer.closed for producer in fixture.world.producers))
        assert fixture.partitions.lanes() == []

    @virtual
    async def test_a_take_over_that_ends_after_the_revocation_waits(self):
        fixture = Fixture()
        fixture.partitions.assigned(BOTH)
        await fixture.partitions.revoked()
        await asyncio.sleep(60)
        assert fixture.intake.flows == {}
        fixture.partitions.assigned(BOTH)
        await until(fixture.flowing)
        assert len(fixture.taken) == 1
        await fixture.partitions.close()

    @virtual
    async def test_the_position_passes_control_records(self):
        fixture = await Fixture().assigned()
        fixture.partitions.advance(REQUESTS, 9)
        [lane] = fixture.partitions.lanes()
        assert lane.position(TOPICS.requests) == 9
        await fixture.partitions.close()


class TestRevocation:
    @virtual
    async def test_it_drains_and_commits_a_register_is_never_cut(self):
        fixture = await Fixture().assigned()
        fixture.world.api.plan("register", (20.0, Registered("4711")))
        fixture.offer(make_record(0))
        await asyncio.sleep(1)
        await fixture.partitions.revoked()
        assert "registered" in fixture.world.facts()
        fixture.partitions.assigned(BOTH)
        await fixture.outcomes("scheduled")
        await fixture.partitions.close()

    @virtual
    async def test_a_lane_that_cannot_drain_in_time_is_lost_and_no_fact_with_it(self):
        fixture = await Fixture(drain_timeout=10).assigned()
        fixture.world.api.plan("register", (30.0, Registered("4711")))
        fixture.offer(make_record(0))
        await settle_down()
        await fixture.partitions.revoked()
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.2)
        [own] = fixture.taken
        assert own.lost.result().why is LostWhy.TIMEOUT
        await asyncio.sleep(30)
        assert "registered" in fixture.world.facts(), "the answer came, and is journaled, before it lets go"
        await fixture.partitions.close()

    @virtual
    async def test_closing_drains_and_releases_everything(self):
        fixture = await Fixture().assigned()
        fixture.world.api.plan("register", (5.0, Registered("4711")))
        fixture.offer(make_record(0))
        await settle_down()
        await fixture.partitions.close()
        assert all(producer.closed for producer in fixture.world.producers)
        assert fixture.world.facts()[-1] == "registered"
        fixture.partitions.assigned(BOTH)
        assert len(fixture.taken) == 1, "nothing is taken over while closing"


class TestLoss:
    @virtual
    async def test_a_fenced_owner_stops_proves_its_membership_and_starts_over(self):
        fixture = await Fixture().assigned()
        await take_over(CONFIG, fixture.world.ports, 0)  # somebody else
        fixture.intake.stale = [Lost(LostWhy.NOT_MEMBER, "")] * 3
        fixture.offer(make_record(0))
        await until(lambda: not fixture.flowing())
        assert len(fixture.taken) == 1
        await until(fixture.flowing)
        assert (fixture.intake.proofs, len(fixture.taken)) == (4, 2)
        fixture.offer(make_record(0))
        await fixture.outcomes("scheduled")
        await fixture.partitions.close()

    @virtual
    async def test_a_partition_that_was_taken_away_is_not_fought_for(self):
        fixture = await Fixture().assigned()
        fixture.taken[0].lose(Lost(LostWhy.FENCED, "x"))
        await fixture.partitions.revoked()
        await asyncio.sleep(600)
        assert (fixture.intake.proofs, len(fixture.taken)) == (0, 1)
        await fixture.partitions.close()

    @virtual
    async def test_pauses_grow_up_to_half_a_minute_however_many(self):
        fixture = Fixture()
        fixture.failures = [Lost(LostWhy.REFUSED, "another group's ledger")] * 1100
        fixture.partitions.assigned(BOTH)
        await asyncio.sleep(10)
        assert fixture.partitions.problems() == ["partition 0: lost (refused): another group's ledger"]
        assert (fixture.partitions.served(), fixture.partitions.lost()) == ({0: False}, {"refused": 1})
        await until(fixture.flowing, within=40_000, step=5)
        assert fixture.partitions.broken == []
        assert asyncio.get_running_loop().time() > 1000 * 30 * 0.7
        await fixture.partitions.close()

    @virtual
    async def test_out_of_range_refuses_that_partition(self):
        fixture = await Fixture().assigned()
        fixture.partitions.refuse(Partition(TOPICS.requests, 0), "out of range")
        await until(lambda: bool(fixture.partitions.problems()))
        assert "out of range" in fixture.partitions.problems()[0]
        await fixture.partitions.close()

    @virtual
    async def test_events_that_wait_in_backoff_do_not_delay_the_next_owner(self):
        fixture = await Fixture().assigned()
        fixture.world.api.plan("register", *[NotSent("connect")] * 4)
        fixture.offer(make_record(0))
        await asyncio.sleep(0.1)
        fixture.taken[0].lose(Lost(LostWhy.BROKEN, "x"))
        await until(lambda: len(fixture.taken) == 2)
        assert fixture.taken[1].open_intents == 0
        await fixture.partitions.close()

    @virtual
    async def test_a_bug_of_a_keeper_is_told(self):
        fixture = Fixture()
        fixture.failures = [ZeroDivisionError("a bug")]
        fixture.partitions.assigned(BOTH)
        await until(lambda: bool(fixture.partitions.broken))
        assert fixture.partitions.broken == ["keeper-0: ZeroDivisionError"]
