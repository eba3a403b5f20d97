"""What is unsafe or contradicts itself fails at render time, and says what to do."""

import json
import re
from typing import Any

import helm_python
import pytest

from helm import generate
from tests.ops import charts
from tests.ops.charts import MINIMAL, Values, changed

KEDA = changed(MINIMAL, keda__enabled=True)
SASL = charts.example("sasl")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "settings.KAFKA_BOOTSTRAP_SERVERS is required"),
        ({}, "secrets.KRAVIA_TOKEN_FILE is required"),
        (
            changed(MINIMAL, terminationGracePeriodSeconds=55),
            "terminationGracePeriodSeconds is 55: it must be more than",
        ),
        (changed(MINIMAL, settings__WORKER_DRAIN_TIMEOUT=50), "WORKER_DRAIN_TIMEOUT (50) + WORKER_COMMIT_TIMEOUT (10)"),
        (changed(MINIMAL, settings__WORKER_COMMIT_TIMEOUT=15), "terminationGracePeriodSeconds is 60"),
        (changed(MINIMAL, settings__WORKER_DRAIN_TIMEOUT=39), "settings.WORKER_DRAIN_TIMEOUT is 39"),
        (
            changed(MINIMAL, settings__WORKER_GRACE=90),
            "settings.WORKER_GRACE is what terminationGracePeriodSeconds says",
        ),
        (changed(MINIMAL, replicas=13), "replicas is 13: more than topics.partitions (12)"),
        (changed(MINIMAL, workload__maxSurge=0), "no upgrade could ever begin"),
        (changed(MINIMAL, workload__maxSurge="0%", workload__maxUnavailable="0%"), "no upgrade could ever begin"),
        (changed(KEDA, keda__minReplicas=0), "keda.minReplicas is 0: at least 1"),
        (changed(KEDA, keda__maxReplicas=13), "keda.maxReplicas is 13: more than topics.partitions (12)"),
        (changed(KEDA, keda__minReplicas=7), "keda.minReplicas is 7, more than keda.maxReplicas (6)"),
        (changed(KEDA, keda__fallback__replicas=7), "keda.fallback.replicas is 7"),
        (changed(KEDA, keda__fallback__replicas=0), "keda.fallback.replicas is 0"),
        (changed(KEDA, workload__kind="StatefulSet"), "a static member can't leave the group"),
        (changed(SASL, keda__enabled=True), "KEDA takes the user from a Secret too"),
        (changed(MINIMAL, settings__WORKER_FAULT_POINT="body-sent:kill"), "settings.WORKER_FAULT_POINT is for tests"),
        (changed(MINIMAL, settings__WORKER_ALLOW_FAULTS=True), "settings.WORKER_ALLOW_FAULTS is for tests"),
        (changed(MINIMAL, settings__KAFKA_GROUP_INSTANCE_ID="a"), "set workload.kind: StatefulSet"),
        (changed(MINIMAL, settings__KAFKA_CLIENT_ID="a"), "settings.KAFKA_CLIENT_ID is the pod's name"),
        (changed(MINIMAL, settings__KRAVIA_TOKEN="s"), "settings.KRAVIA_TOKEN is a secret"),
        (changed(MINIMAL, settings__KAFKA_SASL_PASSWORD="s"), "set secrets.KAFKA_SASL_PASSWORD"),
        (changed(MINIMAL, settings__KRAVIA_CA_FILE="/ca.pem"), "set secrets.KRAVIA_CA_FILE"),
        (
            changed(MINIMAL, secrets__KRAVIA_TOKEN_FILE__value="s"),
            "give exactly one of value, existingSecret and (for files) existingConfigMap; given: value, existingSecret",
        ),
        (changed(MINIMAL, secrets__KRAVIA_TOKEN_FILE={}), "given: none"),
        (changed(MINIMAL, secrets__KRAVIA_TOKEN_FILE__key=None), "secrets.KRAVIA_TOKEN_FILE: name the key"),
        (changed(MINIMAL, secrets__KRAVIA_TOKEN_FILE={"value": "s", "key": "k"}), "a key has no meaning with a value"),
        (
            changed(MINIMAL, secrets__KRAVIA_TOKEN_FILE={"existingConfigMap": "c", "key": "k"}),
            "a ConfigMap is no place for a secret",
        ),
        (
            changed(SASL, secrets__KAFKA_SASL_USERNAME={"existingSecret": "s", "key": "k"}),
            "KAFKA_SASL_USERNAME has two sources",
        ),
        (changed(SASL, secrets__KAFKA_SASL_PASSWORD=None), "set secrets.KAFKA_SASL_PASSWORD"),
        (changed(SASL, settings__KAFKA_SASL_USERNAME=None), "set secrets.KAFKA_SASL_USERNAME"),
        (changed(SASL, settings__KAFKA_SASL_MECHANISM=None), "set settings.KAFKA_SASL_MECHANISM"),
        (changed(SASL, settings__KAFKA_SECURITY_PROTOCOL="PLAINTEXT"), "secrets.KAFKA_SASL_PASSWORD has no effect"),
        (changed(SASL, settings__KAFKA_SECURITY_PROTOCOL="PLAINTEXT"), "secrets.KAFKA_SSL_CA_FILE has no effect"),
        (changed(charts.example("mtls"), secrets__KAFKA_SSL_KEY_FILE=None), "a certificate needs its key"),
        (changed(MINIMAL, settings__KRAVIA_BASE_URL="http://kravia.example"), "would travel in the clear"),
        (changed(MINIMAL, settings__KRAVIA_BASE_URL="http://localhost.example"), "would travel in the clear"),
        (changed(MINIMAL, settings__WORKER_HTTP_PORT=0), "probes and Prometheus need a fixed port"),
        (changed(MINIMAL, settings__WORKER_HTTP_HOST="127.0.0.1"), "probes come from outside the pod"),
    ],
)
def test_it_fails_and_says_what_to_do(values: Values, says: str) -> None:
    with pytest.raises(helm_python.HelmRenderError, match=re.escape(says)):
        charts.render(values)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    values = changed(KEDA, keda__maxReplicas=13, terminationGracePeriodSeconds=10, settings__WORKER_ALLOW_FAULTS=True)
    with pytest.raises(helm_python.HelmRenderError) as raised:
        charts.render(values)
    assert len(re.findall(r"^- ", str(raised.value), re.MULTILINE)) == 3


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (changed(MINIMAL, replica=3), "replica"),
        (changed(MINIMAL, settings__WORKER_DRAIN_TIMEUOT=40), "WORKER_DRAIN_TIMEUOT"),
        (changed(MINIMAL, secrets__KRAVIA_TOKEN={"value": "s"}), "KRAVIA_TOKEN"),
        (changed(MINIMAL, secrets__KRAVIA_TOKEN_FILE__exisitngSecret="s"), "exisitngSecret"),
        (changed(MINIMAL, secrets__KAFKA_SASL_PASSWORD={"existingConfigMap": "c", "key": "k"}), "existingConfigMap"),
        (changed(MINIMAL, keda__max=3), "keda"),
        (changed(MINIMAL, workload__kind="DaemonSet"), "kind"),
        (changed(MINIMAL, runAsUser=0), "runAsUser"),
        (changed(MINIMAL, image__digest="sha256:abc"), "digest"),
        (changed(MINIMAL, settings__WORKER_DRAIN_TIMEOUT="forty"), "WORKER_DRAIN_TIMEOUT"),
        (changed(MINIMAL, settings__WORKER_MAX_IN_FLIGHT=0), "WORKER_MAX_IN_FLIGHT"),
        (changed(MINIMAL, settings__KAFKA_SECURITY_PROTOCOL="TLS"), "KAFKA_SECURITY_PROTOCOL"),
        (changed(MINIMAL, networkPolicy__kafka__to=[{"podSelektor": {}}]), "podSelektor"),
        (changed(MINIMAL, resources__limits__memroy="1Gi"), "memroy"),
    ],
)
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
