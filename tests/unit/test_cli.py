"""The command line: what it prints where, and its exit statuses."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from worker.cli import main

GOOD = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "KRAVIA_TOKEN": "s3cr3t"}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty directory without .env, and no settings of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_")):
            monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_config_prints_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config"]) == 0
    out = capsys.readouterr().out
    assert "KRAVIA_TOKEN" in out
    assert "s3cr3t" not in out


def test_config_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["KAFKA_BOOTSTRAP_SERVERS"]["value"] == "127.0.0.1:1"


def test_config_reads_the_env_file_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.env").write_text("WORKER_GRACE=99\n")
    assert main(["config", "--json", "--env-file", "other.env"]) == 0
    assert json.loads(capsys.readouterr().out)["WORKER_GRACE"] == {
        "value": 99.0,
        "origin": "other.env",
        "secret": False,
    }


@pytest.mark.parametrize("command", [["config"], ["run"], ["topics", "check"], ["topics", "create"]])
def test_refused_settings_are_status_2_and_on_stderr(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORKER_GRACE", "1")
    monkeypatch.setenv("WORKER_GRASE", "100")
    assert main(command) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "refused: WORKER_DRAIN_TIMEOUT=45, WORKER_GRACE=1: " in told.err
    assert "warning: WORKER_GRASE (environment) is no setting and has no effect; did you mean WORKER_GRACE?" in told.err


def test_topics_need_no_token_and_unreachable_brokers_are_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KRAVIA_TOKEN")
    assert main(["topics", "check"]) == 1
    told = capsys.readouterr().out
    assert "127.0.0.1:1: nothing listens there (connection refused)" in told
    assert "check KAFKA_BOOTSTRAP_SERVERS: the port, and that the broker runs" in told
    assert main(["topics", "create"]) == 1
    assert "no topic was made: 127.0.0.1:1" in capsys.readouterr().err


def test_unusable_certificates_are_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SSL")
    monkeypatch.setenv("KAFKA_SSL_CA_FILE", __file__)
    assert main(["topics", "check"]) == 2
    assert "refused: KAFKA_SSL_CA_FILE" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [[], ["nonsense"], ["topics"], ["topics", "create", "--partitions", "0"], ["config", "--json", "--describe"]],
)
def test_wrong_usage_is_status_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "usage: worker" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["topics", "create", "--help"], ["config", "--help"]])
def test_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 0
    assert "usage: worker" in capsys.readouterr().out


def test_python_m_worker_is_the_same_command() -> None:
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-m", "worker", "config"],
        env={**os.environ, "PYTHONPATH": str(root), "WORKER_GRACE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "refused: " in ended.stderr
