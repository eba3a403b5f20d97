"""What was found in an event: as text for people, as a JSON object for programs."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from worker.checking.items import Broken, Item
from worker.checking.judge import Finding, Judged
from worker.checking.reading import Format, read_items
from worker.cli.common import complain
from worker.model import Command, Event, Invalid

STDIN = "-"
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Inputs:
    """The items of several files, one after another. `unreadable` is set when one could not be read."""

    def __init__(self, files: Sequence[str], form: Format) -> None:
        self._files = files
        self._form = form
        self.unreadable = False

    def __iter__(self) -> Iterator[Item | Broken]:
        for file in self._files:
            try:
                if file == STDIN:
                    yield from read_items(sys.stdin.buffer, "(stdin)", self._form)
                else:
                    with Path(file).open("rb") as stream:
                        yield from read_items(stream, file, self._form)
            except OSError as error:
                complain(f"{file}: can't be read: {error.strerror or type(error).__name__}")
                self.unreadable = True


def as_lines(judged: Judged) -> Iterator[str]:
    """A line for each finding: place, severity, code, where, whose, the rule, and what to do."""
    whose = f" [{judged.identity}]" if judged.identity else ""
    for finding in judged.findings:
        problem = finding.problem
        where = f" at {problem.pointer}" if problem.pointer else ""
        advice = f" → {finding.advice}" if finding.advice else ""
        line = f"{judged.place}: {finding.severity}: {problem.code}{where}{whose}: {problem.message}{advice}"
        yield plain(line)


def plain(text: str) -> str:
    """Without control characters: a field's name is the producer's, and a terminal would obey it."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def as_object(judged: Judged) -> dict[str, Any]:
    """One item for programs; what is not known is null."""
    return {
        "kind": "item",
        "file": judged.place.file,
        "line": judged.place.line,
        "valid": judged.valid,
        "identity": judged.identity,
        "eventId": judged.event_id,
        "would": _would(judged),
        "partition": judged.partition,
        "findings": [_finding(finding) for finding in judged.findings],
    }


def _would(judged: Judged) -> str:
    """What the worker would do with it."""
    match judged.decoded:
        case Invalid(reason=reason):
            return f"reject: {reason}"
        case Event():
            return "process"
        case Command():
            return "obey"
        case None:
            return "never see it"


def _finding(finding: Finding) -> dict[str, Any]:
    problem = finding.problem
    return {
        "severity": finding.severity.value,
        "pointer": problem.pointer,
        "code": problem.code,
        "message": problem.message,
        "suggestion": finding.advice,
    }
