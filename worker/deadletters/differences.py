"""What differs between two JSON values, as JSON pointers (RFC 6901) with what stood there before and after. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from schemas.jsontext import JsonValue, dumps


class Absent(Enum):
    """There is nothing at this place."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place that differs. Lists are compared place by place."""

    path: Path
    before: JsonValue | Absent
    after: JsonValue | Absent


def differences(before: JsonValue, after: JsonValue, path: Path = ()) -> Iterator[Difference]:
    """Every place that differs, in the order of the first; `2500` and `2500.00` are different texts, so they differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in (*before, *(name for name in after if name not in before)):
            yield from _at((*path, name), before.get(name, ABSENT), after.get(name, ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _at(
                (*path, index),
                before[index] if index < len(before) else ABSENT,
                after[index] if index < len(after) else ABSENT,
            )
    elif dumps(before) != dumps(after):
        yield Difference(path, before, after)


def _at(path: Path, before: JsonValue | Absent, after: JsonValue | Absent) -> Iterator[Difference]:
    if isinstance(before, Absent) or isinstance(after, Absent):
        yield Difference(path, before, after)
    else:
        yield from differences(before, after, path)


def pointer(path: Path) -> str:
    """The path as a JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
