"""Alerts: promtool accepts them, each fires when it must and is silent when not, each has a runbook that helps."""

import re
from dataclasses import replace
from pathlib import Path

import promql_parser
import pytest
import yaml

from helm.monitoring.alert import Alert, Pace
from helm.monitoring.files import FILES, alert_files, alert_groups, generated
from tests.ops.alerts import money_cases, runtime_cases, service_cases
from tests.ops.alerts.case import trial
from tests.ops.promtool import promtool
from worker.model import Partition
from worker.settings.model import NAMES
from worker.telemetry.catalogue import CATALOGUE
from worker.telemetry.intake import IntakeGauges, Limits
from worker.telemetry.metrics import PartitionGauges, PrometheusObserver

pytestmark = pytest.mark.prometheus


ROOT = Path(__file__).parents[2]
ALERTS = {alert.name: alert for groups in alert_groups(Pace()).values() for group in groups for alert in group.alerts}
CASES = [*service_cases.cases(), *money_cases.cases(), *runtime_cases.cases()]
RULES = sorted((FILES / "alerts").glob("*.yaml"))


def test_files_are_up_to_date() -> None:
    for path, text in generated().items():
        assert path.is_file(), f"{path}: run make ops"
        assert path.read_text(encoding="utf-8") == text, f"{path}: run make ops"
    known = set(generated())
    assert not [
        path for path in FILES.glob("*/*") if path.parent.name in ("alerts", "dashboards") and path not in known
    ]


def test_promtool_accepts_the_rules() -> None:
    promtool("check", "rules", *RULES)


def test_promtool_accepts_the_fast_variant(tmp_path: Path) -> None:
    for name, text in alert_files(Pace(60.0)).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    promtool("check", "rules", *sorted(tmp_path.iterdir()))


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_an_alert_fires_when_it_must_and_is_silent_when_not(alert: Alert, tmp_path: Path) -> None:
    cases = [case for case in CASES if case.name == alert.name]
    assert {bool(case.fires) for case in cases} == {True, False}, "write one that fires, one that is silent"
    path = tmp_path / "cases.yaml"
    path.write_text(yaml.safe_dump(trial([str(rule) for rule in RULES], cases)), encoding="utf-8")
    promtool("test", "rules", path)


def test_a_trial_finds_what_is_wrong(tmp_path: Path) -> None:
    [fires, silent] = [case for case in CASES if case.name == "InvoiceWorkerPossibleDoubleRegister"]
    for wrong in (replace(fires, fires=()), replace(silent, fires=fires.fires)):
        path = tmp_path / "cases.yaml"
        path.write_text(yaml.safe_dump(trial([str(rule) for rule in RULES], [wrong])), encoding="utf-8")
        with pytest.raises(AssertionError, match="FAILED"):
            promtool("test", "rules", path)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_an_alert_says_what_and_where(alert: Alert) -> None:
    promql_parser.parse(alert.expression)
    assert alert.severity in ("critical", "warning")
    assert not alert.summary.endswith(".")
    assert alert.description.endswith(".")
    grouped = set(re.findall(r"\$labels\.(\w+)", alert.summary + alert.description))
    by = re.search(r"by \(([^)]*)\)", alert.expression)
    assert grouped <= set(by[1].split(", ") if by else []), "a label that the expression does not keep"


@pytest.mark.parametrize("page", sorted({alert.page for alert in ALERTS.values()}))
def test_a_runbook_helps(page: str) -> None:
    path = ROOT / "docs" / "runbooks" / f"{page}.md"
    assert path.is_file(), "every alert needs its runbook"
    text = path.read_text(encoding="utf-8")
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert sections == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
    for alert in ALERTS.values():
        assert (alert.name in text) or alert.page != page
    assert "worker " in text or "curl " in text, "a command of ours to begin with"


def test_the_list_of_runbooks_says_what_may_be_changed() -> None:
    text = (ROOT / "docs" / "runbooks" / "README.md").read_text(encoding="utf-8")
    rows = {
        row[0].strip("`"): row
        for row in (
            [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")
        )
    }
    assert rows.pop("InvoiceWorkerMoneyAtRisk")[3] == "`alerts.moneyLimits`", (
        "in no file, only where the chart has limits"
    )
    assert rows.keys() == ALERTS.keys()
    for name, (_, severity, waits, threshold, link) in rows.items():
        alert = ALERTS[name]
        assert severity == alert.severity
        assert waits == alert.rule(Pace()).get("for", "")
        assert link.endswith(f"({alert.page}.md)")
        if alert.threshold is not None:
            assert threshold.split()[0] == f"{alert.threshold:g}"
        else:
            assert threshold == ("objective" if alert.objective else "")


def test_no_runbook_is_left_over() -> None:
    pages = {alert.page for alert in ALERTS.values()}
    assert {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} == pages | {"README"}


def test_promtool_finds_nothing_wrong_with_the_metrics() -> None:
    observer = PrometheusObserver()
    observer.gauges(lambda: [PartitionGauges(0)])
    partition = Partition("invoice.requests", 0)
    observer.intake(lambda: IntakeGauges(True, 0.0, {0: True}, {}, {partition: 0}, {0: 0.0}), Limits(1, 1, 1))
    body, _ = observer.expose("text/plain")
    promtool("check", "metrics", text=body.decode())


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "runbooks").glob("*.md")), ids=lambda page: page.stem)
def test_links_of_runbooks_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve()
        assert path.is_file(), target
        assert not anchor or anchor in anchors(path), target


def test_runbooks_name_settings_and_metrics_that_exist() -> None:
    pages = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = set(re.findall(r"\b(?:KAFKA|KRAVIA|TOPIC|WORKER|DOCUMENT)_[A-Z_]+[A-Z]\b", text))
    prefixes = {"KAFKA_SASL", "KAFKA_SSL"}
    assert named - prefixes <= {name.upper() for name in NAMES}
    metrics = {metric.name for metric in CATALOGUE}
    assert {re.sub(r"_(count|bucket|sum)$", "", name) for name in re.findall(r"invoice_worker_\w+", text)} <= metrics
