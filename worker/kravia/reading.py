"""What the bodies of answers hold. Pure.

ASSUMPTION, all of it: Kravia's guides show no answer. Each reader takes every form that is plausible and says None
("it does not tell") for anything else; it never guesses.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from worker.ports import Details, SearchPage

ID_FIELDS = ("id", "invoiceId", "claimId")
_MAX_ID = 200
_UNFIT_FOR_A_PATH = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\ud800-\udfff\u2028\u2029]")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._~-]*[0-9][A-Za-z0-9._~-]*")
_FIELD_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$.\[\]-]{0,63}")
_MAX_NAMES = 20

_DOCUMENT_LISTS = ("documents", "invoicedocuments", "attachments")
_DOCUMENT_NAMES = ("filename", "name", "documentname", "title")
_ACTION_LISTS = ("availableactions", "actions")
_ACTION_NAMES = ("action", "name", "type", "actiontype")
_WRAPPERS = ("data", "invoice", "result", "details", "claim")


class _Integer(str):
    """A JSON integer's digits: exact, however many there are."""

    __slots__ = ()


_DECODER = json.JSONDecoder(parse_int=_Integer, parse_float=Decimal)
"""Made once: `json.loads` makes one for each call that passes hooks."""


def parse(text: str) -> object | None:
    """JSON with exact numbers (integers as `_Integer`, others as Decimal); None for what is no JSON."""
    try:
        value: object = _DECODER.decode(text)
    except (ValueError, RecursionError):  # not JSON; nested too deeply to be an answer
        return None
    return value


def _identifier(value: object) -> str | None:
    """An id that can stand in a path: an integer or a string, as text. Booleans, floats, null and the like are none."""
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        return None
    if len(value) > _MAX_ID or value in (".", "..") or _UNFIT_FOR_A_PATH.search(value):
        return None
    return str(value)


def _at(document: object, pointer: str) -> object | None:
    """What an RFC 6901 pointer leads to; None when it leads nowhere."""
    for raw in pointer.split("/")[1:]:
        token = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict) and token in document:
            document = document[token]
        elif isinstance(document, list) and re.fullmatch(r"0|[1-9][0-9]{0,8}", token) and int(token) < len(document):
            document = document[int(token)]
        else:
            return None
    return document


def read_id(text: str, content_type: str | None, pointer: str | None) -> str | None:
    """The invoice's id in register's answer, opaque; None: none that can be relied on.

    A bare JSON number or string, or an object's `id`, `invoiceId` or `claimId`; where several are there they must
    agree. With `pointer` only that place counts. A `text/plain` body without quotes counts when it is one word with a
    digit in it ("OK" is no id).
    """
    document = parse(text)
    if document is None:
        word = text.strip()
        plain = (content_type or "").lower().startswith("text/plain")
        bare = plain and pointer in (None, "") and _PLAIN_ID.fullmatch(word)
        return _identifier(word) if bare else None
    if pointer is not None:
        return _identifier(_at(document, pointer))
    if not isinstance(document, dict):
        return _identifier(document)
    found = {known for name in ID_FIELDS if (known := _identifier(document.get(name))) is not None}
    return found.pop() if len(found) == 1 else None


def field_names(text: str) -> tuple[str, ...]:
    """Names of an object's fields, and of those under `errors`, bounded; never a value. Odd names are `?`."""
    document = parse(text)
    if not isinstance(document, dict):
        return ()
    names = [_safe(name) for name in document]
    errors = document.get("errors")
    if isinstance(errors, dict):
        names += [f"errors.{_safe(name)}" for name in errors]
    return tuple(dict.fromkeys(names))[:_MAX_NAMES]


def _safe(name: str) -> str:
    return name if _FIELD_NAME.fullmatch(name) else "?"


def read_details(text: str) -> Details:
    """Which documents are there and whether Start is available, as far as the body tells.

    A list of documents counts only when every entry has a file name.
    """
    document = parse(text)
    places = [document]
    if isinstance(document, dict):
        places += [value for name, value in document.items() if name.lower() in _WRAPPERS]
    documents = _names(_list(places, _DOCUMENT_LISTS), _DOCUMENT_NAMES)
    actions = _names(_list(places, _ACTION_LISTS), _ACTION_NAMES)
    start = None if actions is None else any(name.lower() == "start" for name in actions)
    return Details(documents, start, _plain(document) if isinstance(document, dict) else {})


def _list(places: Sequence[object], names: Sequence[str]) -> list[object] | None:
    for place in places:
        if isinstance(place, dict):
            folded = {key.lower(): value for key, value in place.items()}
            for name in names:
                found = folded.get(name)
                if isinstance(found, list):
                    return found
    return None


def _names(entries: list[object] | None, fields: Sequence[str]) -> tuple[str, ...] | None:
    """The name of each entry, itself a string or an object; None when one has none."""
    if entries is None:
        return None
    names: list[str] = []
    for entry in entries:
        name: object = entry
        if isinstance(entry, dict):
            folded = {key.lower(): value for key, value in entry.items()}
            name = next((folded[field] for field in fields if isinstance(folded.get(field), str)), None)
        if not isinstance(name, str) or isinstance(name, _Integer) or not name:
            return None
        names.append(name)
    return tuple(names)


def read_page(text: str) -> SearchPage | None:
    """Rows of a search: a list, or an object that holds one list. None when it can't be read as rows.

    An unreadable page must never look like an empty one: "not found" would then be believed.
    """
    document = parse(text)
    rows: object = document
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        rows = lists[0] if len(lists) == 1 else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return SearchPage(tuple(_plain(row) for row in rows))


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: object) -> object:
    match value:
        case _Integer():
            return int(value) if len(value) < 4000 else str(value)  # Python refuses to convert more than 4300 digits
        case dict():
            return _plain(value)
        case list():
            return [_value(item) for item in value]
        case _:
            return value
