"""Every example of the chart renders to objects that Kubernetes and the operators take."""

import shutil
from collections import Counter
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from helm.package import findings
from tests.ops import charts
from tests.ops.crds import SPECS

EVERY_EXAMPLE = pytest.mark.parametrize("path", charts.EXAMPLES, ids=lambda path: path.name)
OLDEST, NEWEST = "1.27", kubernetes_validate.latest_version()


@EVERY_EXAMPLE
def test_lint_finds_nothing(path: Path) -> None:
    assert findings(charts.values_of(path)) == []


@EVERY_EXAMPLE
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_takes_every_object(path: Path, version: str) -> None:
    for each in charts.render(charts.values_of(path)):
        if schema := SPECS.get((each["apiVersion"], each["kind"])):
            jsonschema.Draft202012Validator(schema).validate(each["spec"])
            assert set(each) == {"apiVersion", "kind", "metadata", "spec"}
        else:
            kubernetes_validate.validate(each, version, strict=True)


@EVERY_EXAMPLE
def test_objects_have_names_and_labels_of_their_own(path: Path) -> None:
    objects = charts.render(charts.values_of(path))
    assert max(Counter((each["kind"], each["metadata"]["name"]) for each in objects).values()) == 1
    for each in objects:
        assert len(each["metadata"]["name"]) <= 63
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/instance"] == "inv"
        assert "namespace" not in each["metadata"], "the release's namespace is Helm's business"


def test_the_examples_need_every_template() -> None:
    rendered = {
        file for path in charts.EXAMPLES for file, text in charts.texts(charts.values_of(path)).items() if text.strip()
    }
    # Rules and dashboards render what other files hold; their tests bring files of their own.
    assert rendered >= {
        template.name
        for template in (charts.CHART / "templates").iterdir()
        if not template.name.startswith("_") and template.name not in ("prometheusrule.yaml", "dashboards.yaml")
    }


@pytest.mark.parametrize(
    "path",
    [charts.CHART / "values.yaml", charts.CHART / "Chart.yaml", *charts.EXAMPLES],
    ids=lambda path: path.name,
)
def test_yaml_is_tidy(path: Path) -> None:
    config = YamlLintConfig(
        "{extends: default, rules: {document-start: disable, line-length: {max: 120},"
        " comments: {min-spaces-from-content: 1}, comments-indentation: disable}}"
    )
    assert [str(problem) for problem in linter.run(path.read_text(encoding="utf-8"), config)] == []


def _chart_with(tmp_path: Path, folder: str, name: str, text: str) -> Path:
    chart = tmp_path / "chart"
    shutil.copytree(charts.CHART, chart, ignore=shutil.ignore_patterns("alerts", "dashboards"))
    (chart / "files" / folder).mkdir(parents=True)
    (chart / "files" / folder / name).write_text(text, encoding="utf-8")
    return chart


def test_a_file_of_alerts_becomes_a_rule_object_word_for_word(tmp_path: Path) -> None:
    rule = {
        "alert": "Late",
        "expr": "invoice_worker_oldest_unfinished_seconds > 900",
        "for": "5m",
        "annotations": {"summary": "{{ $labels.partition }} waits {{ $value | humanizeDuration }}"},
    }
    groups = [{"name": "invoice-worker", "rules": [rule]}]
    chart = _chart_with(tmp_path, "alerts", "event_age.yaml", yaml.safe_dump({"groups": groups}))
    found = charts.one(charts.render(charts.example("monitoring"), chart=chart), "PrometheusRule")
    assert found["spec"]["groups"] == groups
    assert found["metadata"]["name"] == "inv-kravia-invoice-worker-event-age"
    assert found["metadata"]["labels"]["release"] == "prometheus"
    jsonschema.Draft202012Validator(SPECS["monitoring.coreos.com/v1", "PrometheusRule"]).validate(found["spec"])
    off = charts.changed(charts.example("monitoring"), alerts__enabled=False)
    assert "PrometheusRule" not in {each["kind"] for each in charts.render(off, chart=chart)}


def test_a_file_without_groups_of_alerts_fails_by_its_name(tmp_path: Path) -> None:
    chart = _chart_with(tmp_path, "alerts", "broken.yaml", "rules: []\n")
    with pytest.raises(Exception, match=r"files/alerts/broken\.yaml holds no groups of rules"):
        charts.render(charts.example("monitoring"), chart=chart)


def test_a_dashboard_becomes_a_config_map_that_the_sidecar_finds(tmp_path: Path) -> None:
    text = '{\n  "title": "Invoices",\n  "legend": "{{partition}}",\n  "unit": "\\u20ac"\n}'
    chart = _chart_with(tmp_path, "dashboards", "invoice-worker.json", text)
    objects = charts.render(charts.example("monitoring"), chart=chart)
    (found,) = [each for each in objects if "grafana_dashboard" in each["metadata"]["labels"]]
    assert found["data"] == {"invoice-worker.json": text}
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["annotations"] == {"grafana_folder": "Invoices"}
    kubernetes_validate.validate(found, NEWEST, strict=True)


def test_without_files_nothing_is_rendered(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    shutil.copytree(charts.CHART, chart, ignore=shutil.ignore_patterns("alerts", "dashboards"))
    kinds = Counter(each["kind"] for each in charts.render(charts.example("monitoring"), chart=chart))
    assert kinds["PrometheusRule"] == 0
    assert kinds["ConfigMap"] == 1
