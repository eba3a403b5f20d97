"""What an edit changes in an event's data: pointers to set, differences, and the header that names them. Pure."""

import copy
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from schemas.dead_letters import MAX_HEADER
from schemas.jsontext import JsonError, JsonValue, loads

_INDEX: Final = re.compile(r"0|[1-9]\d{0,5}")
_APART: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One place (JSON pointer, RFC 6901) and what stands there; None on the side where nothing does.

    The values are the event's own: for the eyes of who edits, for no log and no header.
    """

    pointer: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True)
class Wrong:
    """An assignment that can't be made: what, where, and what to do."""

    message: str


def assignment(text: str) -> tuple[str, JsonValue] | Wrong:
    """The pointer and the value of `/pointer=value`. What is not JSON is a text; `null` takes the field away."""
    pointer, equals, written = text.partition("=")
    if not equals or not pointer.startswith("/"):
        return Wrong(f"{pointer!r}: give /pointer=value, for example /invoice/email=kari@example.com")
    value = loads(written.encode("utf-8", "surrogateescape"))
    return pointer, written if isinstance(value, JsonError) else value


def with_value(data: JsonValue, pointer: str, value: JsonValue) -> JsonValue | Wrong:
    """A copy of `data` with `value` at the pointer (None: without what stands there). `-` appends to a list."""
    made = copy.deepcopy(data)
    *above, last = pointer.removeprefix("/").split("/")
    place: JsonValue = made
    for name in map(_unescaped, above):
        found = _step(place, name)
        if found is _ABSENT:
            return Wrong(f"{pointer}: there is no {name!r} on the way")
        place = found  # type: ignore[assignment]
    name = _unescaped(last)
    if isinstance(place, dict):
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
        return made
    if isinstance(place, list) and name == "-" and value is not None:
        place.append(value)
        return made
    if isinstance(place, list) and _INDEX.fullmatch(name) and int(name) < len(place):
        if value is None:
            del place[int(name)]
        else:
            place[int(name)] = value
        return made
    return Wrong(f"{pointer}: there is nothing to set")


def differences(before: JsonValue, after: JsonValue, pointer: str = "") -> list[Change]:
    """Every place in which they differ, in the order of `after`; objects and lists are compared part by part."""
    return list(_differences(before, after, pointer))


def changed_header(pointers: Iterable[str]) -> str:
    """The value of the header `command-changed`: pointers between blanks, at most `MAX_HEADER` bytes.

    Too many are told by the places that hold them; a blank or a control character in a name is percent-encoded, as in
    a URI fragment (RFC 6901, section 6).
    """
    names = list(dict.fromkeys(_APART.sub(lambda found: quote(found.group()), pointer) for pointer in pointers))
    depth = max((name.count("/") for name in names), default=0)
    while _size(names) > MAX_HEADER and depth > 1:
        depth -= 1
        names = list(dict.fromkeys("/".join(name.split("/")[: depth + 1]) for name in names))
    while _size(names) > MAX_HEADER:
        names.pop()
    return " ".join(names)


def _differences(before: JsonValue, after: JsonValue, pointer: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*after, *(name for name in before if name not in after)]:
            yield from _differences(before.get(name), after.get(name), f"{pointer}/{_escaped(name)}")
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _differences(_at(before, index), _at(after, index), f"{pointer}/{index}")
    elif type(before) is not type(after) or before != after:
        yield Change(pointer, before, after)


def _at(items: Sequence[JsonValue], index: int) -> JsonValue:
    return items[index] if index < len(items) else None


def _step(place: JsonValue, name: str) -> object:
    if isinstance(place, dict):
        return place.get(name, _ABSENT)
    if isinstance(place, list) and _INDEX.fullmatch(name) and int(name) < len(place):
        return place[int(name)]
    return _ABSENT


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _size(names: Sequence[str]) -> int:
    return len(" ".join(names).encode("utf-8", "replace"))
