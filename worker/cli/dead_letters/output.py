"""Rows as a table for people, as JSON Lines, or as CSV. Texts are made harmless for a terminal and a spreadsheet."""

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

# C0 and C1 controls, and Unicode's controls of lines and direction: a terminal would obey them.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# What a spreadsheet takes for a formula (OWASP, "CSV Injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

_WIDE: Final = 10_000

Row = Mapping[str, Any]


def write(
    arguments: argparse.Namespace, columns: Sequence[str], rows: Iterable[Row], *, below: Sequence[str] = ()
) -> None:
    """Write to stdout as `arguments` (of `format_parser`) ask for. `columns`: those of table and CSV.

    `below`: those whose texts are too long for a terminal's table; they come in lines of their own there.
    """
    if arguments.json:
        for row in rows:
            print(json.dumps(jsonable(row), ensure_ascii=False))
    elif arguments.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(row.get(name)) for name in columns])
    elif sys.stdout.isatty():
        console, given = Console(), list(rows)
        table = _table(columns, given)
        # A table that must fold its cells is read by nobody.
        unbounded = console.options.update(max_width=_WIDE)
        if below or console.measure(table, options=unbounded).maximum > console.width:
            _blocks(console, [name for name in columns if name not in below], below, given)
        else:
            console.print(table)
    else:
        print("\t".join(columns))
        for row in rows:
            print("\t".join(text(row.get(name)) or "-" for name in columns))


def _blocks(console: Console, columns: Sequence[str], below: Sequence[str], rows: Iterable[Row]) -> None:
    for row in rows:
        first = Text()
        for name in columns:
            if words := text(row.get(name)):
                first.append(f"{name} ", style="dim").append(f"{words}  ")
        console.print(first)
        for name in below:
            if words := text(row.get(name)):
                console.print(Text(f"  {name}: ", style="dim").append(words))


def _table(columns: Sequence[str], rows: Iterable[Row]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, no_wrap=True)
    for row in rows:
        # Text, not markup: a field may hold brackets.
        table.add_row(*(Text(text(row.get(name))) for name in columns))
    return table


def text(value: object) -> str:
    """A value in one line; nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return timestamp(value, digits="seconds")
        case Mapping():
            return " ".join(f"{text(item)} {text(name)}" for name, item in value.items())
        case list() | tuple():
            return " ".join(map(text, value))
        case _:
            return safe(str(value))


def safe(words: str) -> str:
    """Without controls."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", words)


def timestamp(moment: datetime, digits: str = "auto") -> str:
    """RFC 3339."""
    return moment.isoformat(timespec=digits).replace("+00:00", "Z")


def jsonable(value: object) -> Any:
    """The value in what JSON has; a Decimal as text, as outcomes have it."""
    match value:
        case None | bool() | int() | float():
            return value
        case Decimal():
            return f"{value:f}"
        case datetime():
            return timestamp(value)
        case Mapping():
            return {str(name): jsonable(item) for name, item in value.items()}
        case str():
            return str(value)
        case list() | tuple():
            return [jsonable(item) for item in value]
        case _:
            return str(value)


def _cell(value: object) -> str:
    words = timestamp(value) if isinstance(value, datetime) else text(value)
    return f"'{words}" if words.startswith(_FORMULA) else words
