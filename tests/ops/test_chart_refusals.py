"""What is unsafe or contradicts itself fails at render time, and says what to do."""

import functools
import json
import re
from typing import Any

import helm_python
import pytest

from helm import generate
from tests.ops import charts
from tests.ops.charts import Values, changed
from tests.ops.refusals import KEDA, OBJECTS, SCHEMA, SETTINGS

REFUSED = (*SETTINGS, *OBJECTS)


@functools.cache
def _refused(number: int) -> str:
    """What is said about the values of `REFUSED`."""
    with pytest.raises(helm_python.HelmRenderError) as raised:
        charts.render(REFUSED[number][0])
    return str(raised.value)


@pytest.mark.parametrize("number", range(len(REFUSED)), ids=[says[:60] for _, says in REFUSED])
def test_it_fails_and_says_what_to_do(number: int) -> None:
    assert REFUSED[number][1] in _refused(number)


def test_every_refusal_of_the_templates_is_tried() -> None:
    templates = "".join(
        path.read_text(encoding="utf-8") for path in (charts.CHART / "templates").glob("_validate*.tpl")
    )
    formats = [
        json.loads(f'"{text}"') for text in re.findall(r'append \$wrong \(?(?:printf )?"((?:[^"\\]|\\.)*)"', templates)
    ]
    assert len(formats) == len(re.findall(r"append \$wrong", templates))
    said = [_refused(number) for number in range(len(REFUSED))]
    for text in formats:
        pattern = re.compile(re.sub(r"%\w", ".*", re.escape(text)))
        assert any(pattern.search(message) for message in said), f"nothing tries: {text}"


def test_everything_that_is_wrong_is_said_at_once() -> None:
    values = changed(KEDA, keda__maxReplicas=13, terminationGracePeriodSeconds=10, settings__WORKER_ALLOW_FAULTS=True)
    with pytest.raises(helm_python.HelmRenderError) as raised:
        charts.render(values)
    assert len(re.findall(r"^- ", str(raised.value), re.MULTILINE)) == 3


@pytest.mark.parametrize(("values", "says"), SCHEMA)
def test_the_schema_refuses_typos_and_what_the_worker_would_refuse(values: Values, says: str) -> None:
    with pytest.raises(helm_python.HelmError, match=re.escape(says)):
        charts.render(values)


def _objects(schema: Any, path: str = "") -> Any:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield path, schema
        for name, inner in schema.items():
            yield from _objects(inner, f"{path}/{name}")
    elif isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from _objects(inner, f"{path}/{number}")


def test_every_object_of_the_schema_is_closed() -> None:
    schema = json.loads(generate.SCHEMA.read_text(encoding="utf-8"))
    # Kubernetes' own types: the objects that they end up in are validated by Kubernetes.
    foreign = {"global", "nodeAffinity", "podAffinity", "podAntiAffinity", "namespaceSelector", "podSelector"}
    foreign |= {"valueFrom", "configMap", "secret", "projected", "csi", "emptyDir"}
    for path, inner in _objects(schema):
        name = path.rpartition("/")[2]
        if name not in foreign:
            assert inner.get("additionalProperties") in (False, {"type": "string"}), path


def test_the_chart_knows_the_settings_that_the_worker_has() -> None:
    for path, text in generate.generated().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: python -m helm.generate"


def test_every_default_is_a_value_that_the_schema_names() -> None:
    schema = json.loads(generate.SCHEMA.read_text(encoding="utf-8"))
    with helm_python.Chart.load(charts.CHART) as chart:
        defaults = chart.values
    assert set(schema["properties"]) == {*defaults, "global"}
