"""A typo in a values file is refused wherever it stands, and so is a value of another kind."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml

from helm import generate
from tests.ops import charts
from tests.ops.charts import Values

SCHEMA = json.loads(generate.SCHEMA.read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
FREE = {
    # Maps whose keys are the user's, and Kubernetes' own types, which Kubernetes validates.
    *("commonLabels", "podLabels", "podAnnotations", "nodeSelector", "labels", "annotations"),
    *("ruleLabels", "ruleAnnotations", "nodeAffinity", "namespaceSelector", "podSelector"),
    *("valueFrom", "configMap"),
}
ALL = [charts.values_of(charts.CHART / "values.yaml"), *map(charts.values_of, charts.EXAMPLES)]

Path = tuple[str | int, ...]


def _keys(values: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every key of a closed object."""
    if isinstance(values, dict):
        for name, inner in values.items():
            yield (*path, name)
            if name not in FREE:
                yield from _keys(inner, (*path, name))
    elif isinstance(values, list):
        for number, inner in enumerate(values):
            yield from _keys(inner, (*path, number))


def _parent(values: Values, path: Path) -> Any:
    place: Any = values
    for step in path[:-1]:
        place = place[step]
    return place


PLACES = [(values, path) for values in ALL for path in _keys(values)]


def test_the_examples_are_what_the_schema_allows() -> None:
    for values in ALL:
        VALIDATOR.validate(values)
    named = {path[0] for _, path in PLACES}
    assert named == set(SCHEMA["properties"]) - {"global"}


def test_a_key_with_a_typo_is_refused_by_its_name_at_every_level() -> None:
    for values, path in PLACES:
        mutated = copy.deepcopy(values)
        place, name = _parent(mutated, path), f"{path[-1]}z"
        place[name] = place.pop(path[-1])
        errors = [error.message for error in VALIDATOR.iter_errors(mutated)]
        assert any(f"'{name}'" in message for message in errors), (path, errors)


@pytest.mark.parametrize("wrong", [None, [[]]], ids=["nothing", "a list of lists"])
def test_a_value_of_another_kind_is_refused_at_every_level(wrong: Any) -> None:
    for values, path in PLACES:
        mutated = copy.deepcopy(values)
        _parent(mutated, path)[path[-1]] = wrong
        assert not VALIDATOR.is_valid(mutated), path


def test_the_chart_s_readme_names_every_value() -> None:
    text = (charts.CHART / "README.md").read_text(encoding="utf-8")
    named = {name for line in text.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line)}
    assert named == set(SCHEMA["properties"]) - {"global"}
    (least,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert charts.render(yaml.safe_load(least))
