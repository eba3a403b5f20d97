"""Exemplars: from a series to an event that it counted, in OpenMetrics only."""

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.unit.fakes_core import FakeKravia, World, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import virtual
from worker.answers import Unclear
from worker.exemplar import Exemplar, MeasuredFor, current
from worker.model import Coordinates, Step, TopicNames
from worker.spans import NO_TRACES
from worker.telemetry import catalogue as c
from worker.telemetry.exemplars import MOST, labels
from worker.telemetry.metrics import PrometheusObserver
from worker.telemetry.tracing import OtelTracer

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
"""What Prometheus asks for, in short."""
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"
EVENT = Coordinates("invoice.requests", 3, 1234)
PLACE = {"topic": "invoice.requests", "partition": "3", "offset": "1234"}


def exemplars(observer):
    """(metric, its labels) → the exemplar's labels."""
    body, content_type = observer.expose(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    return {
        (family.name.removeprefix(c.PREFIX), *(v for k, v in sorted(sample.labels.items()) if k != "le")): dict(
            sample.exemplar.labels
        )
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
        if sample.exemplar
    }


# The labels


def test_an_exemplar_says_where_the_record_stands_and_names_its_trace():
    assert labels(None) is None
    assert labels(Exemplar(EVENT)) == PLACE
    assert labels(Exemplar(EVENT, SAMPLED)) == PLACE | {"trace_id": TRACE, "span_id": SPAN}


@pytest.mark.parametrize("nowhere", [UNSAMPLED, f"00-{'0' * 32}-{SPAN}-01"])
def test_a_trace_that_nobody_records_is_not_named(nowhere: str):
    assert labels(Exemplar(EVENT, nowhere)) == PLACE


TOPIC = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", min_size=1, max_size=249)
HEX = "0123456789abcdef"
TRACEPARENT = st.builds(
    "{}-{}-{}-{}".format,
    st.text(HEX, min_size=2, max_size=2),
    st.text(HEX, min_size=32, max_size=32),
    st.text(HEX, min_size=16, max_size=16),
    st.text(HEX, min_size=2, max_size=2),
)


@given(TOPIC, st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1), st.none() | TRACEPARENT)
def test_an_exemplar_never_has_more_characters_than_openmetrics_allows(topic, partition, offset, traceparent):
    found = labels(Exemplar(Coordinates(topic, partition, offset), traceparent))
    assert sum(len(name) + len(value) for name, value in found.items()) <= MOST
    assert (found["partition"], found["offset"]) == (str(partition), str(offset))
    assert found.get("topic", topic) == topic, "whole or not at all"
    if traceparent is not None and int(traceparent[-2:], 16) % 2 and traceparent[3:35].strip("0"):
        assert found["trace_id"] == traceparent[3:35]


@pytest.mark.parametrize(
    ("length", "named"),
    [(16, {"topic", "trace_id", "span_id"}), (50, {"topic", "trace_id"}), (249, {"trace_id", "span_id"})],
)
def test_what_does_not_fit_is_left_out_the_least_needed_first(length: int, named: set[str]):
    found = labels(Exemplar(Coordinates("t" * length, 11, 123_456_789), SAMPLED))
    assert set(found) == named | {"partition", "offset"}


# Which metrics have them


def everything(observer):
    """Every method of the observer that counts something of an event, and some that do not."""
    observer.consumed("invoice.requests", 3)
    observer.settled(3, "scheduled", "", 0.3)
    observer.called("register", "2xx", 0.02)
    observer.retried(Step.ATTACH, "server_error")
    observer.backed_off(Step.ATTACH, 1.0)
    observer.fetched("ok", 12, 0.5)
    observer.committed(3, 7, 0.03)
    observer.commit_failed("timeout")
    observer.restored(3, 1.5, 100, 3)
    observer.resolved("adopted")
    observer.swept("complete", 20, 0.4)
    observer.trimmed(ok=True)
    observer.rebalanced()
    observer.ownership(3, "started")
    observer.gate("open", "")
    observer.warned("key_differs")


def test_the_catalogue_says_which_metrics_have_exemplars():
    observer = PrometheusObserver()
    with MeasuredFor(Exemplar(EVENT, SAMPLED)):
        everything(observer)
    found = exemplars(observer)
    listed = {m.name.removeprefix(c.PREFIX).removesuffix("_total") for m in c.CATALOGUE if m.exemplars}
    assert {key[0] for key in found} == listed
    assert all(one == PLACE | {"trace_id": TRACE, "span_id": SPAN} for one in found.values())
    assert all(metric.kind is not c.Kind.GAUGE for metric in c.CATALOGUE if metric.exemplars)


def test_a_series_names_the_first_event_since_the_former_scrape():
    observer = PrometheusObserver()

    def called(offset, seconds):
        with MeasuredFor(Exemplar(Coordinates("t", 0, offset))):
            observer.called("register", "2xx", seconds)

    for offset, seconds in ((1, 0.02), (2, 0.02), (3, 25.0)):
        called(offset, seconds)
    assert exemplars(observer)["calls", "2xx", "register"]["offset"] == "1"
    called(4, 0.02)
    called(5, 0.025)
    body = observer.expose(OPENMETRICS)[0].decode()
    named = dict(re.findall(r'call_seconds_bucket{le="([^"]+)",step="register"} \S+ # {offset="(\d+)"', body))
    assert named == {"0.025": "4", "30.0": "3"}, "each bucket for itself; what came no more stays"


def test_what_is_measured_for_no_event_has_none():
    observer = PrometheusObserver()
    everything(observer)
    assert exemplars(observer) == {}
    with MeasuredFor(Exemplar(EVENT)), MeasuredFor(None):
        everything(observer)
    assert exemplars(observer) == {}
    assert current() is None


def test_prometheus_text_has_none():
    with_, without = PrometheusObserver(), PrometheusObserver()
    everything(without)
    with MeasuredFor(Exemplar(EVENT, SAMPLED)):
        everything(with_)

    def ours(observer):
        lines = observer.expose("text/plain;version=0.0.4")[0].decode().splitlines()
        return [line for line in lines if line.startswith(c.PREFIX) and "_created" not in line]

    assert ours(with_) == ours(without)


def test_a_topic_with_a_long_name_does_not_break_the_scrape():
    observer = PrometheusObserver(TopicNames(requests="t" * 249))
    with MeasuredFor(Exemplar(Coordinates("t" * 249, 3, 1234), SAMPLED)):
        everything(observer)
    assert "topic" not in exemplars(observer)["call_seconds", "register"]


# From the record to the exemplar


class CountedKravia(FakeKravia):
    """Tells of its calls as the real client does."""

    def __init__(self, observer):
        super().__init__()
        self._observer = observer

    async def _answer(self, step, good, *said):
        answer = await super()._answer(step, good, *said)
        self._observer.called(step, "2xx", 0.01)
        return answer


async def after(*records, plan=(), tracer=NO_TRACES):
    """The exemplars when these records are settled."""
    world = World(tracer=tracer)
    observer = world.watcher = PrometheusObserver()
    world.api = CountedKravia(observer)
    world.ports = dataclasses.replace(world.ports, observer=observer)
    world.tools = dataclasses.replace(world.tools, api=world.api, observer=observer)
    for step, *answers in plan:
        world.api.plan(step, *answers)
    world, lane = await make(world)
    lane.offer(records)
    await settled(lane)
    await lane.close()
    assert current() is None, "it ends with the event's task"
    return exemplars(observer)


def traced(offset, invoice_no="20001", traceparent=SAMPLED):
    return make_record(offset, invoice_no, headers=(("traceparent", traceparent.encode()),))


def position(offset):
    return {"topic": "invoice.requests", "partition": "0", "offset": str(offset)}


@virtual
async def test_every_series_of_an_event_leads_to_its_record():
    found = await after(make_record(0), plan=[("start", Unclear("server_error", 500))])
    assert set(found) >= {
        ("event_age_seconds", "scheduled"),
        ("settled", "scheduled", "none"),
        ("call_seconds", "register"),
        ("calls", "2xx", "start"),
        ("retries", "start", "server_error"),
        ("commit_seconds",),
    }
    assert all(one == position(0) for one in found.values())


@virtual
async def test_events_side_by_side_are_told_apart():
    found = await after(make_record(0), make_record(1, "20002", debtorName=None), make_record(2, "20003"))
    assert found["settled", "rejected", "validation"] == position(1)
    assert found["settled", "scheduled", "none"] in (position(0), position(2))


@virtual
async def test_without_tracing_the_producers_trace_is_named_where_it_is_recorded():
    found = await after(traced(0))
    assert found["settled", "scheduled", "none"] == position(0) | {"trace_id": TRACE, "span_id": SPAN}
    found = await after(traced(0, traceparent=UNSAMPLED))
    assert found["settled", "scheduled", "none"] == position(0)


@virtual
async def test_with_tracing_the_exemplar_names_our_span_in_the_producers_trace():
    found = await after(traced(0), tracer=OtelTracer(TracerProvider(), group="group", server="api.example.com"))
    one = found["event_age_seconds", "scheduled"]
    assert one["trace_id"] == TRACE
    assert one["span_id"] != SPAN
    assert found["commit_seconds",] == one


@virtual
async def test_a_trace_that_our_sampler_drops_is_not_named():
    tracer = OtelTracer(TracerProvider(sampler=ALWAYS_OFF), group="group", server="api.example.com")
    found = await after(make_record(0), tracer=tracer)
    assert found["event_age_seconds", "scheduled"] == position(0)
