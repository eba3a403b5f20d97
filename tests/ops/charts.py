"""The chart as tests see it: rendered by Helm's engine, as objects."""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import helm_python
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm"
EXAMPLES = sorted((CHART / "ci").glob("*-values.yaml"))

Object = dict[str, Any]
Values = dict[str, Any]

MINIMAL: Values = {
    "settings": {"KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"},
    "secrets": {"KRAVIA_TOKEN_FILE": {"existingSecret": "kravia", "key": "token"}},
}


def values_of(path: Path) -> Values:
    """A values file."""
    values: Values = yaml.safe_load(path.read_text(encoding="utf-8"))
    return values


def example(name: str) -> Values:
    """The values of one feature."""
    return values_of(CHART / "ci" / f"{name}-values.yaml")


def changed(values: Values, **paths: Any) -> Values:
    """A copy with values at dotted paths, whose dots are written `__`; None removes."""
    result = copy.deepcopy(values)
    for dotted, value in paths.items():
        *parents, last = dotted.split("__")
        place = result
        for name in parents:
            place = place.setdefault(name, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return result


def texts(values: Values, *, chart: Path = CHART, name: str = "inv", namespace: str = "billing") -> dict[str, str]:
    """Template's file name and what it renders to. Raises helm_python's errors, whose text is what a user reads."""
    with helm_python.Chart.load(chart) as loaded:
        loaded.validate_schema(values)
        return {Path(path).name: text for path, text in loaded.render(values, name=name, namespace=namespace).items()}


def render(values: Values, *, chart: Path = CHART, name: str = "inv") -> list[Object]:
    """Every object."""
    return [
        document
        for file, text in texts(values, chart=chart, name=name).items()
        if file.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document
    ]


def one(objects: list[Object], *kinds: str) -> Object:
    """The only object of these kinds."""
    (found,) = [each for each in objects if each["kind"] in kinds]
    return found


def workload(objects: list[Object]) -> Object:
    """The Deployment or StatefulSet."""
    return one(objects, "Deployment", "StatefulSet")


def pod_templates(objects: list[Object]) -> Iterator[Object]:
    """Of workload, Job, and the Pod of `helm test`."""
    for each in objects:
        if each["kind"] == "Pod":
            yield each
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield each["spec"]["template"]


def container(template: Object) -> Object:
    """The only container of a pod."""
    (found,) = template["spec"]["containers"]
    result: Object = found
    return result


def environment(objects: list[Object], template: Object) -> dict[str, str]:
    """What a pod's process finds: the ConfigMap's data and the pod's name."""
    (source,) = container(template)["envFrom"]
    (config,) = [
        each
        for each in objects
        if each["kind"] == "ConfigMap" and each["metadata"]["name"] == source["configMapRef"]["name"]
    ]
    own = {entry["name"]: entry.get("value", "inv-0") for entry in container(template)["env"]}
    return {**config["data"], **own}


def mounted(template: Object) -> Mapping[str, Object]:
    """Path below /etc/kravia-invoice-worker of each projected file, and the source that it is from."""
    files = {}
    for volume in template["spec"]["volumes"]:
        for source in volume.get("projected", {}).get("sources", ()):
            ((kind, what),) = source.items()
            for item in what["items"]:
                files[item["path"]] = {"kind": kind, "name": what["name"], "key": item["key"]}
    return files
