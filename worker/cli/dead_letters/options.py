"""Options that several verbs have: which dead letters are meant, and how the answer is written."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from worker.cli.common import complain
from worker.deadletters.selection import OPTIONS, Selection, parse

T = TypeVar("T")
MAX_COUNT: Final = 10_000_000


def selection_parser() -> argparse.ArgumentParser:
    """A parent parser: the filters of `worker.deadletters.selection`, for `selection_of`."""
    return filter_parser(
        OPTIONS,
        "which dead letters",
        "Each may be given several times: its values are alternatives. Different filters must all fit.",
    )


def filter_parser(options: Mapping[str, str], title: str, description: str) -> argparse.ArgumentParser:
    """A parent parser with an option for each filter, for `filters_of`."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group(title, description)
    for name, takes in options.items():
        group.add_argument(
            f"--{name}", action="append", default=[], metavar=name.split("-")[-1].upper(), dest=_dest(name), help=takes
        )
    return parser


def selection_of(arguments: argparse.Namespace) -> Selection | None:
    """The selection of a parser with `selection_parser`; None: refused, which stderr explains."""
    return filters_of(arguments, OPTIONS, parse)


def filters_of(
    arguments: argparse.Namespace,
    options: Mapping[str, str],
    parse: Callable[[Mapping[str, Sequence[str]], datetime], T | list[str]],
) -> T | None:
    """What `parse` makes of the filters that were given; None: refused, which stderr explains."""
    given = {name: getattr(arguments, _dest(name)) for name in options if getattr(arguments, _dest(name))}
    found = parse(given, datetime.now(UTC))
    if isinstance(found, list):
        for problem in found:
            complain(f"refused: --{problem}")
        return None
    return found


def format_parser(*, limit: str) -> argparse.ArgumentParser:
    """A parent parser: a table, JSON Lines or CSV, and at most how many; `limit` says of what."""
    parser = argparse.ArgumentParser(add_help=False)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a JSON object on each line")
    form.add_argument("--csv", action="store_true", help="comma-separated values with a line of names")
    parser.add_argument("--limit", type=count, metavar="N", help=f"at most N {limit}")
    return parser


def count(text: str) -> int:
    """At least 1. Raises ArgumentTypeError."""
    value = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    if not 1 <= value <= MAX_COUNT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {MAX_COUNT}")
    return value


def _dest(name: str) -> str:
    return f"filter_{name.replace('-', '_')}"
