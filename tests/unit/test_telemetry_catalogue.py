"""The catalogue: what is exported is what it lists, its names follow the conventions, the page is made from it."""

import ast
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.scraped import samples
from worker.model import Reason, Refusal
from worker.ports import LostWhy
from worker.telemetry import catalogue as c
from worker.telemetry.labels import ENDINGS, OUTCOMES, OWNERSHIP, WARNINGS
from worker.telemetry.metrics import PartitionGauges, PrometheusObserver
from worker.telemetry.reference import render

ROOT = Path(__file__).parents[2]


def test_every_closed_series_starts_at_zero():
    found = samples(PrometheusObserver())
    for metric in c.CATALOGUE:
        if metric.kind is not c.Kind.COUNTER:
            continue
        for labels in metric.combinations():
            assert found[metric.name, frozenset(zip(metric.label_names, labels, strict=True))] == 0
    for outcome in OUTCOMES.values:
        assert found[c.EVENT_AGE.name + "_count", frozenset({("outcome", outcome)})] == 0


def test_catalogue_and_exposition_name_the_same_metrics():
    observer = PrometheusObserver()
    observer.gauges(lambda: [PartitionGauges(0)])
    body, _ = observer.expose("")
    exposed = {
        family.name: family
        for family in text_string_to_metric_families(body.decode())
        if family.name.startswith(c.PREFIX) and not family.name.endswith("_created")
    }
    assert set(exposed) == {metric.name.removesuffix("_total") for metric in c.CATALOGUE}
    for metric in c.CATALOGUE:
        family = exposed[metric.name.removesuffix("_total")]
        assert (family.type, family.documentation) == (metric.kind, metric.meaning)


@pytest.mark.parametrize("metric", c.CATALOGUE, ids=lambda metric: metric.name)
def test_names_follow_the_conventions(metric: c.Metric):
    assert metric.name.startswith(c.PREFIX)
    assert (metric.kind is c.Kind.COUNTER) == metric.name.endswith("_total")
    assert (metric.kind is c.Kind.HISTOGRAM) == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))
    if metric.kind is c.Kind.HISTOGRAM:
        assert metric.name.endswith("_seconds")
    assert not {"id", "identity", "creditor", "invoice"} & set(metric.label_names)
    assert metric.meaning.endswith(".")


def test_closed_unions_are_covered():
    reasons = {pair for pair in ENDINGS if pair[0] == "failed"}
    assert reasons == {("failed", reason) for reason in Reason}
    assert {pair for pair in ENDINGS if pair[0] == "rejected"} == {("rejected", reason) for reason in Refusal}
    assert set(LostWhy) <= set(OWNERSHIP.values)


def test_every_warning_that_the_worker_gives_is_in_the_catalogue():
    given = {
        call.args[0].value
        for path in (ROOT / "worker").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "warned"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert given <= set(WARNINGS.values), "name the code and its meaning in worker/telemetry/labels.py"


def test_the_page_is_in_sync():
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert page == render(), "run: python -m worker.telemetry.reference > docs/reference/metrics.md"
