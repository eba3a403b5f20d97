"""One event as a file or a pipe holds it, before anybody judges it. Pure.

Three forms are told apart: an event's data; a structured CloudEvent (it has `specversion`); and the wrapper that
`kcat -J` prints of a record (`payload`, with `key`, `headers`, `topic`, `partition`). Source of the last: kcat's
README and json.c: `payload` and `key` are strings or null, `headers` is a flat list of names and values.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.attributes import STRUCTURED
from schemas.jsontext import JsonValue, loads
from worker.model import Problem

MAX_ITEM: Final = 16 * 1024 * 1024
"""Bytes of one event's text (characters, in a JSON document): sixteen times what Kafka takes by default."""
_WRAPPER_FIELDS: Final = frozenset(
    {"topic", "partition", "offset", "tstype", "ts", "broker", "headers", "key", "payload"}
)


class Place(NamedTuple):
    """Where an item stands; `line` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Form(StrEnum):
    """How an item is written."""

    DATA = "data"
    STRUCTURED = "structured"
    WRAPPED = "wrapped"


@dataclass(frozen=True, slots=True)
class Item:
    """A record to be. `key` None: not said; empty: said to be none. `partition` None: not said."""

    place: Place
    form: Form
    value: bytes | None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """What stands where an item should be, and can't be taken for one. `ends`: the rest of the file is not read."""

    place: Place
    problem: Problem
    ends: bool = False


def item_of(place: Place, text: bytes) -> Item | Broken:
    """The item that `text` (one JSON value) is. What is wrong inside an event is left to who judges it."""
    # Most lines are plain data and are parsed by the worker's own decoder only: look for the other forms' names first.
    if b'"specversion"' in text or b'"payload"' in text:
        match loads(text):
            case dict() as fields if "payload" in fields and fields.keys() <= _WRAPPER_FIELDS:
                return _unwrapped(place, fields)
            case dict() as fields if "specversion" in fields:
                return Item(place, Form.STRUCTURED, text, headers=(("content-type", STRUCTURED.encode()),))
            case _:
                pass  # data, or nothing that is JSON, which the decoder will say
    return Item(place, Form.DATA, text)


def _unwrapped(place: Place, fields: dict[str, JsonValue]) -> Item | Broken:
    payload, key, partition = fields["payload"], fields.get("key"), fields.get("partition")
    if not isinstance(payload, str | None) or not isinstance(key, str | None):
        return _not_wrapped(place, "payload and key must be strings or null")
    headers = _headers(fields.get("headers"))
    if headers is None:
        return _not_wrapped(place, "headers must be a flat list of names and values, all strings")
    if partition is not None and (isinstance(partition, bool) or not isinstance(partition, int) or partition < 0):
        return _not_wrapped(place, "partition must be a whole number from 0 on")
    return Item(
        place,
        Form.WRAPPED,
        None if payload is None else payload.encode(),
        key=(key or "").encode() if "key" in fields else None,
        headers=headers,
        partition=partition,
    )


def _headers(given: JsonValue) -> tuple[tuple[str, bytes], ...] | None:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) % 2:
        return None
    pairs = []
    for name, value in zip(given[::2], given[1::2], strict=True):
        if not isinstance(name, str) or not isinstance(value, str | None):
            return None
        pairs.append((name, (value or "").encode()))
    return tuple(pairs)


def _not_wrapped(place: Place, why: str) -> Broken:
    return Broken(place, Problem("", "bad_wrapper", f"This looks like a record that kcat -J printed, but {why}."))


def too_long(what: str) -> Problem:
    """That an event is too long to be read."""
    mebibytes = MAX_ITEM // 2**20
    sentence = f"This {what} has more than {mebibytes} MiB, and Kafka takes 1 MiB by default. Is a line break missing?"
    return Problem("", "too_long", sentence)
