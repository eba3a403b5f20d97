"""Every command that a page prints is run, as it is printed."""

import re
from collections.abc import Callable

import pytest

from tests.docs.pages import Block, all_blocks
from tests.docs.samples import Story, addresses, told
from tests.docs.shell import Shell
from tests.integration.events import event

BLOCKS = [block for block in all_blocks() if block.language == "sh"]
LAST = {(block.page, block.marker.get("world")): block.name for block in BLOCKS}
"""The last block of each page (and world): what still runs there is stopped."""
PROGRAMS = ("kcat", "jq", "curl", "uuidgen")
"""Not everybody has them: the blocks that run them are left out, and named, where they are not there."""


def _marks(block: Block) -> list[pytest.MarkDecorator]:
    return [pytest.mark.program(name) for name in PROGRAMS if re.search(rf"\b{name}\b", block.text)]


@pytest.mark.parametrize("block", [pytest.param(block, id=block.name, marks=_marks(block)) for block in BLOCKS])
def test_a_block_runs(block: Block, shell_of: Callable[[Block], tuple[Shell, Story | None]]) -> None:
    shell, story = shell_of(block)
    text = addresses(block.text, shell.world)
    said = shell.run(told(text, shell.world, story) if story is not None else text)
    if "shows" in block.marker:
        assert block.marker["shows"] in said
    if "dies" in block.marker:
        shell.world.send(event("20001"))
        shell.died()
    if LAST[block.page, block.marker.get("world")] == block.name:
        shell.stop()
