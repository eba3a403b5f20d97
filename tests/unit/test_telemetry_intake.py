"""What operators watch of the intake: lag, membership, served partitions, the oldest fact, limits, failed commits."""

import asyncio
from types import SimpleNamespace

from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_reconcile import Told
from tests.unit.fakes_time import virtual
from tests.unit.scraped import value
from tests.unit.test_group_commit import Fixture
from worker.answers import Unclear
from worker.model import Partition, Step
from worker.ports import Lost, LostWhy
from worker.status import Status
from worker.telemetry.intake import IntakeGauges, Limits
from worker.telemetry.metrics import PrometheusObserver

REQUESTS = Partition(TOPICS.requests, 0)


def test_the_intake_is_asked_at_each_scrape():
    observer = PrometheusObserver()
    assert value(observer, "group_member") == 0
    now = IntakeGauges(True, 1.5, {0: True, 1: False}, {"fenced": 1}, {REQUESTS: 7}, {0: 61.5}, 3, 64)
    observer.intake(lambda: now, Limits(128, 1024, 1000, observing=True))
    assert value(observer, "group_member") == 1
    assert value(observer, "fetch_age_seconds") == 1.5
    assert value(observer, "partition_served", partition="0") == 1
    assert value(observer, "partition_served", partition="1") == 0
    assert value(observer, "partitions_lost", why="fenced") == 1
    assert value(observer, "partitions_lost", why="timeout") == 0
    assert value(observer, "lag_records", topic=TOPICS.requests, partition="0") == 7
    assert value(observer, "oldest_unsettled_fact_seconds", partition="0") == 61.5
    assert value(observer, "calls_in_flight") == 3
    assert value(observer, "calls_in_flight_limit") == 64
    assert value(observer, "in_flight_events_limit") == 128
    assert value(observer, "in_flight_bytes_limit") == 1024
    assert value(observer, "partition_window_records") == 1000
    assert value(observer, "observing") == 1


def test_waits_rebalances_and_failed_commits_are_counted():
    observer = PrometheusObserver()
    observer.backed_off(Step.ATTACH, 1.5)
    observer.backed_off(Step.ATTACH, 0.5)
    observer.rebalanced()
    observer.commit_failed(LostWhy.TIMEOUT)
    assert value(observer, "backoff_seconds_total", step="attach") == 2.0
    assert value(observer, "rebalances_total") == 1
    assert value(observer, "commit_failures_total", why="timeout") == 1


@virtual
async def test_lag_counts_from_the_first_unsettled_record_and_the_oldest_fact_grows_old():
    world, lane = await make()
    world.api.plan("register", Unclear("timeout"))
    answered = asyncio.Event()

    async def resolve(doubt):
        await answered.wait()
        return await type(world.tools.reconciler)().resolve(doubt)

    world.tools.reconciler.resolve = resolve
    lane.offer([make_record(0), make_record(1)])
    await asyncio.sleep(90.0)
    consumer = SimpleNamespace(problem=None, high_watermarks=lambda: {REQUESTS: 5}, fetch_age=lambda now: 0.25)
    partitions = SimpleNamespace(lanes=lambda: [lane], served=lambda: {0: True}, lost=dict)
    status = Status(consumer, partitions, world.gate, world.clock)
    found = status.intake()
    assert (found.member, found.fetch_age_seconds, found.served) == (True, 0.25, {0: True})
    assert found.lags == {REQUESTS: 5}
    assert 89 < found.facts[0] < 91

    answered.set()
    await settled(lane)
    found = status.intake()
    assert found.lags == {REQUESTS: 3}
    assert found.facts == {0: 0.0}


@virtual
async def test_a_commit_that_fails_says_why():
    for plan, why in ((Lost(LostWhy.FENCED, "x"), "fenced"), ("hang", "timeout")):
        fixture, told = Fixture(), Told()
        fixture.commits._observer = told
        told.commit_failed = (failed := []).append

        async def commit(plan=plan):
            if plan == "hang":
                await asyncio.sleep(1e6)
            return plan

        fixture.producer.commit = commit
        assert isinstance(await fixture.commits.commit([fixture.settlement(0)]), Lost)
        assert failed == [why]
