"""Items out of a file or a pipe, one after another, in bounded memory.

JSON Lines is read line by line. JSON is read value by value, the elements of an array at the top one by one. Neither
needs more room than its largest event. An event's text is handed on as it stands: the worker's decoder sees every
digit, and every duplicate name, as it would in Kafka.
"""

import codecs
import json
from collections.abc import Iterator
from enum import StrEnum
from itertools import count
from typing import BinaryIO, Final

from worker.checking.document import Document
from worker.checking.items import MAX_ITEM, Broken, Item, Place, item_of, too_long

_PEEK: Final = 64 * 1024


class Format(StrEnum):
    """How events follow each other: `JSON` is one document or several, an array's elements are events."""

    AUTO = "auto"
    JSON = "json"
    LINES = "jsonl"


def read_items(stream: BinaryIO, file: str, form: Format = Format.AUTO) -> Iterator[Item | Broken]:
    """Every item of `stream`, with its place in `file`. After a `Broken` that `ends` nothing follows.

    OSError when the stream can't be read.
    """
    source = _Rewound(stream)
    if form is Format.AUTO:
        form = _recognised(source)
    if form is Format.LINES:
        yield from _lines(source, file)
    else:
        yield from Document(source, file).items()


class _Rewound:
    """A stream of which the beginning was looked at, without its byte order mark."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._head = stream.readline(_PEEK).removeprefix(codecs.BOM_UTF8)

    def peek(self, more: int = 0) -> bytes:
        """The first line, or what was read of it; and `more` bytes."""
        self._head += self._stream.read(more)
        return self._head

    def read(self, size: int) -> bytes:
        if not self._head:
            return self._stream.read(size)
        piece, self._head = self._head[:size], self._head[size:]
        return piece

    def readline(self, limit: int) -> bytes:
        if not self._head:
            return self._stream.readline(limit)
        end = self._head.find(b"\n") + 1
        if end or len(self._head) >= limit:
            return self.read(min(end or limit, limit))
        head, self._head = self._head, b""
        return head + self._stream.readline(limit - len(head))


def _recognised(source: _Rewound) -> Format:
    """JSON Lines when a line is a whole object, from the margin to its end: a document's lines are parts of one."""
    if _is_object(source.peek()):
        return Format.LINES
    head = source.peek(_PEEK)
    if head.lstrip().startswith(b"[") or _begins_with_document(head):
        return Format.JSON
    return Format.LINES if any(map(_is_object, head.splitlines())) else Format.JSON


def _begins_with_document(head: bytes) -> bool:
    try:
        json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(head.decode("utf-8", "replace").lstrip())
    except (ValueError, RecursionError):
        return False
    return True


def _is_object(line: bytes) -> bool:
    if line[:1] != b"{":
        return False
    try:
        json.loads(line, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(source: _Rewound, file: str) -> Iterator[Item | Broken]:
    for number in count(1):
        line = source.readline(MAX_ITEM + 1)
        if not line:
            return
        place = Place(file, number)
        if len(line) > MAX_ITEM and not line.endswith(b"\n"):
            while (piece := source.readline(_PEEK)) and not piece.endswith(b"\n"):
                pass
            yield Broken(place, too_long("line"))
        elif line.strip():
            yield item_of(place, line.rstrip(b"\r\n"))
