"""What the doctor found. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """The worker would run; something may go wrong, or could not be checked."""
    FAIL = "fail"
    """It would refuse to start, or not do its work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`area`: what part it is about; `what`: what was looked at; `detail`: how it is; `remedy`: what to do.

    Texts are for the operator: no secret, nothing of an event.
    """

    level: Level
    area: str
    what: str
    detail: str
    remedy: str = ""


def ok(area: str, what: str, detail: str) -> Finding:
    """It is as it must be."""
    return Finding(Level.OK, area, what, detail)


def warn(area: str, what: str, detail: str, remedy: str) -> Finding:
    """See `Level.WARN`."""
    return Finding(Level.WARN, area, what, detail, remedy)


def fail(area: str, what: str, detail: str, remedy: str) -> Finding:
    """See `Level.FAIL`."""
    return Finding(Level.FAIL, area, what, detail, remedy)


def failed(findings: Iterable[Finding]) -> bool:
    """Whether anything must be mended before the worker can run."""
    return any(finding.level is Level.FAIL for finding in findings)
