"""The fields of custom resources that the chart uses, from their operators' API references; a typo fails.

Prometheus operator: monitoring.coreos.com/v1 PodMonitor, PrometheusRule. KEDA 2.16: keda.sh/v1alpha1 ScaledObject,
TriggerAuthentication, and the Kafka scaler's metadata, all of whose values are strings.
"""

from typing import Any

STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
DURATION = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$"}


def _closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": items}


SELECTOR = _closed(["matchLabels"], matchLabels=STRINGS)
POD_MONITOR = _closed(
    ["selector", "podMetricsEndpoints"],
    selector=SELECTOR,
    podMetricsEndpoints=_list(
        _closed(["port"], port={"type": "string"}, path={"type": "string"}, interval=DURATION, scrapeTimeout=DURATION)
    ),
)
RULE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["expr"],
    "oneOf": [{"required": ["alert"]}, {"required": ["record"]}],
    "properties": {
        "alert": {"type": "string"},
        "record": {"type": "string"},
        "expr": {"type": "string"},
        "for": DURATION,
        "keep_firing_for": DURATION,
        "labels": STRINGS,
        "annotations": STRINGS,
    },
}
PROMETHEUS_RULE = _closed(
    ["groups"],
    groups=_list(_closed(["name", "rules"], name={"type": "string"}, interval=DURATION, rules=_list(RULE))),
)
POLICIES = _list(
    _closed(
        ["type", "value", "periodSeconds"],
        type={"enum": ["Pods", "Percent"]},
        value={"type": "integer", "minimum": 1},
        periodSeconds={"type": "integer", "minimum": 1, "maximum": 1800},
    )
)
SCALING = _closed(
    ["policies"], stabilizationWindowSeconds={"type": "integer", "minimum": 0, "maximum": 3600}, policies=POLICIES
)
KAFKA_TRIGGER = _closed(
    ["type", "metricType", "metadata"],
    type={"const": "kafka"},
    metricType={"const": "AverageValue"},
    metadata=_closed(
        ["bootstrapServers", "consumerGroup", "topic", "lagThreshold"],
        bootstrapServers={"type": "string"},
        consumerGroup={"type": "string"},
        topic={"type": "string"},
        lagThreshold={"type": "string", "pattern": "^[0-9]+$"},
        offsetResetPolicy={"enum": ["earliest", "latest"]},
        allowIdleConsumers={"enum": ["true", "false"]},
        limitToPartitionsWithLag={"enum": ["true", "false"]},
        excludePersistentLag={"enum": ["true", "false"]},
        sasl={"enum": ["plaintext", "scram_sha256", "scram_sha512"]},
        tls={"enum": ["enable", "disable"]},
    ),
    authenticationRef=_closed(["name"], name={"type": "string"}),
)
COUNT = {"type": "integer", "minimum": 1}
SCALED_OBJECT = _closed(
    ["scaleTargetRef", "minReplicaCount", "maxReplicaCount", "fallback", "triggers"],
    scaleTargetRef=_closed(
        ["apiVersion", "kind", "name"],
        apiVersion={"const": "apps/v1"},
        kind={"enum": ["Deployment", "StatefulSet"]},
        name={"type": "string"},
    ),
    pollingInterval=COUNT,
    cooldownPeriod={"type": "integer", "minimum": 0},
    minReplicaCount=COUNT,
    maxReplicaCount=COUNT,
    fallback=_closed(["failureThreshold", "replicas"], failureThreshold=COUNT, replicas=COUNT),
    advanced=_closed(
        ["horizontalPodAutoscalerConfig"],
        horizontalPodAutoscalerConfig=_closed(
            ["behavior"], behavior=_closed(["scaleUp", "scaleDown"], scaleUp=SCALING, scaleDown=SCALING)
        ),
    ),
    triggers=_list(KAFKA_TRIGGER),
)
TARGETS = _list(
    _closed(
        ["parameter", "name", "key"],
        parameter={"enum": ["username", "password", "ca", "cert", "key", "keyPassword"]},
        name={"type": "string"},
        key={"type": "string"},
    )
)
TRIGGER_AUTHENTICATION = _closed([], secretTargetRef=TARGETS, configMapTargetRef=TARGETS)

SPECS = {
    ("monitoring.coreos.com/v1", "PodMonitor"): POD_MONITOR,
    ("monitoring.coreos.com/v1", "PrometheusRule"): PROMETHEUS_RULE,
    ("keda.sh/v1alpha1", "ScaledObject"): SCALED_OBJECT,
    ("keda.sh/v1alpha1", "TriggerAuthentication"): TRIGGER_AUTHENTICATION,
}
"""apiVersion and kind: the schema of `spec`."""
