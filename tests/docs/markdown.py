"""Reads Markdown as far as the tests of the pages need: headings with their anchors, links, fenced blocks. Pure."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"\s*(```+|~~~+)")


@dataclass(frozen=True, slots=True)
class Link:
    """Where it stands (`page.md:12`) and what it names: a path, `#anchor`, or an address."""

    place: str
    target: str


def pages() -> list[Path]:
    """Every Markdown page of the repository: those that git would list, without asking git."""
    hidden = {"node_modules", "build", "dist"}
    found = (path for path in ROOT.rglob("*.md") if not hidden & {*path.relative_to(ROOT).parts})
    return sorted(path for path in found if not any(part.startswith(".venv") for part in path.relative_to(ROOT).parts))


def prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines outside fenced blocks, with their numbers from 1."""
    fence = ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = _FENCE.match(line)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
        elif not fence:
            yield number, line


def links(path: Path) -> list[Link]:
    """The links of a page; those in code spans are none."""
    lines = dict(prose(path.read_text(encoding="utf-8")))
    text = "\n".join(lines.get(number, "") for number in range(1, max(lines, default=0) + 1))
    text = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", lambda code: code[0] if "](" not in code[0] else "", text)
    name = path.relative_to(ROOT)
    return [Link(f"{name}:{text.count(chr(10), 0, found.start()) + 1}", found[1]) for found in _LINK.finditer(text)]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings as GitHub makes them: lower case, blanks to dashes, the second one with `-1`."""
    seen: Counter[str] = Counter()
    made = set(re.findall(r"<a name=\"([^\"]+)\"", path.read_text(encoding="utf-8")))
    for _, line in prose(path.read_text(encoding="utf-8")):
        heading = _HEADING.match(line)
        if heading:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            made.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
            seen[anchor] += 1
    return made
