"""Every link in every page leads somewhere, and every page of docs/ can be reached from its index."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.docs.markdown import ROOT, anchors, links, pages

PAGES = pages()
DOCS = ROOT / "docs"


def leads_to(page: Path, target: str) -> tuple[Path, str]:
    path, _, anchor = unquote(target).partition("#")
    return (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_anchors_lead_somewhere(page):
    wrong = []
    for link in links(page):
        if re.match(r"[a-z][a-z0-9+.-]*:", link.target):
            continue
        path, anchor = leads_to(page, link.target)
        if not path.exists() or not path.is_relative_to(ROOT):
            wrong.append(f"{link.place}: {link.target}: there is no such file")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path):
            wrong.append(f"{link.place}: {link.target}: there is no such heading")
    assert not wrong, "\n".join(wrong)


def test_every_page_can_be_reached_from_the_index():
    reached, ahead = set(), [DOCS / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            found = (leads_to(page, link.target)[0] for link in links(page) if ":" not in link.target)
            ahead += [path for path in found if path.suffix == ".md" and path.is_file()]
    lost = [str(page.relative_to(ROOT)) for page in PAGES if page.is_relative_to(DOCS) and page not in reached]
    assert not lost


def test_paths_of_pages_that_code_names_exist():
    """In docstrings, messages, charts and the Makefile: `docs/….md`."""
    sources = [ROOT / "Makefile", ROOT / "Dockerfile", ROOT / "pyproject.toml"]
    for folder in ("worker", "schemas", "helm", "tests", "docs", ".github", ".ci"):
        sources += [path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".md"]
    named = set()
    for source in sources:
        try:
            text = source.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        named |= {(str(source.relative_to(ROOT)), page) for page in re.findall(r"(?<![\w/])docs/[\w/.-]+\.md", text)}
    assert named
    assert not [f"{source}: {page}" for source, page in sorted(named) if not (ROOT / page).is_file()]
