"""`docs/reference/commands.md`, made from the parser: `python -m worker.cli.reference` prints it."""

import argparse
import sys
from collections.abc import Iterator

from worker.cli.program import command_parser

_HEAD = """# Commands

Made from the parsers by `python -m worker.cli.reference > docs/reference/commands.md`; a test holds the two together.
`worker … --help` says the same; `worker demo --help` has the demo's options. Also as `python -m worker …`.

Exit status: 0 well; 1 it failed, or what was looked at is not as it must be; 2 wrong usage or refused settings; 130
interrupted. Each command's own says more. Settings come from the environment, `.env` and a secrets directory
([settings](settings.md)); `--env-file` names another dotenv file than `.env`.
"""
_EVERYWHERE = frozenset({"help", "env_file"})
"""Options that go without saying on this page."""
_EXIT = "exit status: "


def render() -> str:
    """The page: Markdown, one section for each command."""
    return "\n".join([_HEAD, *_sections(command_parser(), "worker", "")])


def _sections(parser: argparse.ArgumentParser, name: str, short: str) -> Iterator[str]:
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001 - argparse tells of its actions in no other way
    if not below:
        yield "\n".join(_section(parser, name, short))
    for group in below:
        helps = {choice.dest: choice.help or "" for choice in group._choices_actions}  # noqa: SLF001
        for word, child in group.choices.items():
            yield from _sections(child, f"{name} {word}", helps.get(word, ""))


def _section(parser: argparse.ArgumentParser, name: str, short: str) -> Iterator[str]:
    yield f"## `{name}`"
    yield ""
    text = parser.description or f"{short[:1].upper()}{short[1:]}."
    yield from _paragraphs(text)
    if parser.epilog:
        yield from _paragraphs(parser.epilog)
    actions = [action for action in parser._actions if action.dest not in _EVERYWHERE]  # noqa: SLF001
    if actions:
        yield "| option | |"
        yield "| --- | --- |"
        for action in actions:
            yield f"| {_names(action)} | {_cell(_meaning(action))} |"
        yield ""


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        plain = paragraph.strip()
        yield f"Exit status: {plain.removeprefix(_EXIT)}" if plain.startswith(_EXIT) else plain
        yield ""


def _names(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else ""
    if action.choices is not None and not value:
        value = "|".join(map(str, action.choices))
    if not action.option_strings:
        return f"`{_cell(value or action.dest)}`"
    takes = f" {value or action.dest.upper()}" if action.nargs != 0 else ""
    if action.nargs == "?":
        takes = f" [{takes.strip()}]"
    return ", ".join(f"`{_cell(name + takes)}`" for name in action.option_strings)


def _meaning(action: argparse.Action) -> str:
    meaning = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    return f"{meaning} (required)" if action.required and action.option_strings else meaning


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render())
