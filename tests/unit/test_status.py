"""What `/status` reports of a partition, how far behind it is, and how a page and a terminal show it."""

import asyncio
import json
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from tests.unit.fakes_core import REPLAYS, REQUESTS, World, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import until, virtual
from worker.answers import NotSent
from worker.backlog import Backlogs, Look, backlog
from worker.cli.status import as_lines
from worker.model import Partition
from worker.offsets import Prefix
from worker.ports import Lost, LostWhy
from worker.retry import RetryPolicy
from worker.status import Status
from worker.telemetry.health import prefers_html
from worker.telemetry.status_page import duration, page


def status_of(world, lane, backlogs=None, *, dead=False, problem=None):
    consumer = SimpleNamespace(problem=problem, last_poll=0.0, dead=dead)
    partitions = SimpleNamespace(lanes=lambda: [lane] if lane else [], problems=list, broken=[])
    return Status(consumer, partitions, world.gate, world.clock, backlogs, group="group", version="1.0")


async def backing_off():
    """An event with a hostile id that is tried again in a while, and one behind it."""
    world = World(policy=RetryPolicy(base=60.0, cap=60.0))
    world, lane = await make(world)
    world.api.plan("register", NotSent("connect"))
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"<b>e-1</b>"),
        ("ce_source", b"/erp"),
        ("ce_type", b"kravia.invoice.requested.v1"),
    )
    lane.offer([make_record(0, headers=headers), make_record(1, originalAmount=9)])
    await until(lambda: next(lane.unfinished()).state == "backoff")
    return world, lane


class TestReport:
    @virtual
    async def test_the_head_is_the_event_that_the_rest_waits_behind(self):
        world, lane = await backing_off()
        [partition] = json.loads(json.dumps(status_of(world, lane).report()))["partitions"]
        head = partition["heads"][REQUESTS.topic]
        assert (head["record"], head["event"], head["step"], head["tries"]) == (
            "invoice.requests/0/0",
            "<b>e-1</b>",
            "register",
            1,
        )
        assert 29 < head["retry_in_seconds"] <= 30  # half of the base: the fakes' jitter
        assert head["last_answer"] == "not_sent_connect"
        assert REPLAYS.topic not in partition["heads"]

    @virtual
    async def test_behind_a_closed_gate_it_says_why(self):
        world, lane = await make()
        world.gate.close("register stop_401")
        lane.offer([make_record(0)])
        await until(lambda: next(lane.unfinished()).state == "gate")
        told = status_of(world, lane).report()
        assert told["partitions"][0]["heads"][REQUESTS.topic]["waiting_for"] == "register stop_401"
        assert (told["ready"], told["problems"]) == (False, ["the gate is closed: register stop_401"])

    @virtual
    async def test_a_dead_coordination_task_fails_liveness_and_nothing_less_does(self):
        world, lane = await make()
        world.gate.close("register stop_401")
        assert status_of(world, lane, problem="rebalancing").livez() == []
        assert status_of(world, lane, dead=True).livez() == ["the group's coordination task has ended"]

    @virtual
    async def test_a_poll_that_hangs_fails_liveness(self):
        world, _ = await make()
        status = status_of(world, None)
        status._consumer.last_poll = 1.0
        await asyncio.sleep(60)
        assert status.livez() == ["no poll for 59 s"]


class TestBacklog:
    def test_nothing_is_told_before_a_look(self):
        assert backlog([], 0.0) is None

    def test_rates_and_the_time_to_catch_up(self):
        told = backlog([Look(0, 100, 400), Look(10, 200, 420)], 12.0)
        assert (told.behind, told.settled, told.arriving, told.age) == (220, 10.0, 2.0, 2.0)
        assert told.catch_up == pytest.approx(220 / 8)

    def test_one_that_grows_never_catches_up_and_one_look_tells_no_rate(self):
        assert backlog([Look(0, 0, 10), Look(10, 10, 40)], 10).catch_up is None
        assert backlog([Look(0, 0, 10)], 0) == backlog([Look(0, 0, 10)], 0)
        assert backlog([Look(0, 0, 10)], 0).settled is None
        assert backlog([Look(0, 10, 10)], 0).catch_up == 0.0

    @virtual
    async def test_it_looks_at_what_is_owned_and_begins_anew_with_a_new_ownership(self):
        world = World()
        prefix, ends = Prefix(0), {"r": 10}
        inputs = {"r": prefix}
        owned = [(3, inputs)]

        async def ask(partitions):
            assert partitions == [Partition("r", 3)]
            return {Partition("r", 3): ends["r"]} if ends["r"] is not None else Lost(LostWhy.TIMEOUT, "")

        backlogs = Backlogs(ask, lambda: owned, world.clock)
        running = asyncio.create_task(backlogs.run())
        await asyncio.sleep(1)
        assert backlogs.of(3).behind == 10
        for offset in range(5):
            prefix.take(offset)
        prefix.settle(0)
        prefix.settle(3)
        await asyncio.sleep(5)
        assert (backlogs.of(3).behind, backlogs.of(3).settled) == (8, 0.4)
        ends["r"] = None
        await asyncio.sleep(5)
        assert (backlogs.of(3).behind, backlogs.of(3).age) == (8, 6.0)
        ends["r"], owned[0] = 10, (3, {"r": Prefix(10)})
        await asyncio.sleep(5)
        assert (backlogs.of(3).behind, backlogs.of(3).settled) == (0, None)
        owned.clear()
        await asyncio.sleep(5)
        assert backlogs.of(3) is None
        running.cancel()


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
        assert not any("href" in attributes or "src" in attributes for _, attributes in read.tags)

    @virtual
    async def test_without_partitions_and_with_problems_it_says_so(self):
        world = World()
        html = page(status_of(world, None, problem="rebalancing").report())
        assert "not ready" in html
        assert "<li>rebalancing</li>" in html
        assert "No partition is owned." in html

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

    def test_durations(self):
        assert [duration(seconds) for seconds in (None, 0, 59.4, 200, 7500)] == [
            "–",
            "0 s",
            "59 s",
            "3 min 20 s",
            "2 h 5 min",
        ]


@virtual
async def test_a_terminal_gets_a_table_of_partitions_and_of_what_they_wait_behind():
    world, lane = await backing_off()
    lines = list(as_lines(status_of(world, lane).report()))
    assert lines[0].startswith("ready  group group")
    assert lines[3].split()[:2] == ["partition", "behind"]
    assert any("invoice.requests/0/0" in line and "its next try in 30 s" in line for line in lines)
    await settled(lane)
    assert not any("invoice.requests/0/0" in line for line in as_lines(status_of(world, lane).report()))
