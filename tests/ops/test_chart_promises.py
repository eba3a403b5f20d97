"""What the rendered objects promise: a safe stop, few rights, secrets that stay secrets, upgrades that go through."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ops import charts
from tests.ops.charts import MINIMAL, Object, Values, changed
from worker.cli.program import main
from worker.settings import Loaded, Purpose, load
from worker.settings.model import NAMES

EVERY_EXAMPLE = pytest.mark.parametrize("path", charts.EXAMPLES, ids=lambda path: path.name)
MOUNTED_AT = "/etc/kravia-invoice-worker"
OWN_SECRET = charts.example("own-secret")
SECRET_TEXTS = ("only-a-try", "only-a-try-too")


def _checksums(values: Values) -> Object:
    annotations = charts.workload(charts.render(values))["spec"]["template"]["metadata"]["annotations"]
    return {name: text for name, text in annotations.items() if name.startswith("checksum/")}


@EVERY_EXAMPLE
def test_the_worker_accepts_what_its_pod_would_find(path: Path, tmp_path: Path) -> None:
    values = charts.values_of(path)
    objects = charts.render(values)
    for template in charts.pod_templates(objects):
        for name in charts.mounted(template):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            text = "http://user:secret@proxy.example:8080" if name.endswith("_PROXY") else "secret"
            (tmp_path / name).write_text(text, encoding="utf-8")
        environ = {
            name: text.replace(MOUNTED_AT, str(tmp_path))
            for name, text in charts.environment(objects, template).items()
        }
        others = {entry["name"] for entry in values.get("extraEnv", ())}
        assert {name.lower() for name in set(environ) - others} <= set(NAMES)
        spool = next(m for m in charts.container(template)["volumeMounts"] if m["name"] == "spool")["mountPath"]
        environ = {name: text.replace(spool, str(tmp_path)) for name, text in environ.items()}
        observes = "--observe" in charts.container(template)["args"]
        loaded = load(environ, None, purpose=Purpose.TOPICS if observes else Purpose.RUN)
        assert isinstance(loaded, Loaded), loaded
        assert loaded.settings.worker_grace == values.get("terminationGracePeriodSeconds", 60)


@EVERY_EXAMPLE
def test_the_grace_covers_drain_and_commit(path: Path) -> None:
    objects = charts.render(charts.values_of(path))
    spec = charts.workload(objects)["spec"]["template"]["spec"]
    environ = charts.environment(objects, charts.workload(objects)["spec"]["template"])
    drain, commit = (float(environ.get(f"WORKER_{name}_TIMEOUT", d)) for name, d in (("DRAIN", 45), ("COMMIT", 10)))
    assert spec["terminationGracePeriodSeconds"] > drain + commit


@EVERY_EXAMPLE
def test_pods_meet_the_restricted_standard(path: Path) -> None:
    """Kubernetes' Pod Security Standards, profile Restricted, and a read-only root beside."""
    for template in charts.pod_templates(charts.render(charts.values_of(path))):
        pod, spec = template["spec"], charts.container(template)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert spec["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "projected", "configMap", "secret", "csi"}
        assert spec["resources"]["limits"]["memory"]
        assert "cpu" not in spec["resources"]["limits"]


@EVERY_EXAMPLE
def test_what_is_written_goes_to_volumes_with_a_bound(path: Path) -> None:
    for template in charts.pod_templates(charts.render(charts.values_of(path))):
        volumes = {volume["name"]: volume for volume in template["spec"]["volumes"]}
        assert all(volumes[name]["emptyDir"]["sizeLimit"].endswith("Mi") for name in ("tmp", "spool"))
        for mount in charts.container(template)["volumeMounts"]:
            assert "subPath" not in mount, "a file behind a subPath never changes"
            assert mount.get("readOnly", False) is (mount["name"] not in ("tmp", "spool"))


@EVERY_EXAMPLE
def test_probes_ask_what_the_worker_serves(path: Path) -> None:
    objects = charts.render(charts.values_of(path))
    template = charts.workload(objects)["spec"]["template"]
    spec, environ = charts.container(template), charts.environment(objects, template)
    assert spec["ports"] == [
        {"name": "http", "containerPort": int(environ.get("WORKER_HTTP_PORT", "8080")), "protocol": "TCP"}
    ]
    probes = {name: spec[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probes == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    liveness = spec["livenessProbe"]
    assert liveness["periodSeconds"] * liveness["failureThreshold"] >= 60, "every kill may add doubts"


@EVERY_EXAMPLE
def test_secrets_are_in_secrets_and_nowhere_else(path: Path) -> None:
    objects = charts.render(charts.values_of(path))
    for each in objects:
        if each["kind"] != "Secret":
            assert not any(text in yaml.safe_dump(each) for text in SECRET_TEXTS)
    for template in charts.pod_templates(objects):
        environ = charts.environment(objects, template)
        assert not {"KRAVIA_TOKEN", "KAFKA_SASL_PASSWORD", "KAFKA_SSL_KEY_PASSWORD"} & set(environ)
        for name, source in charts.mounted(template).items():
            if not name.endswith("CA_FILE"):
                assert source["kind"] == "secret"


def test_an_existing_secret_is_only_named() -> None:
    objects = charts.render(charts.example("sasl"))
    assert not [each for each in objects if each["kind"] == "Secret"]
    assert charts.mounted(charts.workload(objects)["spec"]["template"]) == {
        "settings/KAFKA_SASL_PASSWORD": {"kind": "secret", "name": "invoice-worker", "key": "password"},
        "files/KAFKA_SSL_CA_FILE": {"kind": "secret", "name": "kafka-cluster-ca-cert", "key": "ca.crt"},
        "files/KRAVIA_CA_FILE": {"kind": "configMap", "name": "company-ca", "key": "ca.crt"},
        "files/KRAVIA_TOKEN_FILE": {"kind": "secret", "name": "kravia", "key": "token"},
    }


def test_notes_name_no_secret_and_warn_of_a_value() -> None:
    notes = charts.texts(OWN_SECRET)["NOTES.txt"]
    assert not any(text in notes for text in SECRET_TEXTS)
    assert "secrets.KRAVIA_TOKEN_FILE is a value" in notes
    minimal = charts.texts(MINIMAL)["NOTES.txt"]
    assert "is a value" not in minimal
    for command in ("worker status", "worker doctor", "worker dead-letters groups", "worker dead-letters replay"):
        assert f"deployment/inv-kravia-invoice-worker -- {command}" in minimal
    assert "helm test inv -n billing --logs" in minimal


def test_commands_of_the_notes_exist(capsys: pytest.CaptureFixture[str]) -> None:
    notes = charts.texts(MINIMAL)["NOTES.txt"] + charts.texts(charts.example("observe"))["NOTES.txt"]
    commands = re.findall(r"-- worker ([^#\n]*)", notes) + re.findall(r"or worker (topics [^)]*)", notes)
    assert len(commands) >= 8
    for command in commands:
        # Wrong arguments end with status 2 before anything is done, so these must be right up to one that is not there.
        with pytest.raises(SystemExit):
            main([*shlex.split(command), "--not-there"])
        assert capsys.readouterr().err.endswith("unrecognized arguments: --not-there\n"), command


def test_pods_are_replaced_when_what_they_read_at_start_changes() -> None:
    before = _checksums(OWN_SECRET)
    setting = _checksums(changed(OWN_SECRET, settings__WORKER_LOG_LEVEL="debug"))
    assert setting["checksum/config"] != before["checksum/config"]
    assert setting["checksum/secret"] == before["checksum/secret"]
    secret = _checksums(changed(OWN_SECRET, secrets__KAFKA_SASL_PASSWORD__value="another"))
    assert secret["checksum/config"] == before["checksum/config"]
    assert secret["checksum/secret"] != before["checksum/secret"]
    assert _checksums(changed(OWN_SECRET, replicas=5, podDisruptionBudget__enabled=False)) == before


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_an_upgrade_changes_nothing_that_cannot_be_changed(kind: str) -> None:
    before = charts.workload(charts.render(changed(MINIMAL, workload__kind=kind)))
    after = charts.workload(
        charts.render(
            changed(
                MINIMAL,
                workload__kind=kind,
                image__tag="9.9.9",
                replicas=5,
                commonLabels={"team": "billing"},
                podLabels={"tier": "back"},
                settings__WORKER_LOG_LEVEL="debug",
                spool__sizeMiB=4096,
            )
        )
    )
    fixed = ("selector", "serviceName", "podManagementPolicy")
    assert [before["spec"].get(name) for name in fixed] == [after["spec"].get(name) for name in fixed]
    assert before["metadata"]["name"] == after["metadata"]["name"]
    assert before["spec"]["template"] != after["spec"]["template"]


@EVERY_EXAMPLE
def test_selectors_find_the_worker_and_not_the_job(path: Path) -> None:
    objects = charts.render(charts.values_of(path))
    labels = charts.workload(objects)["spec"]["template"]["metadata"]["labels"]
    jobs = [template["metadata"]["labels"] for template in charts.pod_templates(objects)]
    jobs.remove(labels)
    for each in objects:
        selector: Any = each["spec"].get("selector") if "spec" in each else None
        if selector is not None:
            wanted = selector.get("matchLabels", selector).items()
            assert wanted <= labels.items(), each["kind"]
            assert not any(wanted <= job.items() for job in jobs), each["kind"]


def test_a_deployment_takes_one_more_pod_and_none_less_while_it_upgrades() -> None:
    spec = charts.workload(charts.render(MINIMAL))["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["minReadySeconds"] == 15


def test_static_members_are_called_like_their_pods() -> None:
    objects = charts.render(charts.example("statefulset"))
    found = charts.workload(objects)
    names = {entry["name"]: entry["valueFrom"] for entry in charts.container(found["spec"]["template"])["env"]}
    pod_name = {"fieldRef": {"fieldPath": "metadata.name"}}
    assert names == {"KAFKA_CLIENT_ID": pod_name, "KAFKA_GROUP_INSTANCE_ID": pod_name}
    service = charts.one(objects, "Service")
    assert found["spec"]["serviceName"] == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"
    members = charts.container(charts.workload(charts.render(MINIMAL))["spec"]["template"])["env"]
    assert [entry["name"] for entry in members] == ["KAFKA_CLIENT_ID"]
