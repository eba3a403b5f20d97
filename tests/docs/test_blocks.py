"""What pages print besides commands: each block says what it is, and is what it says."""

import ast
import json
import re
import tomllib
from collections import Counter
from pathlib import Path

import promql_parser
import pytest
import yaml

from tests.docs.blocks import LANGUAGES, Block, all_blocks, blocks
from tests.docs.markdown import ROOT
from tests.docs.shell import MAY_FAIL
from tests.docs.test_commands import BLOCKS, OUTPUTS, is_shown
from tests.ops import charts

ALL = all_blocks()
RUN_BY = {
    "docs/how-to/produce.md": "tests/unit/test_schemas_produce.py",
    "schemas/README.md": "tests/unit/test_schemas_package.py",
}
"""What runs the Python of a page."""


@pytest.mark.parametrize("block", ALL, ids=lambda block: block.name)
def test_a_block_is_what_it_says(block: Block, tmp_path: Path) -> None:
    assert block.language in LANGUAGES, "say what it is, by a language from tests/docs/blocks.py"
    match block.language:
        case "json":
            json.loads(block.text)
        case "toml":
            tomllib.loads(block.text)
        case "yaml":
            values = yaml.safe_load(block.text)
            if "values" in block.marker:
                charts.render(values)
        case "python":
            ast.parse(block.text)
            assert block.page in RUN_BY, "say which test runs it"
            assert block.page.rpartition("/")[2] in (ROOT / RUN_BY[block.page]).read_text(encoding="utf-8")
        case "promql":
            promql_parser.parse(block.text)
        case _:  # sh: test_commands.py; the others hold nothing that can be wrong by itself
            assert block.text.strip()


def test_no_block_is_left_out() -> None:
    """Each is run (sh) or is looked at here (the others), and an output belongs to a block that is run."""
    languages = Counter(block.language for block in ALL)
    assert len(BLOCKS) == languages["sh"] + 1  # and the chart's notes
    assert languages.total() == len(ALL)
    assert OUTPUTS.keys() <= {block.name for block in BLOCKS}
    assert len({block.name for block in ALL}) == len(ALL)


def test_each_command_that_may_fail_is_on_a_page() -> None:
    commands = "\n".join(block.text.replace("\\\n", " ") for block in BLOCKS)
    assert all(re.search(pattern, commands) for pattern, _, _ in MAY_FAIL)


def test_a_marker_belongs_to_the_block_below_it() -> None:
    page = "<!-- test: world=own dies -->\n```sh\nworker run\n```\n\n- item\n\n  ```text\n  a\n  ```\n"
    first, second = blocks("x.md", page)
    assert (first.name, first.text, first.world, "dies" in first.marker) == ("x.md:2", "worker run\n", "own", True)
    assert (second.name, second.language, second.text, dict(second.marker)) == ("x.md:8", "text", "a\n", {})


@pytest.mark.parametrize(
    "page",
    [
        "<!-- test: world=own -->\n\nText.\n\n```sh\nx\n```\n",
        "<!-- test: wrold=own -->\n```sh\nx\n```\n",
        "<!-- test: world=own -->\n",
        "<!-- test: world=none -->\n```sh\nx\n```\n",
    ],
)
def test_a_marker_that_does_nothing_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        blocks("x.md", page)


@pytest.mark.parametrize(
    ("line", "said", "shown"),
    [
        ("scheduled as 100001", "  scheduled   as 7\n", True),
        ("scheduled as 100001", "rejected as 7\n", False),
        ('a {…,"b":1} c', 'a {"z":0,"b":22} c', True),
        ("1 of 1", "1 of 1 that fit", False),
    ],
)
def test_an_output_is_compared_but_for_numbers(line: str, said: str, shown: bool) -> None:
    assert is_shown(line, said) is shown
