"""Values that must not render, and what is said about each."""

from typing import Final

from tests.ops import charts
from tests.ops.charts import MINIMAL, Values, changed

KEDA = changed(MINIMAL, keda__enabled=True)
SASL = charts.example("sasl")
CLOSED = changed(MINIMAL, networkPolicy__enabled=True)
PROXY = charts.example("proxy")
TRACING = charts.example("tracing")
_MOUNT = {"name": "more", "mountPath": "/etc/more"}
_VOLUME = {"name": "more", "emptyDir": {}}

SETTINGS: Final[list[tuple[Values, str]]] = [
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
    (changed(MINIMAL, spool__sizeMiB=511), "spool.sizeMiB is 511: it must hold DOCUMENT_SPOOL_BYTES (536870912)"),
    (changed(MINIMAL, settings__KRAVIA_BASE_URL="http://kravia.example"), "would travel in the clear"),
    (changed(MINIMAL, settings__KRAVIA_BASE_URL="http://localhost.example"), "would travel in the clear"),
    (
        changed(MINIMAL, settings__KRAVIA_PROXY="http://user:word@proxy:3128"),
        "settings.KRAVIA_PROXY holds a user, and a ConfigMap is no place for a secret; set secrets.KRAVIA_PROXY",
    ),
    (changed(MINIMAL, settings__KRAVIA_PROXY="proxy:3128"), "settings.KRAVIA_PROXY must be http://host:port"),
    (changed(MINIMAL, settings__KRAVIA_PROXY="http://proxy/x"), "settings.KRAVIA_PROXY must be http://host:port"),
    (changed(PROXY, settings__KRAVIA_PROXY="http://proxy:3128"), "KRAVIA_PROXY has two sources"),
    (
        changed(PROXY, settings__KRAVIA_BASE_URL="http://localhost:8080"),
        "settings.KRAVIA_BASE_URL is http://localhost:8080: without TLS to Kravia a proxy's answer",
    ),
    (changed(MINIMAL, settings__WORKER_HTTP_PORT=0), "probes and Prometheus need a fixed port"),
    (changed(MINIMAL, settings__WORKER_HTTP_HOST="127.0.0.1"), "probes come from outside the pod"),
]
"""What templates/_validate.tpl refuses."""

OBJECTS: Final[list[tuple[Values, str]]] = [
    (changed(MINIMAL, image__tag="latest"), "image.tag is latest"),
    (
        changed(MINIMAL, podLabels={"app.kubernetes.io/name": "other"}),
        "podLabels.app.kubernetes.io/name is the chart's",
    ),
    (changed(MINIMAL, commonLabels={"app.kubernetes.io/instance": "x"}), "commonLabels.app.kubernetes.io/instance is"),
    (changed(MINIMAL, podAnnotations={"checksum/config": "x"}), "podAnnotations.checksum/config is the chart's own"),
    (
        changed(MINIMAL, extraEnv=[{"name": "WORKER_GRACE", "value": "1"}]),
        "extraEnv: WORKER_GRACE is a setting: use settings, or secrets",
    ),
    (
        changed(MINIMAL, extraEnv=[{"name": "KRAVIA_TOKEN", "valueFrom": {}}]),
        "extraEnv: KRAVIA_TOKEN is a setting: use settings, or secrets",
    ),
    (changed(MINIMAL, extraEnv=[{"name": "PYTHONPATH", "value": "/x"}]), "extraEnv: PYTHONPATH changes how"),
    (changed(MINIMAL, extraEnv=[{"name": "LD_PRELOAD", "value": "/x"}]), "extraEnv: LD_PRELOAD changes how"),
    (changed(MINIMAL, extraEnv=[{"name": "A"}]), "extraEnv: A: give exactly one of value and valueFrom"),
    (
        changed(MINIMAL, extraVolumes=[{"name": "tmp", "emptyDir": {}}]),
        "extraVolumes: tmp is a volume of the chart: take another name",
    ),
    (changed(MINIMAL, extraVolumeMounts=[_MOUNT]), "extraVolumeMounts: more is not among extraVolumes"),
    *(
        (
            changed(MINIMAL, extraVolumes=[_VOLUME], extraVolumeMounts=[{"name": "more", "mountPath": path}]),
            f"extraVolumeMounts: {path}: the worker or the chart has files there",
        )
        for path in ("/", "/tmp", "/tmp/", "/opt/worker/lib", "/etc/kravia-invoice-worker/files")  # noqa: S108
    ),
    (changed(MINIMAL, podDisruptionBudget__maxUnavailable=0), "podDisruptionBudget.maxUnavailable is 0: no node could"),
    (changed(MINIMAL, podDisruptionBudget__maxUnavailable="0%"), "podDisruptionBudget.maxUnavailable is 0%: no node"),
    (changed(MINIMAL, probes__liveness__failureThreshold=2), "probes.liveness kills after 20 s"),
    (changed(MINIMAL, resources__limits__memory="64Mi"), "resources.limits.memory is 64Mi: WORKER_MAX_IN_FLIGHT_BYTES"),
    (changed(MINIMAL, settings__WORKER_MAX_IN_FLIGHT_BYTES=2**30), "resources.limits.memory is 1Gi"),
    (changed(CLOSED, networkPolicy__kafka__ports=[9093]), "networkPolicy.kafka.ports: 9092 of KAFKA_BOOTSTRAP_SERVERS"),
    (
        changed(CLOSED, settings__KAFKA_BOOTSTRAP_SERVERS="a:9092, b:19092"),
        "networkPolicy.kafka.ports: 19092 of KAFKA_BOOTSTRAP_SERVERS is not among them",
    ),
    (
        changed(CLOSED, settings__KRAVIA_BASE_URL="https://egress.billing:8443"),
        "networkPolicy.kravia.ports: 8443 of KRAVIA_BASE_URL is not among them",
    ),
    (changed(CLOSED, networkPolicy__kravia__ports=[8443]), "networkPolicy.kravia.ports: 443 of KRAVIA_BASE_URL"),
    (
        changed(CLOSED, settings__KRAVIA_BASE_URL="http://egress", settings__KRAVIA_ALLOW_PLAIN_HTTP=True),
        "networkPolicy.kravia.ports: 80 of KRAVIA_BASE_URL",
    ),
    (
        changed(CLOSED, settings__KRAVIA_PROXY="http://proxy:8080"),
        "networkPolicy.proxy.ports: 8080 of KRAVIA_PROXY is not among them",
    ),
    (changed(CLOSED, settings__KRAVIA_PROXY="https://proxy"), "networkPolicy.proxy.ports: 443 of KRAVIA_PROXY"),
    (
        changed(CLOSED, settings__DOCUMENT_ALLOW_HOSTS="documents.example.com"),
        "networkPolicy.documents.enabled is false",
    ),
    (changed(TRACING, networkPolicy__otlp__enabled=False), "networkPolicy.otlp.enabled is false"),
    (
        changed(MINIMAL, podMonitor={"enabled": True, "interval": "5s"}),
        "podMonitor.scrapeTimeout is 10s, longer than podMonitor.interval (5s)",
    ),
    (
        changed(MINIMAL, alerts__enabled=True, settings__WORKER_RETRY_ELAPSED=1800),
        "alerts.rules.InvoiceWorkerOldestEvent.threshold is 1800 s",
    ),
    (
        changed(MINIMAL, alerts={"enabled": True, "rules": {"InvoiceWorkerOldestEvent": {"threshold": 600}}}),
        "alerts.rules.InvoiceWorkerOldestEvent.threshold is 600 s",
    ),
]
"""What templates/_validate_objects.tpl refuses."""

SCHEMA: Final[list[tuple[Values, str]]] = [
    (changed(MINIMAL, replica=3), "replica"),
    (changed(MINIMAL, settings__WORKER_DRAIN_TIMEUOT=40), "WORKER_DRAIN_TIMEUOT"),
    (changed(MINIMAL, secrets__KRAVIA_TOKEN={"value": "s"}), "KRAVIA_TOKEN"),
    (changed(MINIMAL, secrets__KRAVIA_TOKEN_FILE__exisitngSecret="s"), "exisitngSecret"),
    (changed(MINIMAL, secrets__KAFKA_SASL_PASSWORD={"existingConfigMap": "c", "key": "k"}), "existingConfigMap"),
    (changed(MINIMAL, secrets__KRAVIA_PROXY={"existingConfigMap": "c", "key": "k"}), "existingConfigMap"),
    (changed(MINIMAL, keda__max=3), "keda"),
    (changed(MINIMAL, workload__kind="DaemonSet"), "kind"),
    (changed(MINIMAL, runAsUser=0), "runAsUser"),
    (changed(MINIMAL, image__digest="sha256:abc"), "digest"),
    (changed(MINIMAL, settings__WORKER_DRAIN_TIMEOUT="forty"), "WORKER_DRAIN_TIMEOUT"),
    (changed(MINIMAL, settings__WORKER_MAX_IN_FLIGHT=0), "WORKER_MAX_IN_FLIGHT"),
    (changed(MINIMAL, settings__KAFKA_SECURITY_PROTOCOL="TLS"), "KAFKA_SECURITY_PROTOCOL"),
    (changed(MINIMAL, networkPolicy__kafka__to=[{"podSelektor": {}}]), "podSelektor"),
    (changed(MINIMAL, resources__limits__memroy="1Gi"), "memroy"),
    # What Pod Security's restricted profile forbids has no value at all.
    (changed(MINIMAL, hostNetwork=True), "hostNetwork"),
    (changed(MINIMAL, securityContext={"privileged": True}), "securityContext"),
    (changed(MINIMAL, podSecurityContext={"runAsNonRoot": False}), "podSecurityContext"),
    (changed(MINIMAL, serviceAccount__automountToken=True), "automountToken"),
    (changed(MINIMAL, extraVolumes=[{"name": "node", "hostPath": {"path": "/"}}]), "hostPath"),
    (changed(MINIMAL, extraVolumes=[{"name": "nothing"}]), "extraVolumes"),
    (changed(MINIMAL, extraVolumeMounts=[{"name": "a", "mountPath": "relative"}]), "mountPath"),
    (changed(MINIMAL, probes__liveness__httpGet={"path": "/readyz"}), "httpGet"),
    (changed(MINIMAL, settings__WORKER_OBSERVE_PREFIX=""), "WORKER_OBSERVE_PREFIX"),
    (changed(MINIMAL, image__tag=1.5), "tag"),
    (changed(MINIMAL, objectives__age=1), "age"),
    (changed(MINIMAL, objectives__success=99), "success"),
    (changed(MINIMAL, objectives__ageLimitSeconds=301), "ageLimitSeconds"),
    (changed(MINIMAL, alerts__rules={"InvoiceWorkerDeadLeters": {"enabled": False}}), "InvoiceWorkerDeadLeters"),
    (changed(MINIMAL, alerts__rules={"InvoiceWorkerAbsent": {"threshold": 3}}), "threshold"),
    (changed(MINIMAL, alerts__rules={"InvoiceWorkerRestoreSlow": {"threshold": 121}}), "threshold"),
    (changed(MINIMAL, alerts__rules={"InvoiceWorkerDoubtOld": {"for": "soon"}}), "for"),
    (changed(MINIMAL, alerts__runbookUrl="docs/runbooks"), "runbookUrl"),
    (changed(MINIMAL, alerts__moneyLimits={"nok": 1000}), "nok"),
    (changed(MINIMAL, alerts__moneyLimits={"NOK": 0}), "NOK"),
]
"""What values.schema.json refuses."""
