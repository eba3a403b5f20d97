"""The examples that docs/how-to/ shows are those that the tests run."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "how-to").glob("*.md")))
EXAMPLES = sorted(path for path in (DOCS / "examples").rglob("*.*") if "__pycache__" not in path.parts)
SCRIPTS = [path for path in EXAMPLES if path.parent.name == "kcat"]


def one_line(text):
    return " ".join(text.replace("\\\n", " ").split())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_a_page_leads_to_every_example(path):
    assert f"(../{path.relative_to(DOCS)})" in PAGE


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_the_commands_on_the_pages_are_those_of_the_scripts(path):
    """With the scripts' defaults in place of their arguments."""
    _, kcat, command = path.read_text(encoding="utf-8").partition("\nkcat ")
    shown = re.sub(r'"\$\{\d:-([^}]+)\}"', r"\1", kcat + command)
    shown = re.sub(r'"\$examples/([^"]+)"', r"schemas/examples/\1", shown)
    assert one_line(shown) in one_line(PAGE)
