"""Every command that a page prints is run, as it is printed."""

import re
from collections.abc import Callable, Iterator

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
LAST = {(block.page, block.world): block.name for block in BLOCKS}
"""The last block of each page (and world): what still runs there is stopped."""
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


def _marks(block: Block) -> list[pytest.MarkDecorator]:
    """A block stands on those before it, so it needs what any block of its page needs."""
    needed = set().union(*(_programs(other) for other in BLOCKS if other.page == block.page))
    return [pytest.mark.program(name) for name in sorted(needed)]


def is_shown(line: str, said: str) -> bool:
    """Whether a printed line is among what was said: numbers may be others, `…` stands for anything."""
    words = [re.sub(r"\d+", r"\\d+", re.escape(word)).replace("…", ".*") for word in line.split()]
    return re.search(r"^\s*" + r"\s+".join(words) + r"\s*$", said, re.MULTILINE) is not None


def missing(text: str, said: str) -> list[str]:
    """Printed lines that were not said."""
    return [line for line in text.splitlines() if line.strip() and not is_shown(line, said)]


@pytest.mark.parametrize("block", [pytest.param(block, id=block.name, marks=_marks(block)) for block in BLOCKS])
def test_a_block_runs(block: Block, shell_of: Callable[[Block], Shell]) -> None:
    shell = shell_of(block)
    said = shell.run(block.text)
    if (output := OUTPUTS.get(block.name)) is not None and missing(output, said):
        # What it reads may come a moment later: it is run again, as a reader would.
        until(lambda: missing(output, shell.run(block.text)), lambda left: not left, f"the output of {block.name}")
    if "dies" in block.marker:
        shell.world.send(event("20001"))
        shell.died()
    if LAST[block.page, block.world] == block.name:
        shell.stop()
        if block.world != "shared":
            shell.world.stop()
