"""JSON documents, value by value: the elements of an array at the top come one by one."""

import codecs
import json
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, Protocol

from worker.checking.items import MAX_ITEM, Broken, Item, Place, item_of, too_long
from worker.model import Problem

_CHUNK: Final = 64 * 1024
_BEGINNINGS: Final = frozenset('{["-0123456789tfnNI')
# Only finds where a value ends: numbers stay text, and what is odd within it is for the worker's decoder to say.
_SCAN: Final = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Next(Enum):
    """What may come: at the top a value or an array; in the array as JSON has it."""

    TOP = auto()
    FIRST = auto()
    ELEMENT = auto()
    COMMA = auto()


class Document:
    """Reads a stream of JSON values. It holds the text of one event and a chunk more."""

    def __init__(self, source: _Source, file: str) -> None:
        self._source = source
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._buffer = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def items(self) -> Iterator[Item | Broken]:
        """Every value; a `Broken` ends it, since nobody can tell where the next one would begin."""
        expected = _Next.TOP
        try:
            while char := self._char():
                if char == "[" and expected is _Next.TOP:
                    expected = _Next.FIRST
                    self._advance(self._at + 1)
                elif char == "]" and expected in (_Next.FIRST, _Next.COMMA):
                    expected = _Next.TOP
                    self._advance(self._at + 1)
                elif char == "," and expected is _Next.COMMA:
                    expected = _Next.ELEMENT
                    self._advance(self._at + 1)
                elif char not in _BEGINNINGS or expected is _Next.COMMA:
                    yield self._not_json(self._line)
                    return
                else:
                    value = self._value()
                    yield value
                    if isinstance(value, Broken) and value.ends:
                        return
                    if expected is not _Next.TOP:
                        expected = _Next.COMMA
        except UnicodeDecodeError:
            problem = Problem("", "wrong_encoding", "The text must be UTF-8: from about this line on it is not.")
            yield Broken(Place(self._file, self._line), problem, ends=True)
            return
        if expected is not _Next.TOP:
            yield self._not_json(self._line)

    def _char(self) -> str:
        """The next character that is not white space; empty at the end."""
        while True:
            rest = self._at
            while rest < len(self._buffer) and self._buffer[rest] in " \t\r\n":
                rest += 1
            self._advance(rest)
            if rest < len(self._buffer):
                return self._buffer[rest]
            if self._ended:
                return ""
            self._fill(_CHUNK)

    def _value(self) -> Item | Broken:
        place = Place(self._file, self._line)
        while True:
            try:
                _, end = _SCAN.raw_decode(self._buffer, self._at)
            except RecursionError:
                return Broken(place, Problem("", "too_deep", "Objects and lists lie too deep within each other."), True)
            except json.JSONDecodeError as error:
                # Cut off in the middle, or wrong: only more text can tell.
                if self._ended:
                    return self._not_json(self._line + self._buffer.count("\n", self._at, error.pos))
            else:
                # A number that touches the buffer's end may go on.
                if end < len(self._buffer) or self._ended:
                    text = self._buffer[self._at : end]
                    self._advance(end)
                    return item_of(place, text.encode())
            held = len(self._buffer) - self._at
            if held > MAX_ITEM:
                return Broken(place, too_long("event, or what is wrong in it,"), ends=True)
            # Doubled each time, so that a large event is scanned a few times only.
            self._fill(max(_CHUNK, held))

    def _advance(self, to: int) -> None:
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _fill(self, size: int) -> None:
        piece = self._source.read(size)
        self._ended = not piece
        self._buffer = self._buffer[self._at :] + self._decoder.decode(piece, final=not piece)
        self._at = 0

    def _not_json(self, line: int) -> Broken:
        problem = Problem("", "not_json", "The text is not JSON from this line on; what follows was not read.")
        return Broken(Place(self._file, line), problem, ends=True)
