"""What every deciding verb refuses, and how a run tells to go on."""

import argparse
import stat
import sys
from pathlib import Path

import pytest

from tests.unit.fakes_core import make_record
from worker.cli import main
from worker.cli.dead_letters.deciding import again, decision_of, run_name
from worker.cli.dead_letters.edit import _in_editor
from worker.deadletters.changes import Wrong


def given(**changes):
    return argparse.Namespace(**({"run": None, "resume": None, "who": None, "why": "mended"} | changes))


def test_who_is_the_user_and_the_run_has_a_name(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "ola")
    one, other = decision_of(given()), decision_of(given())
    assert (one.who, one.why) == ("ola", "mended")
    assert one.run.startswith("run-")
    assert one.run != other.run
    assert decision_of(given(run="mine", who="kari")).run == "mine"
    assert decision_of(given(resume="theirs")).run == "theirs"


@pytest.mark.parametrize("changes", [{"why": " "}, {"who": "k" * 1001}])
def test_an_audit_that_says_nothing_is_refused(changes, capsys):
    assert decision_of(given(**changes)) is None
    assert "refused: --wh" in capsys.readouterr().err


def test_a_user_without_a_name_is_asked_for_one(monkeypatch, capsys):
    def nobody():
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert decision_of(given()) is None
    assert "--who" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["replay", "discard"])
def test_why_must_be_said(verb, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["dead-letters", verb])
    assert ended.value.code == 2
    assert "--why" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["replay", "--why", "x", "--run", "a", "--resume", "b"],
        ["resolve", "1/Invoice/1", "--why", "x", "--registered", " "],
        ["resolve", "1/Invoice/1", "--why", "x", "--not-registered", "--replay", "--no-wait"],
        ["replay", "--why", "x", "--state", "lost"],
    ],
)
def test_what_contradicts_itself_is_refused(words, capsys, monkeypatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "localhost:1")
    assert main(["dead-letters", *words]) == 2
    assert "refused" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "a b", "../x", "é", "x" * 65])
def test_run_names_are_plain(name):
    with pytest.raises(argparse.ArgumentTypeError):
        run_name(name)


@pytest.mark.parametrize(
    "words",
    [
        ["dead-letters", "replay", "--why", "it's well", "--run", "old"],
        ["dead-letters", "replay", "--why", "it's well", "--resume=old"],
        ["dead-letters", "replay", "--why", "it's well"],
    ],
)
def test_the_command_that_goes_on_is_the_same_with_the_runs_name(words):
    assert again(words, "r-1") == "worker dead-letters replay --why 'it'\"'\"'s well' --resume r-1"


def test_the_editor_gets_a_private_file_that_is_gone_afterwards(tmp_path, monkeypatch):
    script = tmp_path / "editor.py"
    log = tmp_path / "log"
    script.write_text(
        "import os, pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        f"pathlib.Path({str(log)!r}).write_text(str(path) + chr(10) + oct(os.stat(path.parent).st_mode))\n"
        "path.write_text(path.read_text().replace('2500', '2600.10'))\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    assert b'"originalAmount": 2600.10' in _in_editor(make_record(0))
    path, mode = log.read_text().splitlines()
    assert not Path(path).exists()
    assert stat.S_IMODE(int(mode, 8)) == 0o700


def test_without_an_editor_it_says_what_to_do(monkeypatch):
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    assert isinstance(_in_editor(make_record(0)), Wrong)
    monkeypatch.setenv("EDITOR", "false")
    assert isinstance(_in_editor(make_record(0)), Wrong)
