"""Every command that a page prints is run, as it is printed."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import pytest

from tests.docs.blocks import Block, all_blocks
from tests.docs.markdown import ROOT
from tests.docs.shell import Shell
from tests.docs.standin_kubectl import RELEASES
from tests.docs.world import until
from tests.integration.events import event
from tests.ops import charts


def notes() -> Block:
    """The commands that the chart prints when it is installed: the lines that are set in."""
    text = charts.texts(charts.example("minimal"), name=RELEASES[0])["NOTES.txt"]
    return Block("helm/templates/NOTES.txt", 1, "sh", "".join(re.findall(r"^  +(?:\S.*\n)", text, re.MULTILINE)))


BLOCKS = [*(block for block in all_blocks() if block.language == "sh"), notes()]
PAGES = [list(blocks) for _, blocks in groupby(BLOCKS, lambda block: (block.page, block.world))]
"""The blocks of each page (and world), to be run by one process: a block stands on those before it."""
PROGRAMS = ("kcat", "jq", "curl", "uuidgen")
"""Not everybody has them: the blocks that run them are left out, and named, where they are not there."""


def _outputs() -> Iterator[tuple[str, str]]:
    before = None
    for block in all_blocks():
        if "output" in block.marker:
            assert before is not None, f"{block.name}: there is no block before it"
            assert (before.page, before.language) == (block.page, "sh"), f"{block.name}: no output of {before.name}"
            yield before.name, block.text
        before = block


OUTPUTS = dict(_outputs())


def _programs(block: Block) -> set[str]:
    """What a block needs of PROGRAMS, for itself and in the scripts that it runs."""
    scripts = re.findall(r"docs/examples/\S+\.sh", block.text)
    text = "\n".join([block.text, *((ROOT / script).read_text(encoding="utf-8") for script in scripts)])
    return {name for name in PROGRAMS if re.search(rf"\b{name}\b", text)}


def _marks(page: Sequence[Block]) -> list[pytest.MarkDecorator]:
    return [pytest.mark.program(name) for name in sorted(set().union(*map(_programs, page)))]


def is_shown(line: str, said: str) -> bool:
    """Whether a printed line is among what was said: numbers may be others, `…` stands for anything."""
    words = [re.sub(r"\d+", r"\\d+", re.escape(word)).replace("…", ".*") for word in line.split()]
    return re.search(r"^\s*" + r"\s+".join(words) + r"\s*$", said, re.MULTILINE) is not None


def missing(text: str, said: str) -> list[str]:
    """Printed lines that were not said."""
    return [line for line in text.splitlines() if line.strip() and not is_shown(line, said)]


@pytest.mark.parametrize("page", [pytest.param(page, id=page[0].name, marks=_marks(page)) for page in PAGES])
def test_the_blocks_of_a_page_run(page: Sequence[Block], shell_of: Callable[[Block], Shell]) -> None:
    for block in page:
        try:
            _runs(block, shell_of(block))
        except AssertionError as error:
            error.add_note(f"in {block.name}")
            raise
    shell = shell_of(page[-1])
    shell.stop()
    if page[-1].world != "shared":
        shell.world.stop()


def _runs(block: Block, shell: Shell) -> None:
    said = shell.run(block.text)
    if (output := OUTPUTS.get(block.name)) is not None and missing(output, said):
        # What it reads may come a moment later: it is run again, as a reader would.
        until(lambda: missing(output, shell.run(block.text)), lambda left: not left, f"the output of {block.name}")
    if "dies" in block.marker:
        shell.world.send(event("20001"))
        shell.died()
