"""Dashboards: up to date, every query names only what the worker exports, every panel explains itself."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest

from helm.monitoring.alert import Pace
from helm.monitoring.files import FILES, alert_groups, dashboards
from helm.monitoring.kafka import PROCESS
from helm.monitoring.panel import Unit
from helm.monitoring.promql import SCRAPED, series
from tests.ops.grafana import faults
from tests.ops.queries import plain
from worker.telemetry.catalogue import CATALOGUE, EVENT_AGE, GATE, SETTLED, Kind

METRICS = {metric.name: metric for metric in CATALOGUE}
BOARDS = {dashboard.uid: dashboard.json() for dashboard in dashboards()}
PANELS = [
    pytest.param(uid, panel, id=f"{uid}-{panel['title']}")
    for uid, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]
QUERIES = [
    target["expr"] for board in BOARDS.values() for panel in board["panels"] for target in panel.get("targets", ())
]
ALERTS = [alert.expression for groups in alert_groups(Pace()).values() for group in groups for alert in group.alerts]


def selectors(expression: str) -> Iterator[promql_parser.VectorSelector]:
    """Every selector in a query."""
    found: list[promql_parser.VectorSelector] = []

    def see(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(plain(expression)), see)
    yield from found


@pytest.mark.parametrize("query", [*QUERIES, *ALERTS])
def test_a_query_names_only_what_the_worker_exports(query: str) -> None:
    for selector in selectors(query):
        name = selector.name
        assert name is not None
        if name in PROCESS:
            continue
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        metric = METRICS.get(name) or METRICS[base]
        assert (metric.kind is Kind.HISTOGRAM) == (name != metric.name)
        labels = {label.name: set(label.values) for label in metric.labels}
        for matcher in selector.matchers.matchers:
            if matcher.name in SCRAPED:
                continue
            assert matcher.name in labels, f"{name} has no label {matcher.name}"
            if labels[matcher.name]:
                assert set(matcher.value.split("|")) <= labels[matcher.name]


def test_every_metric_is_shown() -> None:
    shown = {selector.name or "" for query in QUERIES for selector in selectors(query)}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) if name not in METRICS else name for name in shown}
    assert set(METRICS) <= shown, "a metric that nobody looks at"


@pytest.mark.parametrize(("uid", "panel"), PANELS)
def test_graphs_of_a_histogram_show_the_exemplars_that_it_has(uid: str, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        names = {re.sub(r"_(bucket|sum|count)$", "", selector.name or "") for selector in selectors(target["expr"])}
        has = any(METRICS[name].exemplars for name in names & set(METRICS))
        graph = panel["type"] == "timeseries" and "histogram_quantile(" in target["expr"]
        assert target.get("exemplar", False) is (graph and has)


def test_each_histogram_with_exemplars_is_a_graph_that_shows_them() -> None:
    shown = {
        (selector.name or "").removesuffix("_bucket")
        for board in BOARDS.values()
        for panel in board["panels"]
        for target in panel.get("targets", ())
        if target.get("exemplar")
        for selector in selectors(target["expr"])
    }
    assert shown == {metric.name for metric in CATALOGUE if metric.exemplars and metric.kind is Kind.HISTOGRAM}


@pytest.mark.parametrize(("uid", "panel"), PANELS)
def test_a_panel_explains_itself(uid: str, panel: dict[str, Any]) -> None:
    assert panel["title"][0].isupper()
    assert len(panel["description"]) >= 8
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in set(Unit)
    assert panel["datasource"]["uid"] == "${datasource}"
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        assert re.search(r"\$(__rate_interval|__range)|\[(1h|5m)\]", target["expr"]) or "rate(" not in target["expr"]
        assert '"$namespace"' in target["expr"]
        assert '"$job"' in target["expr"]
    for link in panel.get("links", ()):
        assert link["url"].split("?")[0].removeprefix("/d/") in BOARDS


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_is_one_that_grafana_reads(uid: str) -> None:
    board = json.loads((FILES / "dashboards" / f"{uid}.json").read_text(encoding="utf-8"))
    assert board == BOARDS[uid], "run make ops"
    assert re.fullmatch(r"[a-z-]{1,40}", board["uid"]), "Grafana takes 40 characters"
    assert board["schemaVersion"] >= 36
    assert board["links"][0]["tags"] == board["tags"]
    panels = board["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies on another panel"
        taken |= cells
    assert [variable["name"] for variable in board["templating"]["list"]] == ["datasource", "namespace", "job"]


@pytest.mark.parametrize("uid", BOARDS)
def test_a_dashboard_fits_grafanas_own_schema(uid: str) -> None:
    assert faults(BOARDS[uid]) == []
    assert {panel["type"] for panel in BOARDS[uid]["panels"]} <= {"row", "stat", "timeseries"}


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("options", "legend", "displayMode"), "tabel", "'tabel' is none of"),
        (("options", "legnd"), {}, "options/legnd: unknown"),
        (("fieldConfig", "defaults", "custom", "lineWdth"), 1, "custom/lineWdth: unknown"),
        (("fieldConfig", "defaults", "custom", "fillOpacity"), "5", "'5' is no float"),
        (("targets", 0, "exp"), "up", "targets/0/exp: unknown"),
        (("targets", 0, "expr"), 7, "7 is no str"),
    ],
)
def test_what_does_not_fit_grafanas_schema_is_named(path: tuple[str | int, ...], value: object, fault: str) -> None:
    board = copy.deepcopy(BOARDS["invoice-worker"])
    place = next(panel for panel in board["panels"] if panel["type"] == "timeseries")
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    [found] = faults(board)
    assert fault in found


def test_what_the_worker_does_not_export_is_refused() -> None:
    with pytest.raises(ValueError, match="has no label"):
        series(GATE, step="register")
    with pytest.raises(ValueError, match="is never"):
        series(SETTLED, outcome="sheduled")
    with pytest.raises(ValueError, match="is never"):
        series(EVENT_AGE, "bucket", le="299.0")
    with pytest.raises(ValueError, match="part"):
        series(EVENT_AGE)
