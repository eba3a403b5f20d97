"""What an edit changes in an event's data: JSON pointers (RFC 6901) to set, and the header that names them. Pure."""

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from schemas.dead_letters import MAX_HEADER
from schemas.jsontext import JsonError, JsonValue, loads

_INDEX: Final = re.compile(r"0|[1-9]\d{0,5}")
_APART: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_ABSENT: Final = object()


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


def _step(place: JsonValue, name: str) -> object:
    if isinstance(place, dict):
        return place.get(name, _ABSENT)
    if isinstance(place, list) and _INDEX.fullmatch(name) and int(name) < len(place):
        return place[int(name)]
    return _ABSENT


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _size(names: Sequence[str]) -> int:
    return len(" ".join(names).encode("utf-8", "replace"))
