"""Exemplars: from a series to an event that it counted, in OpenMetrics only."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_exemplars import EVENT, OPENMETRICS, PLACE, SAMPLED, SPAN, TRACE, UNSAMPLED, exemplars
from worker.exemplar import Exemplar, MeasuredFor, current
from worker.model import Coordinates, Step, TopicNames
from worker.telemetry import catalogue as c
from worker.telemetry.exemplars import MOST, labels
from worker.telemetry.metrics import PrometheusObserver

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
