"""What pages say of commands, settings, metrics and words is what the code has."""

import re

from tests.docs.markdown import ROOT, pages
from worker.cli.reference import render
from worker.settings.model import NAMES
from worker.telemetry.catalogue import CATALOGUE

DOCS = ROOT / "docs"
CHANGELOG = ROOT / "CHANGELOG.md"


def test_the_page_of_commands_is_the_parsers():
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert page == render(), "run: python -m worker.cli.reference > docs/reference/commands.md"


def test_every_setting_that_a_page_names_exists():
    """`WORKER_…`, `KAFKA_…`, … in code spans and commands, but for the placeholder of a whole kind."""
    names = {name.upper() for name in NAMES}
    kinds = {name.split("_")[0] for name in names}
    wrong = set()
    for page in pages():
        if page == CHANGELOG:
            continue
        for name in re.findall(
            rf"(?<![\w$.]){'(?:' + '|'.join(kinds) + ')'}_[A-Z0-9_]+(?![\w…-])", page.read_text("utf-8")
        ):
            if name not in names and not any(other.startswith(name) for other in names):
                wrong.add(f"{page.relative_to(ROOT)}: {name}")
    assert not sorted(wrong)


def test_every_metric_that_a_page_names_exists():
    names = {metric.name for metric in CATALOGUE}
    ends = ("", "_sum", "_count", "_bucket")
    known = {f"{name}{end}" for name in names for end in ends}
    wrong = set()
    for page in pages():
        for name in re.findall(r"\binvoice_worker_[a-z_]+[a-z](?![\w…*(])", page.read_text(encoding="utf-8")):
            if name not in known:
                wrong.add(f"{page.relative_to(ROOT)}: {name}")
    assert not sorted(wrong)


def test_pages_are_short_enough_to_be_read():
    """But for what is generated, or one table."""
    long = {"asyncapi.md", "metrics.md", "commands.md", "README.md", "CHANGELOG.md"}
    lengths = {str(page.relative_to(ROOT)): len(page.read_text("utf-8").splitlines()) for page in pages()}
    assert not {name: lines for name, lines in lengths.items() if lines > 250 and name.rsplit("/")[-1] not in long}
