"""The demo's command line, and what its worker gets to see of this machine."""

import argparse
import sys
from pathlib import Path

import pytest

from worker.demo.launch import command, environment, python_path
from worker.demo.options import Options, add_arguments, options
from worker.demo.run import main
from worker.demo.worker_process import settings
from worker.model import TopicNames
from worker.settings import Loaded, load

VALUES = settings("127.0.0.1:9092", "http://127.0.0.1:8081", "demo-token", TopicNames(), 8080)


def parsed(*words: str) -> Options:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return options(parser.parse_args(words))


def test_defaults():
    assert parsed() == Options()
    assert Options().kill_worker


def test_everything_can_be_chosen():
    words = [
        "--events",
        "7",
        "--partitions",
        "2",
        "--seed",
        "9",
        "--rate",
        "0",
        "--timeout",
        "5",
        "--plain",
        "--no-kill-worker",
    ]
    assert parsed(*words) == Options(7, 2, 9, 0.0, 5.0, plain=True, kill_worker=False)


@pytest.mark.parametrize("words", [["--events", "0"], ["--rate", "-1"], ["--rate", "inf"], ["--partitions", "x"]])
def test_wrong_usage_is_status_2_and_names_the_option(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as refused:
        main(words)
    assert refused.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_the_worker_sees_none_of_this_machines_settings():
    inherited = {"PATH": "/bin", "KRAVIA_TOKEN_FILE": "/secret", "WORKER_IN_DOUBT": "quarantine", "kafka_group_id": "x"}
    found = environment(["KAFKA_GROUP_ID=demo", "KRAVIA_TOKEN=a=b"], inherited)
    assert found == {"PATH": "/bin", "KAFKA_GROUP_ID": "demo", "KRAVIA_TOKEN": "a=b"}


def test_the_demos_settings_are_good_ones():
    loaded = load(VALUES, env_file=None)
    assert isinstance(loaded, Loaded), loaded
    assert not loaded.warnings


def test_the_worker_starts_in_its_own_directory(tmp_path: Path):
    words = command(tmp_path, {"KAFKA_GROUP_ID": "demo"})
    assert words == [sys.executable, "-m", "worker.demo.launch", str(tmp_path), "KAFKA_GROUP_ID=demo"]


def test_a_child_can_import_us_from_anywhere():
    root = str(Path(__file__).parents[2])
    assert python_path({}) == {"PYTHONPATH": root}
    assert python_path({"PYTHONPATH": "/x"})["PYTHONPATH"].split(":") == [root, "/x"]
