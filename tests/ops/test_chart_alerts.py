"""Alerts and dashboards as the chart installs them: the shipped ones, with the values of the site in them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from helm.monitoring.files import FILES, alerts
from tests.ops import charts
from tests.ops.alerts.case import Case, sample, trial
from tests.ops.charts import MINIMAL, Values, changed
from tests.ops.promtool import promtool

ON = changed(MINIMAL, alerts__enabled=True)
DASHBOARDS = changed(MINIMAL, dashboards__enabled=True)
RUNBOOKS = "https://wiki.example/invoice-worker/runbooks"


def _groups(values: Values) -> list[dict[str, Any]]:
    return [
        group for each in charts.render(values) if each["kind"] == "PrometheusRule" for group in each["spec"]["groups"]
    ]


def _rules(values: Values) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in _groups(values) for rule in group["rules"]}


def _boards(values: Values) -> dict[str, dict[str, Any]]:
    return {
        name: json.loads(text)
        for each in charts.render(values)
        if each["kind"] == "ConfigMap" and "grafana_dashboard" in each["metadata"]["labels"]
        for name, text in each["data"].items()
    }


DEFAULT = _rules(ON)


def test_without_values_the_alerts_are_the_shipped_files_word_for_word() -> None:
    shipped = [
        group
        for path in sorted((FILES / "alerts").glob("*.yaml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    ]
    assert _groups(ON) == shipped


def test_an_alert_may_be_switched_off_and_its_neighbours_stay() -> None:
    off = changed(ON, alerts__rules={"InvoiceWorkerObserving": {"enabled": False}})
    assert set(_rules(ON)) - set(_rules(off)) == {"InvoiceWorkerObserving"}
    every = {alert.name: {"enabled": False} for alert in alerts()}
    assert _rules(changed(ON, alerts__rules=every)) == {}
    del every["InvoiceWorkerAbsent"]
    (group,) = _groups(changed(ON, alerts__rules=every))
    assert group["name"] == "invoice-worker-process", "groups without rules, which Prometheus refuses, are left out"


def test_without_limits_there_is_no_alert_for_money() -> None:
    assert "InvoiceWorkerMoneyAtRisk" not in DEFAULT
    only = changed(charts.example("alerts"), alerts__rules={"InvoiceWorkerMoneyWaits": {"enabled": False}})
    rule = _rules(only)["InvoiceWorkerMoneyAtRisk"]
    assert 'label_replace(vector(500000), "currency", "NOK", "", "")' in rule["expr"]
    assert 'label_replace(vector(50000.5), "currency", "EUR", "", "")' in rule["expr"]
    assert rule["labels"]["team"] == "billing"
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}/money-waits.md"


def test_severity_wait_labels_and_annotations_fit_the_sites_routes() -> None:
    rules = _rules(charts.example("alerts"))
    letters, doubt, absent = (rules[f"InvoiceWorker{name}"] for name in ("DeadLetters", "DoubtOld", "Absent"))
    assert letters["labels"] == {"severity": "info", "team": "billing"}
    assert letters["for"] == "10m"
    assert doubt["labels"] == {"severity": "warning", "team": "billing", "shift": "day"}
    assert absent["labels"] == {"severity": "critical", "team": "billing"}
    assert {rule["annotations"]["dashboard"] for rule in rules.values()} == {"https://grafana.example/d/invoice-worker"}


@pytest.mark.parametrize("end", ["", "/"])
def test_a_pager_gets_a_link_to_click(end: str) -> None:
    rules = _rules(changed(ON, alerts__runbookUrl=RUNBOOKS + end))
    assert rules["InvoiceWorkerAbsent"]["annotations"]["runbook_url"] == f"{RUNBOOKS}/absent.md"
    pages = {rule["annotations"]["runbook_url"].removeprefix(f"{RUNBOOKS}/") for rule in rules.values()}
    assert all((charts.ROOT / "docs" / "runbooks" / page).is_file() for page in pages)
    assert "runbookUrl is not set" in charts.texts(ON)["NOTES.txt"]
    assert "runbookUrl is not set" not in charts.texts(changed(ON, alerts__runbookUrl=RUNBOOKS))["NOTES.txt"]


@pytest.mark.parametrize("alert", [alert for alert in alerts() if alert.threshold is not None], ids=lambda a: a.name)
def test_a_threshold_is_the_only_thing_that_changes(alert: Any) -> None:
    other = alert.choices[0] if alert.choices else 7200 if alert.threshold > 1 else 0.75
    rules, before = _rules(changed(ON, alerts__rules={alert.name: {"threshold": other}})), dict(DEFAULT)
    changed_to = rules.pop(alert.name)
    was = before.pop(alert.name)
    assert rules == before
    assert changed_to["expr"] == alert.template.replace("@threshold@", f"{other:g}") != was["expr"]
    assert "@" not in changed_to["annotations"]["description"]


def test_objectives_are_in_every_burn_rate_alert() -> None:
    rules = _rules(changed(ON, objectives={"success": 0.995, "age": 0.9, "ageLimitSeconds": 600}))
    for name in ("Fast", "Medium", "Slow"):
        failed, age = rules[f"InvoiceWorkerFailedBurn{name}"], rules[f"InvoiceWorkerAgeBurn{name}"]
        assert failed["expr"].count("* (1 - 0.995)") == 2
        assert age["expr"].count("* (1 - 0.9)") == 2
        assert age["expr"].count('le="600.0"') == 3
        assert "Objective: 99.5 % of records do not end as failed." in failed["annotations"]["description"]
        assert "90 % of events have their outcome within 600 s." in age["annotations"]["description"]
        assert "0.99)" not in failed["expr"] + age["expr"]


@pytest.mark.prometheus
def test_prometheus_takes_the_changed_rules_and_they_fire_by_the_sites_values(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": _groups(charts.example("alerts"))}), encoding="utf-8")
    promtool("check", "rules", path)
    doubt, partition = "InvoiceWorkerDoubtOld", {"job": "worker", "partition": "3"}
    hours = dict([sample("oldest_doubt_seconds", "0+60x300", partition="3")])
    cases = [
        Case(doubt, "two hours and a half", hours, 150, (partition,)),
        Case(doubt, "an hour, which is enough by default", hours, 60),
    ]
    money = "InvoiceWorkerMoneyAtRisk"
    owed = dict(
        [
            sample("money_at_risk", "300000x60", state="dead", currency="NOK"),
            sample("money_at_risk", "300000x60", state="in_doubt", currency="NOK"),
            sample("money_at_risk", "900000x60", state="behind_gate", currency="EUR"),
            sample("money_at_risk", "50000x60", state="dead", currency="EUR"),
            sample("money_at_risk", "900000x60", state="dead", currency="SEK"),
        ]
    )
    cases += [
        Case(money, "both states in one currency", owed, 20, ({"job": "worker"},)),
        Case(money, "at the limit", dict([sample("money_at_risk", "50000.5x60", state="dead", currency="EUR")]), 20),
    ]
    tests = tmp_path / "tests.yaml"
    tests.write_text(yaml.safe_dump(trial([str(path)], cases)), encoding="utf-8")
    promtool("test", "rules", tests)


def test_dashboards_show_the_sites_objectives() -> None:
    for board in _boards(charts.example("alerts")).values():
        constants = {v["name"]: v["query"] for v in board["templating"]["list"] if v["type"] == "constant"}
        assert constants == {"goal_success": "0.995", "goal_age": "0.99", "age_limit": "600", "runbooks": RUNBOOKS}


def test_dashboards_link_to_runbooks_where_somebody_said_where_they_are() -> None:
    def links(values: Values) -> list[str]:
        return [
            link["title"]
            for board in _boards(values).values()
            for panel in board["panels"]
            for link in panel.get("links", ())
        ]

    without, with_ = links(DASHBOARDS), links(changed(DASHBOARDS, alerts__runbookUrl=RUNBOOKS))
    assert set(without) == {"More"}
    assert set(with_) == {"More", "Runbook"}
    assert with_.count("More") == len(without)


def test_dashboards_are_else_the_shipped_files() -> None:
    boards = _boards(changed(DASHBOARDS, alerts__runbookUrl=RUNBOOKS))
    assert boards.keys() == {path.name for path in (FILES / "dashboards").glob("*.json")}
    for name, board in boards.items():
        shipped = (FILES / "dashboards" / name).read_text(encoding="utf-8")
        assert board == json.loads(shipped.replace('"docs/runbooks"', f'"{RUNBOOKS}"'))
