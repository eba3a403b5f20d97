"""Commands in the text of the pages, often shortened: what they name exists."""

import argparse
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import standins
from tests.docs.blocks import Inline, all_inline
from tests.docs.markdown import ROOT
from tests.docs.samples import FILES
from worker.cli.program import command_parser
from worker.demo.options import add_arguments

_PROGRAM = re.compile(r"(?:\.venv/bin/)?(worker|make|python|helm|kubectl|docker|kafka-[\w-]+\.sh)(?: .*)?", re.DOTALL)
_PLACEHOLDER = re.compile(r"…|[A-Z]+|\.\.\.")
_VERBS_ALONE = 2
"""`helm upgrade` says which command is meant; it is not the command."""


def _commands() -> dict[str, str]:
    """Each command in the pages' text, and the first place of it."""
    found: dict[str, str] = {}
    for each in all_inline():
        if _PROGRAM.fullmatch(each.text):
            for command in _alternatives(each):
                found.setdefault(command, f"{each.page}:{each.line}")
    return found


def _alternatives(each: Inline) -> Iterator[str]:
    """`a b|c [--d|--e]` is four commands in one; what is in brackets counts."""
    text = re.sub(r"[\[\]](?![^']*' )", "", each.text.partition(" > ")[0]) if "'" not in each.text else each.text
    words = text.split(" ") if "'" not in text else [text]
    several = next((word for word in words if "|" in word), None)
    if several is None:
        yield text
        return
    for one in several.split("|"):
        yield from _alternatives(Inline(each.page, each.line, text.replace(several, one, 1)))


COMMANDS = _commands()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{COMMANDS[command]} {command}")
def test_what_a_command_names_exists(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program, *words = shlex.split(command)
    program = program.rpartition("/")[2]
    if program == "python" and words[0] == "-m":
        assert importlib.util.find_spec(words[1]) is not None
        if words[1] != "worker":
            return
        program, words = "worker", words[2:]
    if program == "worker":
        _names_exist(words)
        return
    for name, make in FILES.items():
        (tmp_path / name).write_bytes(make())
    (tmp_path / "helm").symlink_to(ROOT / "helm")
    monkeypatch.chdir(tmp_path)
    if len(words) < _VERBS_ALONE and program in ("helm", "kubectl", "docker"):
        words = [*words, "--no-such-option"]
        with pytest.raises(SystemExit):
            standins.STAND_INS[program](words)
        assert "invalid choice" not in capsys.readouterr().err
    else:
        assert standins.STAND_INS[program](words) == 0, capsys.readouterr().err


def _names_exist(words: list[str]) -> None:
    """Subcommands, options, and values of options that have a closed list."""
    parser = command_parser()
    if words[:1] == ["demo"]:  # which has a parser of its own
        parser, words = argparse.ArgumentParser(prog="worker demo"), words[1:]
        add_arguments(parser)
    option: argparse.Action | None = None
    for word in words:
        below = next((each for each in parser._actions if isinstance(each, argparse._SubParsersAction)), None)
        if word.startswith("--"):
            name = word.partition("=")[0]
            option = parser._option_string_actions.get(name)
            assert option is not None, f"{parser.prog} has no {name}"
        elif below is not None:
            assert word in below.choices or _PLACEHOLDER.fullmatch(word), f"{parser.prog} has no {word}"
            parser = below.choices.get(word, parser)
        elif option is not None:
            choices = option.choices
            assert choices is None or word in choices or _PLACEHOLDER.fullmatch(word), f"{option.dest}: {word}"
            option = None
