"""What the pages print: fenced blocks, and commands in the text.

A block may have a marker, an HTML comment right above its fence, which no reader sees:

    <!-- test: world=page -->

| marker | means |
| --- | --- |
| `world=page` | from here to the page's end: the page makes its world itself (broker, Kravia, worker) |
| `world=own` | likewise, and broker, topics and Kravia are there already, with no worker |
| `world=lost` | likewise, and a copy of a ledger, events sent again, and one of their invoices at Kravia |
| `dies` | the worker that the block starts ends by SIGKILL once it gets an event |
| `output` | a text block: the block before it prints these lines, but for numbers and what `…` stands for |
| `values` | a yaml block: values of the chart, which must render (others must only be YAML) |

Without a marker commands run in a world that the pages share, whose worker runs and has something to tell.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.markdown import ROOT, pages

LANGUAGES = ("sh", "text", "json", "yaml", "toml", "python", "java", "promql", "mermaid")
"""What a fence may be. Commands are `sh`; `text` is what something prints, and everything that is no language."""
WORLDS = ("shared", "page", "own", "lost")
MARKERS = ("world", "dies", "output", "values")

_MARKER = re.compile(r"<!-- test: (.*?) -->\s*", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block."""

    page: str
    """Path from the repository's root."""
    line: int
    """Of its opening fence."""
    language: str
    text: str
    world: str = "shared"
    marker: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Inline:
    """Code in a line of text."""

    page: str
    line: int
    """Where its paragraph or table begins."""
    text: str


def page_name(path: Path) -> str:
    """Path from the repository's root."""
    return path.relative_to(ROOT).as_posix()


def all_blocks() -> list[Block]:
    """Of every page, in their order."""
    return [block for path in pages() for block in blocks(page_name(path), path.read_text(encoding="utf-8"))]


def all_inline() -> list[Inline]:
    """Of every page, in their order."""
    return [found for path in pages() for found in inline(page_name(path), path.read_text(encoding="utf-8"))]


def blocks(page: str, text: str) -> list[Block]:
    """The fenced blocks of a page. Raises ValueError for a marker that is not understood or has no block."""
    made = []
    pending: Mapping[str, str] | None = None
    world = "shared"
    for token in _parsed(text):
        if token.type == "html_block" and (marker := _MARKER.fullmatch(token.content.strip())) is not None:
            pending = _marker(marker[1], f"{page}:{_line(token)}")
        elif token.type == "fence":
            world = (pending or {}).get("world", world)
            made.append(Block(page, _line(token), token.info.strip(), token.content, world, pending or {}))
            pending = None
        elif pending is not None:
            raise ValueError(f"{page}:{_line(token)}: a marker without a block right below it")
    if pending is not None:
        raise ValueError(f"{page}: a marker at its end, without a block")
    return made


def inline(page: str, text: str) -> Iterator[Inline]:
    """Code in the text of a page."""
    line = 0
    for token in _parsed(text):
        line = _line(token) if token.map else line
        for child in token.children or ():
            if child.type == "code_inline":
                yield Inline(page, line, child.content)


def _parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 0


def _marker(text: str, where: str) -> dict[str, str]:
    found = dict(word.partition("=")[::2] for word in shlex.split(text))
    if unknown := found.keys() - set(MARKERS):
        raise ValueError(f"{where}: no such marker: {', '.join(sorted(unknown))}; there are {', '.join(MARKERS)}")
    if (world := found.get("world", "shared")) not in WORLDS:
        raise ValueError(f"{where}: a marker with no such world: {world}; there are {', '.join(WORLDS)}")
    return found
