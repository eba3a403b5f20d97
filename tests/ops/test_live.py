"""The worker in trouble under a real Prometheus: dashboards show it, the right alerts fire, and no others."""

import math
from pathlib import Path

import pytest

from helm.monitoring.files import dashboards
from tests.brokers.base import Broker
from tests.ops.course import TRACE, Course
from tests.ops.promtool import promtool
from tests.ops.queries import plain
from worker.model import TopicNames
from worker.telemetry.catalogue import CATALOGUE, FETCH_SECONDS, SETTLED, Kind

pytestmark = pytest.mark.prometheus


FIRES = {
    "InvoiceWorkerAbsent",
    "InvoiceWorkerAgeBurnFast",
    "InvoiceWorkerAgeBurnMedium",
    "InvoiceWorkerAgeBurnSlow",
    "InvoiceWorkerDeadLetters",
    "InvoiceWorkerDoubtLeftToPerson",
    "InvoiceWorkerFailedBurnFast",
    "InvoiceWorkerFailedBurnMedium",
    "InvoiceWorkerFailedBurnSlow",
    "InvoiceWorkerGateClosed",
    "InvoiceWorkerKafkaUnreachable",
    "InvoiceWorkerNothingOwned",
    "InvoiceWorkerOldestEvent",
    "InvoiceWorkerPartitionStuck",
    "InvoiceWorkerTokenRejected",
}

MAY_FIRE = {
    "InvoiceWorkerCommitFailures",
    "InvoiceWorkerDoubtOld",
    "InvoiceWorkerNotInGroup",
    "InvoiceWorkerOwnershipLost",
    "InvoiceWorkerTrimFailing",
}
"""Once Kafka is away, and only then: what was due or under way just then, a trim or a register, is nobody's choice."""


MAY_TAKE_LONG = {
    # A refused call's fact waits behind the closed gate for the alerts about that: more than an hour.
    "InvoiceWorkerOldestFact",
    # The killed worker joins again: more than five minutes.
    "InvoiceWorkerNotInGroup",
}
"""On a slow machine, where a minute of theirs is a second: then it is so, and they are right."""


async def test_dashboards_and_alerts_tell_what_happens(tmp_path: Path, own_broker: Broker) -> None:
    async with Course(tmp_path, own_broker) as course:
        await course.run()
        prometheus = course.prometheus
        promtool("check", "metrics", text=course.metrics)
        empty = [
            f"{dashboard.uid}: {panel.title}: {query.expression}"
            for dashboard in dashboards()
            for row in dashboard.rows
            for panel in row.panels
            for query in panel.queries
            if not any(map(math.isfinite, await prometheus.values(plain(query.expression))))
        ]
        assert empty == []
        unasked = [alert for name, alert in course.before_kafka_left.items() if name not in FIRES | MAY_TAKE_LONG]
        assert unasked == []
        assert set(prometheus.fired) - MAY_FIRE - MAY_TAKE_LONG == FIRES
        for name, alert in prometheus.fired.items():
            for text in alert["annotations"].values():
                assert "<no value>" not in text, name
                assert "<error" not in text, name
        await exemplars_lead_to_events(course)


async def exemplars_lead_to_events(course: Course) -> None:
    """From a series to one event: by its trace where it has one, by its record in any case."""
    listed = {metric.name for metric in CATALOGUE if metric.exemplars}
    found = [
        (series, exemplar)
        for metric in CATALOGUE
        if metric.exemplars
        for series, exemplar in await course.prometheus.exemplars(
            f"{metric.name}_bucket" if metric.kind is Kind.HISTOGRAM else metric.name
        )
    ]
    assert {series["__name__"].removesuffix("_bucket") for series, _ in found} == listed
    assert {exemplar["topic"] for _, exemplar in found} == {TopicNames().requests}
    fetched = {one.get("trace_id") for series, one in found if series["__name__"].startswith(FETCH_SECONDS.name)}
    assert fetched == {TRACE}
    [(_, doubtful), *_] = await course.prometheus.exemplars(f'{SETTLED.name}{{reason="in_doubt"}}')
    story = await course.why("{topic}/{partition}/{offset}".format(**doubtful))
    assert story["where"] == "in_doubt"
