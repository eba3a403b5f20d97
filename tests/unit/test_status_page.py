"""How a page and a terminal show what `/status` reports."""

import asyncio
import re
from html.parser import HTMLParser

import pytest

from tests.unit.fakes_core import World, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_status import backing_off, status_of
from tests.unit.fakes_time import until, virtual
from worker.answers import Forbidden
from worker.cli.status import as_lines
from worker.telemetry.health import prefers_html
from worker.telemetry.status_page import page
from worker.telemetry.status_style import STYLE


class Reader(HTMLParser):
    """Tags, and texts; fails on what is not closed in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.texts, self._open = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


class TestPage:
    @virtual
    async def test_it_is_whole_needs_nothing_from_elsewhere_and_escapes_what_producers_wrote(self):
        world, lane = await backing_off()
        html = page(status_of(world, lane).report())
        read = Reader()
        read.feed(html)
        assert read._open == []
        assert "<b>" not in html
        assert "<b>e-1</b>" in read.texts
        assert "invoice.requests/0/0" in read.texts
        assert any(text.startswith("its next try in") for text in read.texts)
        assert {tag for tag, _ in read.tags}.isdisjoint({"script", "img", "link", "iframe"})
        assert ("html", {"lang": "en"}) in read.tags
        assert all("scope" in attributes for tag, attributes in read.tags if tag == "th")
        assert not any("src" in attributes for _, attributes in read.tags)
        assert all(attributes["href"].startswith("?") for _, attributes in read.tags if "href" in attributes)

    @virtual
    async def test_without_partitions_and_with_problems_it_says_so_and_what_to_do(self):
        html = page(status_of(World(), None, problem="rebalancing").report())
        assert "<title>Not ready (1): invoice worker, group</title>" in html
        assert "It handles nothing: rebalancing" in html
        assert "docs/runbooks/not-in-group.md" in html
        assert "No partition is owned." in html

    @virtual
    async def test_what_kravia_answered_is_escaped_too(self):
        world, lane = await make()
        world.gate.close("register answered 2xx without a readable id; fields: <b>id</b>")
        html = page(status_of(world, lane).report())
        assert "fields: &lt;b&gt;id&lt;/b&gt;" in html
        assert "<b>" not in html
        assert "docs/runbooks/gate-closed.md" in html

    @virtual
    async def test_all_well_is_said_in_so_many_words(self):
        world, lane = await make()
        html = page(status_of(world, lane).report())
        assert "<title>Ready: invoice worker, group</title>" in html
        assert "Nothing: all is well." in html
        assert "2026-01-02 03:04:05 UTC" in html

    @virtual
    async def test_a_partition_shows_all_that_its_owner_knows(self):
        world, lane = await backing_off()
        report = status_of(world, lane).report()
        report["partitions"][0]["backlog"] = {
            "behind": 1234,
            "settled_per_second": 12.5,
            "arriving_per_second": 2.5,
            "seconds_to_catch_up": 123.4,
        }
        read = Reader()
        read.feed(page(report))
        for text in ("1 234", "12.5", "2.5", "2 min 3 s", "1 backoff, 1 queued", "invoice.requests 0", "register"):
            assert text in read.texts, text

    @virtual
    async def test_a_narrow_screen_has_each_cell_under_its_name_and_a_reader_still_finds_a_table(self):
        world, lane = await backing_off()
        read = Reader()
        read.feed(page(status_of(world, lane).report()))
        cells = [attributes for tag, attributes in read.tags if tag == "td"]
        assert cells
        assert all(attributes["data-label"] and attributes["role"] == "cell" for attributes in cells)
        assert {"table", "rowgroup", "row", "columnheader", "rowheader"} <= {
            attributes.get("role") for _, attributes in read.tags
        }

    @virtual
    async def test_it_reloads_by_itself_only_for_who_asks(self):
        world = World()
        report = status_of(world, None).report()
        assert "http-equiv" not in page(report)
        assert '<a href="?refresh=5">every 5 s</a>' in page(report)
        again = page(report, 5)
        assert '<meta http-equiv="refresh" content="5">' in again
        assert '<a href="?">stop</a>' in again

    @pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
    def test_every_colour_of_a_text_can_be_read(self, scheme: int):
        colours = {
            name: values[scheme]
            for name, *values in re.findall(r"(--\w+|background|color): light-dark\((#\w+), (#\w+)\)", STYLE)
        }
        for name in ("--soft", "--act", "--look", "--know", "--good", "color"):
            for ground in ("background", "--card"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)

    @pytest.mark.parametrize(
        ("accept", "html"),
        [
            ("", False),
            ("*/*", False),
            ("application/json", False),
            ("text/html", True),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
            ("application/json, text/html;q=0.5", False),
            ("text/*", True),
            ("text/html;q=0", False),
            ("text/html;q=nonsense", False),
        ],
    )
    def test_who_prefers_html_gets_it(self, accept, html):
        assert prefers_html(accept) is html


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2.2 defines it (relative luminance)."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@virtual
async def test_a_terminal_gets_a_table_of_partitions_and_of_what_they_wait_behind():
    world, lane = await backing_off()
    lines = list(as_lines(status_of(world, lane).report()))
    assert lines[0].startswith("ready  group group")
    assert lines[3].split()[:2] == ["partition", "behind"]
    assert any("invoice.requests/0/0" in line and "its next try in 30 s" in line for line in lines)
    await settled(lane)
    assert not any("invoice.requests/0/0" in line for line in as_lines(status_of(world, lane).report()))


@virtual
async def test_a_terminal_is_told_what_to_do():
    world, lane = await make()
    world.gate.close("register stop_401")
    lines = list(as_lines(status_of(world, lane).report()))
    assert lines[1] == "gate closed since 03:04:05 UTC, 0 s ago: register stop_401"
    assert lines[2].startswith("ACT NOW: The gate to Kravia is closed")
    assert lines[4].strip() == "worker doctor, docs/runbooks/token-rejected.md"


@virtual
async def test_behind_a_closed_gate_a_paused_creditor_is_not_said_to_try_now():
    world, lane = await make()
    world.api.plan("register", Forbidden())
    lane.offer([make_record(0)])
    await until(lambda: next(lane.unfinished()).state == "backoff")
    world.gate.close("register stop_401")
    await asyncio.sleep(0.8)
    report = status_of(world, lane).report()
    for shown in ("\n".join(as_lines(report)), page(report)):
        assert "paused, next try when the gate opens" in shown
        assert "creditor 10759, paused after 403; looks again when the gate opens" in shown
        assert "looks again now" not in shown
