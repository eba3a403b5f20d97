"""Features of the chart that are off by default."""

from typing import Any

from tests.ops import charts
from tests.ops.charts import MINIMAL, Object, changed


def _egress(policy: Object) -> dict[tuple[int, ...], Any]:
    """Ports, and where to: None is anywhere."""
    return {tuple(port["port"] for port in rule["ports"]): rule.get("to") for rule in policy["spec"]["egress"]}


def test_the_network_policy_lets_through_what_is_needed_and_nothing_else() -> None:
    policy = charts.one(charts.render(charts.example("networkpolicy")), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    (ingress,) = policy["spec"]["ingress"]
    assert ingress["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert [next(iter(peer)) for peer in ingress["from"]] == ["namespaceSelector", "ipBlock"]
    rules = policy["spec"]["egress"]
    assert [[port["port"] for port in rule["ports"]] for rule in rules] == [
        [53, 53],
        [9092],
        [443],
        [443],
        [4317, 4318],
    ]
    assert all(rule.get("to") for rule in rules[:3])
    closed = changed(MINIMAL, networkPolicy__enabled=True)
    assert set(_egress(charts.one(charts.render(closed), "NetworkPolicy"))) == {(53, 53), (9092, 9093), (443,)}


def test_with_a_proxy_the_policy_opens_the_proxy_and_not_the_api() -> None:
    objects = charts.render(charts.example("proxy"))
    egress = _egress(charts.one(objects, "NetworkPolicy"))
    assert egress == {
        (53, 53): egress[53, 53],
        (9092, 9093): None,
        (8080,): [{"ipBlock": {"cidr": "10.20.0.15/32"}}],
    }
    template = charts.workload(objects)["spec"]["template"]
    assert charts.mounted(template)["settings/KRAVIA_PROXY"] == {"kind": "secret", "name": "egress-proxy", "key": "url"}
    plain = changed(MINIMAL, networkPolicy__enabled=True, settings__KRAVIA_PROXY="http://proxy.billing:3128")
    objects = charts.render(plain)
    assert set(_egress(charts.one(objects, "NetworkPolicy"))) == {(53, 53), (9092, 9093), (3128,)}
    assert charts.one(objects, "ConfigMap")["data"]["KRAVIA_PROXY"] == "http://proxy.billing:3128"
    observed = charts.render(changed(plain, observe=True))
    assert set(_egress(charts.one(observed, "NetworkPolicy"))) == {(53, 53), (9092, 9093)}


def test_the_network_policy_covers_the_job_too() -> None:
    objects = charts.render(changed(charts.example("topics-job"), networkPolicy__enabled=True))
    wanted = charts.one(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"].items()
    assert all(wanted <= template["metadata"]["labels"].items() for template in charts.pod_templates(objects))


def test_to_observe_needs_no_token_and_reaches_no_api() -> None:
    objects = charts.render(charts.example("observe"))
    template = charts.workload(objects)["spec"]["template"]
    assert charts.container(template)["args"] == ["run", "--observe"]
    assert charts.mounted(template) == {}
    assert (443,) not in _egress(charts.one(objects, "NetworkPolicy"))
    job = charts.container(charts.one(objects, "Job")["spec"]["template"])
    assert job["args"] == ["topics", "create", "--partitions", "12", "--observe"]
    with_token = charts.render(changed(MINIMAL, observe=True, secrets__KRAVIA_TOKEN_FILE={"value": "given"}))
    assert "Secret" not in {each["kind"] for each in with_token}


def test_keda_scales_on_the_lag_of_both_inputs() -> None:
    spec = charts.one(charts.render(charts.example("keda")), "ScaledObject")["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 12)
    assert spec["fallback"] == {"failureThreshold": 4, "replicas": 6}
    assert [trigger["metadata"]["topic"] for trigger in spec["triggers"]] == ["invoice.requests", "invoice.replays"]
    for trigger in spec["triggers"]:
        told = trigger["metadata"]
        assert told["consumerGroup"] == "kravia-invoice-worker"
        assert (told["limitToPartitionsWithLag"], told["excludePersistentLag"]) == ("true", "true")
        assert (told["sasl"], told["tls"]) == ("scram_sha512", "enable")


def test_keda_reads_the_secrets_that_the_worker_reads() -> None:
    spec = charts.one(charts.render(charts.example("keda")), "TriggerAuthentication")["spec"]
    secrets = {entry["parameter"]: (entry["name"], entry["key"]) for entry in spec["secretTargetRef"]}
    assert secrets == {"username": ("invoice-worker", "username"), "password": ("invoice-worker", "password")}
    assert spec["configMapTargetRef"] == [{"parameter": "ca", "name": "kafka-ca", "key": "ca.crt"}]
    plain = charts.render(changed(MINIMAL, keda__enabled=True))
    assert "TriggerAuthentication" not in {each["kind"] for each in plain}


def test_keda_follows_renamed_topics_and_an_observer() -> None:
    values = changed(
        charts.example("observe"),
        keda__enabled=True,
        settings__TOPIC_REQUESTS="billing.in",
        settings__TOPIC_REPLAYS="billing.again",
        settings__KAFKA_GROUP_ID="billing",
    )
    triggers = charts.one(charts.render(values), "ScaledObject")["spec"]["triggers"]
    assert [trigger["metadata"]["topic"] for trigger in triggers] == ["billing.in", "trial.billing.again"]
    assert {trigger["metadata"]["consumerGroup"] for trigger in triggers} == {"trial.billing"}


def test_keda_owns_the_number_of_pods() -> None:
    assert "replicas" not in charts.workload(charts.render(charts.example("keda")))["spec"]
    assert charts.workload(charts.render(MINIMAL))["spec"]["replicas"] == 2


def test_the_job_makes_topics_as_many_as_the_chart_counts_on() -> None:
    job = charts.one(charts.render(charts.example("topics-job")), "Job")
    args = charts.container(job["spec"]["template"])["args"]
    assert args == ["topics", "create", "--partitions", "24", "--replication", "3"]
    assert "annotations" not in job["metadata"], "no hook: it is seen and removed like everything else"


def test_a_job_that_differs_has_another_name_and_one_that_does_not_has_the_same() -> None:
    values = charts.example("topics-job")
    first = charts.one(charts.render(values), "Job")["metadata"]["name"]
    assert charts.one(charts.render(changed(values, replicas=3)), "Job")["metadata"]["name"] == first
    for other in ({"image__tag": "9.9.9"}, {"topics__job__command": "check"}, {"settings__TOPIC_LEDGER": "l"}):
        assert charts.one(charts.render(changed(values, **other)), "Job")["metadata"]["name"] != first


def test_the_pod_monitor_scrapes_the_port_by_its_name() -> None:
    monitor = charts.one(charts.render(charts.example("monitoring")), "PodMonitor")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint == {"port": "http", "path": "/metrics", "interval": "15s", "scrapeTimeout": "10s"}
    assert monitor["metadata"]["labels"]["release"] == "prometheus"


def test_a_disruption_takes_one_pod_and_never_waits_for_a_sick_api() -> None:
    budget = charts.one(charts.render(MINIMAL), "PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_pods_are_spread_over_zones_and_nodes() -> None:
    spec = charts.workload(charts.render(MINIMAL))["spec"]["template"]["spec"]
    keys = [each["topologyKey"] for each in spec["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_scheduling_and_names_reach_the_pod() -> None:
    objects = charts.render(charts.example("scheduling"))
    found = charts.workload(objects)
    spec = found["spec"]["template"]["spec"]
    assert found["metadata"]["name"] == "billing"
    assert spec["serviceAccountName"] == "billing"
    assert "ServiceAccount" not in {each["kind"] for each in objects}
    assert spec["priorityClassName"] == "business-critical"
    assert spec["tolerations"][0]["key"] == "billing"
    assert spec["securityContext"]["runAsUser"] == spec["securityContext"]["fsGroup"] == 20001
    image = charts.container(found["spec"]["template"])["image"]
    assert image.startswith("registry.example/billing/kravia-invoice-worker:0.1.0@sha256:")


def test_helm_test_asks_the_doctor_with_what_the_worker_has() -> None:
    objects = charts.render(charts.example("sasl"))
    pod, worker = charts.one(objects, "Pod"), charts.workload(objects)["spec"]["template"]
    assert pod["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert charts.container(pod)["args"] == ["doctor"]
    assert charts.mounted(pod) == charts.mounted(worker)
    for part in ("image", "envFrom", "env", "securityContext", "volumeMounts"):
        assert charts.container(pod)[part] == charts.container(worker)[part], part
    observer = charts.one(charts.render(charts.example("observe")), "Pod")
    assert charts.container(observer)["args"] == ["doctor", "--observe"]


def test_more_variables_and_volumes_reach_every_pod() -> None:
    objects = charts.render(changed(charts.example("tracing"), topics__job__enabled=True))
    templates = list(charts.pod_templates(objects))
    assert len(templates) == 3
    for template in templates:
        environ = {entry["name"]: entry for entry in charts.container(template)["env"]}
        assert environ["OTEL_EXPORTER_OTLP_ENDPOINT"]["value"] == "https://collector.observability:4318"
        assert environ["OTEL_EXPORTER_OTLP_HEADERS"]["valueFrom"]["secretKeyRef"]["name"] == "collector"
        mounts = {mount["mountPath"]: mount["name"] for mount in charts.container(template)["volumeMounts"]}
        assert mounts["/etc/collector-ca"] == "collector-ca"
        assert {"name": "collector-ca", "configMap": {"name": "collector-ca"}} in template["spec"]["volumes"]


def test_settings_arrive_as_the_worker_writes_them() -> None:
    objects = charts.render(charts.example("settings"))
    environ = charts.environment(objects, charts.workload(objects)["spec"]["template"])
    assert environ["WORKER_MAX_IN_FLIGHT_BYTES"] == "134217728"
    assert environ["WORKER_COMMIT_TIMEOUT"] == "12.5"
    assert environ["WORKER_SETTLE_INTERVAL"] == "0"
    assert environ["KRAVIA_ALLOW_PLAIN_HTTP"] == "1"
    assert environ["KRAVIA_ALREADY_EXISTS_PATTERNS"] == '["already (exists|registered)"]'


def test_long_names_stay_within_what_kubernetes_allows() -> None:
    objects = charts.render(charts.example("keda-static"), name="a" * 53)
    # A StatefulSet's pods, and what an upgrade's ReplicaSets add, must fit into 63.
    assert all(len(each["metadata"]["name"]) <= (59 if each["kind"] == "Pod" else 52) for each in objects)
