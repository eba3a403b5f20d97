"""The stand-ins refuse what the real programs would refuse, and a shell notices it."""

import re
from collections.abc import Callable

import pytest

from tests.docs import standins
from tests.docs.blocks import Block
from tests.docs.markdown import ROOT
from tests.docs.shell import Shell
from tests.ops.charts import EXAMPLES

VALUES = str(EXAMPLES[0].with_name("minimal-values.yaml"))
POD = "deployment/invoice-kravia-invoice-worker"


@pytest.mark.parametrize(
    "words",
    [
        ["kubectl", "get", "pods", "-l", "app.kubernetes.io/name=kravia-invoice-worker"],
        ["kubectl", "-n", "billing", "logs", POD, "-f"],
        ["kubectl", "rollout", "restart", POD, "--namespace", "billing"],
        ["helm", "upgrade", "--install", "invoice", "helm", "-f", VALUES, "--set", "replicas=3"],
        ["docker", "build", "--build-arg", "REVISION=1", "-t", "worker", "."],
        ["kafka-topics.sh", "--bootstrap-server", "kafka:9092", "--list"],
        ["python", "-m", "tests.simulation", "--seed", "7"],
        ["make", "simulate", "SEEDS=3"],
    ],
    ids=" ".join,
)
def test_what_is_right_is_taken(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert standins.STAND_INS[words[0]](words[1:]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kubectl", "get", "pods", "-l", "app=worker"], "no label app=worker"),
        (["kubectl", "logs", "deployment/worker"], "no Deployment worker"),
        (["kubectl", "exec", POD, "--", "curl", "localhost:8080"], "the image holds nothing else"),
        (["kubectl", "port-forward", POD, "9090"], "listens on 8080"),
        (["helm", "upgrade", "--install", "invoice", "helm", "-f", VALUES, "--set", "replcas=3"], "replcas"),
        (["helm", "install", "invoice", "charts/worker", "-f", VALUES], "not this repository's chart"),
        (["docker", "build", "--build-arg", "COMMIT=1", "."], "no ARG COMMIT"),
        (["kafka-topics.sh", "--zookeeper", "kafka:2181"], "--zookeeper"),
        (["python", "-m", "tests.simulation", "--sede", "7"], "--sede"),
        (["make", "everything"], "everything"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_what_is_wrong_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        standins.STAND_INS[words[0]](words[1:])
    assert said in capsys.readouterr().err


def test_what_runs_a_make_target_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target, what in standins.TARGETS.items():
        assert re.search(rf"^(\S+ )?{target}:", makefile, re.MULTILINE), target
        for path in re.findall(r"(?:tests/|\.ci/)[\w/.]+\w", what):
            assert (ROOT / path).exists(), f"{target}: {path}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("worker dead-letters list --raeson expired\n", "--raeson"),
        ("worker why 10759/Invoice/999999999\n", "ended with 1"),
        ("false\ntrue\n", "`false` ended with 1"),
        ("echo well | grep -q ill\n", "ended with 1"),
        ("kafka-frobnicate.sh\n", "ended with 127"),
        ("echo $NOBODY_SET_THIS\n", "unbound variable"),
    ],
)
def test_a_shell_notices_what_fails(text: str, said: str, shell_of: Callable[[Block], Shell]) -> None:
    with pytest.raises(AssertionError) as failed:
        shell_of(Block(f"{text}.md", 1, "sh", text)).run(text)
    assert said in str(failed.value)
