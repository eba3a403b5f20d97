"""What the demo prints, and how it reads the worker's metrics."""

import io

from rich.console import Console

from worker.demo.scrape import Scrapes, Series, parse
from worker.demo.view import LiveView, PlainView, Snapshot, plain
from worker.model import Step
from worker.telemetry.labels import State
from worker.telemetry.metrics import PartitionGauges, PrometheusObserver

SNAPSHOT = Snapshot(
    elapsed=12.3,
    phase="running",
    total=200,
    sent=150,
    settled=90,
    per_second=41.6,
    outcomes={"scheduled": 80, "failed": 10},
    dead_letters=10,
    states={"registering": 4, "backoff": 1, "doubt": 2},
    calls={("register", "200"): 88, ("register", "lost"): 3},
    retries={("attach", "server_error"): 2},
    resolved={"adopted": 3, "not_registered": 1},
    gate="open",
)


def scraped(observer: PrometheusObserver) -> dict[Series, float]:
    return parse(observer.expose("")[0].decode())


def test_a_snapshot_in_one_line():
    assert plain(SNAPSHOT) == (
        "  12.3 s  running: sent=150/200 settled=90 (42/s) scheduled=80 rejected=0 failed=10 repeated=0 discarded=0"
        " dead_letters=10 calls=91 retries=2 doubts_resolved=4 [registering=4 backoff=1 doubt=2]"
    )


def test_plain_lines_come_once_a_second_and_notes_at_once():
    out = io.StringIO()
    with PlainView(Console(file=out, width=40)) as view:
        view.show(Snapshot(elapsed=0.1))
        view.show(Snapshot(elapsed=0.6))
        view.note("worker killed with kill -9")
        view.show(Snapshot(elapsed=1.2))
    lines = out.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1] == "   0.6 s  worker killed with kill -9"
    assert "\x1b" not in out.getvalue()


def test_a_new_phase_is_told_at_once():
    out = io.StringIO()
    with PlainView(Console(file=out)) as view:
        view.show(Snapshot(elapsed=5.0, phase="running"))
        view.show(Snapshot(elapsed=5.1, phase="done"))
        view.show(Snapshot(elapsed=5.2, phase="done"))
    assert [line.split()[2] for line in out.getvalue().splitlines()] == ["running:", "done:"]


def test_the_live_view_shows_everything():
    out = io.StringIO()
    with LiveView(Console(file=out, width=120, height=50, force_terminal=True, color_system=None)) as view:
        view.show(SNAPSHOT)
        view.note("worker killed with kill -9")
    text = out.getvalue()
    for part in ("90 of 200", "42 events/s", "scheduled", "80", "backoff", "lost", "server_error", "dead letters"):
        assert part in text
    assert "doubts: 2 now; ended: 3 adopted, 1 not_registered" in text
    assert "worker killed with kill -9" in text


def test_counters_survive_a_restart_and_gauges_do_not():
    scrapes = Scrapes()
    first, second = PrometheusObserver(), PrometheusObserver()
    first.called("register", "2xx", 0.1)
    first.called("register", "2xx", 0.1)
    first.retried(Step.START, "throttled")
    first.gauges(lambda: [PartitionGauges(0, {State.BACKOFF: 2}), PartitionGauges(1, {State.BACKOFF: 1})])
    scrapes.take(scraped(first))
    assert scrapes.sum_by("calls_total", "step", "status_class") == {("register", "2xx"): 2}
    assert scrapes.sum_by("events", "state") == {("backoff",): 3}
    scrapes.restarted()
    second.called("register", "2xx", 0.1)
    scrapes.take(scraped(second))
    assert scrapes.sum_by("calls_total", "step", "status_class") == {("register", "2xx"): 3}
    assert scrapes.sum_by("retries_total", "why") == {("throttled",): 1}
    assert scrapes.sum_by("events", "state") == {}
    assert scrapes.sum_by("gate_state", "state") == {("half_open",): 1}


def test_foreign_metrics_are_left_out():
    assert not [series for series in scraped(PrometheusObserver()) if series.name.startswith("process_")]
