"""What the status says is wrong, in which order, and what it tells a person to do."""

import shlex
from pathlib import Path

import pytest

from tests.unit.fakes_core import World
from tests.unit.fakes_status import status_of
from tests.unit.fakes_time import virtual
from worker.cli import main
from worker.telemetry.status_findings import findings
from worker.telemetry.status_words import amount, at, catches_up, duration, number, numbers, since, soon, waits_for

ROOT = Path(__file__).parents[2]


def partition(number=0, **changes):
    return {
        "partition": number,
        "backlog": None,
        "unfinished": {},
        "oldest": None,
        "oldest_seconds": 0.0,
        "ledger": {"in_doubt": 0},
        "possible_double_registers": 0,
        "doubts": [],
        **changes,
    }


def report(*partitions, **changes):
    return {
        "at": "2026-11-27T07:00:30+00:00",
        "gate": {"state": "open", "why": "register was answered", "since": "2026-11-27T07:00:00+00:00"},
        "partitions": list(partitions) or [partition()],
        **changes,
    }


def closed(why):
    return {"state": "closed", "why": why, "since": "2026-11-27T07:00:00+00:00"}


def behind(count, settled, arriving):
    return {"behind": count, "settled_per_second": settled, "arriving_per_second": arriving}


DOUBT = {"believed_in_seconds": 400.0, "given_up_in_seconds": 2200.0}
OLD = {"record": "invoice.requests/3/1042"}
CASES = {
    "dead": (report(dead=["no poll for 40 s"]), "act", "no poll for 40 s", None),
    "observing": (report(observing=True), "know", "bills nothing", "observing"),
    "doubles": (
        report(partition(1, possible_double_registers=2), partition(2, possible_double_registers=1)),
        "act",
        "3 invoices may be billed twice (partitions 1–2)",
        "possible-double-register",
    ),
    "unauthorized": (report(gate=closed("register stop_401")), "act", "since 07:00:00 UTC, 30 s ago", "token-rejected"),
    "redirect": (report(gate=closed("register stop_301")), "act", "stop_301", "gate-closed"),
    "not found": (report(gate=closed("register stop_404")), "act", "stop_404", "gate-closed"),
    "away": (report(gate=closed("5 failures in a row, the last: start lost")), "act", "5 failures", "gate-closed"),
    "rights": (report(gate=closed("403 for 3 creditors: the token …")), "act", "403", "gate-closed"),
    "no id": (report(gate=closed("register answered 2xx without a readable id; …")), "act", "2xx", "gate-closed"),
    "unheard of": (report(gate=closed("something else")), "act", "something else", "gate-closed"),
    "creditor": (
        report(paused_creditors=[{"creditor": 10759, "answered_403": 2, "next_try_in_seconds": 12.0}]),
        "look",
        "creditor 10759: paused, next try in 12 s",
        "dead-letters",
    ),
    "joining": (report(not_member="rebalancing"), "act", "rebalancing", "not-in-group"),
    "coordinator": (report(not_member="the group's coordinator: X"), "act", "coordinator", "kafka-unreachable"),
    "lost": (
        report(not_served=[{"partition": number, "why": "lost (timeout): slow"} for number in (3, 1, 2)]),
        "act",
        "Partitions 1–3 not served: lost (timeout): slow",
        "partition-stuck",
    ),
    "taken over": (
        report(not_served=[{"partition": 7, "why": "being taken over"}]),
        "know",
        "Partition 7 not served: being taken over",
        "restore-slow",
    ),
    "nothing owned": (report() | {"partitions": []}, "know", "No partition is owned", "nothing-owned"),
    "falls behind": (report(partition(4, backlog=behind(150, 1.0, 2.0))), "look", "Partition 4: more", "age-burn"),
    "left to a person": (
        report(partition(ledger={"in_doubt": 3})),
        "look",
        "3 invoices wait for a person's verdict",
        "doubt-left-to-person",
    ),
    "old": (
        report(partition(oldest=OLD, oldest_seconds=2000.0)),
        "look",
        "invoice.requests/3/1042 has been under way for 33 min 20 s",
        "oldest-event",
    ),
    "dead letters": (
        report(money_at_risk={"dead": {"NOK": {"invoices": 2, "sum": "12345.50"}}}),
        "look",
        "2 invoices ended as dead letters: NOK 12 345.50",
        "dead-letters",
    ),
    "doubts": (
        report(partition(doubts=[{"doubt": DOUBT}], unfinished={"doubt": 70})),
        "know",
        "70 register calls without a known answer",
        "doubt-old",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_each_trouble_is_named_with_what_to_do_and_its_runbook(case: str):
    told, level, what, page = CASES[case]
    [finding] = findings(told)
    assert finding.level == level
    assert what in finding.what
    assert finding.do
    assert finding.runbook == (page and f"docs/runbooks/{page}.md")
    assert page is None or (ROOT / finding.runbook).is_file()


@pytest.mark.parametrize(
    "command", sorted({found.command for told, *_ in CASES.values() for found in findings(told)} - {None})
)
def test_each_command_is_one_of_ours(command: str, capsys: pytest.CaptureFixture[str]):
    program, *words = shlex.split(command)
    assert program == "worker"
    with pytest.raises(SystemExit) as stopped:
        main([*words, "--help"])
    assert stopped.value.code == 0


def test_nothing_is_said_where_all_is_well():
    assert findings(report(partition(backlog=behind(99, 1.0, 2.0)), partition(1, backlog=behind(5000, 9.0, 2.0)))) == []


@pytest.mark.parametrize(
    ("why", "of_the_proxy"),
    [
        ("5 failures in a row, the last: register not_sent_proxy_407", True),
        ("5 failures in a row, the last: register lost; probe: not_sent_proxy_connect", True),
        ("5 failures in a row, the last: register not_sent_proxy_502; probe: server_error", False),
        ("5 failures in a row, the last: register not_sent_connect", False),
    ],
)
def test_a_proxy_that_is_in_the_way_is_no_matter_for_kravia(why, of_the_proxy):
    [finding] = findings(report(gate=closed(why)))
    assert ("KRAVIA_PROXY" in finding.do, "Tell Kravia" in finding.do) == (of_the_proxy, not of_the_proxy)
    assert finding.runbook == "docs/runbooks/gate-closed.md"


def test_a_closed_gate_explains_what_is_old_and_what_falls_behind():
    late = partition(oldest=OLD, oldest_seconds=9999.0, backlog=behind(5000, 0.0, 9.0))
    [finding] = findings(report(late, gate=closed("register stop_401")))
    assert finding.runbook == "docs/runbooks/token-rejected.md"


@pytest.mark.parametrize("why", ["register stop_401", "5 failures in a row, the last: start lost"])
def test_behind_a_closed_gate_a_paused_creditor_waits_for_it(why: str):
    paused = [{"creditor": 10759, "answered_403": 2, "next_try_in_seconds": 0.0}]
    _, finding = findings(report(paused_creditors=paused, gate=closed(why)))
    assert "creditor 10759: paused, next try when the gate opens" in finding.what
    [finding] = findings(report(paused_creditors=paused))
    assert "creditor 10759: paused, next try now" in finding.what


def test_the_worst_comes_first():
    both = report(partition(ledger={"in_doubt": 1}), observing=True, gate=closed("register stop_401"))
    assert [finding.level for finding in findings(both)] == ["act", "look", "know"]


@pytest.mark.parametrize(
    "trouble",
    [{"problem": "rebalancing"}, {"unserved": {3: "lost (refused): too large"}}, {"dead": True}, {"gate": "stop_401"}],
)
@virtual
async def test_whatever_fails_a_probe_is_among_them(trouble: dict):
    world = World()
    trouble = dict(trouble)
    if why := trouble.pop("gate", None):
        world.gate.close(why)
    told = status_of(world, None, **trouble).report()
    assert told["problems"] or told["dead"]
    assert findings(told)[0].level == "act"


def test_a_report_of_an_older_worker_can_be_read():
    assert findings({"gate": {"state": "closed", "why": "register stop_401"}, "partitions": [partition()]})


class TestWords:
    def test_durations(self):
        assert [duration(seconds) for seconds in (None, 0, 59.4, 200, 420, 7500, 7200, 200_000)] == [
            "–",
            "0 s",
            "59 s",
            "3 min 20 s",
            "7 min",
            "2 h 5 min",
            "2 h",
            "2 d 7 h",
        ]
        assert (soon(0.3), soon(12)) == ("now", "in 12 s")

    def test_times_are_in_utc_with_their_age(self):
        assert at("2026-11-27T09:00:00+02:00") == "2026-11-27 07:00:00 UTC"
        assert since("2026-11-27T06:59:00+00:00", "2026-11-27T07:00:30+00:00") == "06:59:00 UTC, 1 min 30 s ago"
        assert since("2026-11-26T06:59:00+00:00", "2026-11-27T07:00:30+00:00") == "2026-11-26 06:59:00 UTC, 1 d ago"

    def test_numbers_and_money(self):
        assert [number(value) for value in (None, 0, 1234567, 0.5)] == ["–", "0", "1 234 567", "0.5"]
        assert amount("NOK", "1234567.50") == "NOK 1 234 567.50"
        assert numbers([7, 1, 2, 3]) == "1–3, 7"

    def test_when_it_is_caught_up(self):
        assert catches_up({}) == "–"
        assert catches_up(behind(150, 1.0, 2.0)) == "not at this rate"
        assert catches_up(behind(2, 1.0, 2.0)) == "–"
        assert catches_up(behind(2, 1.0, 0.0) | {"seconds_to_catch_up": 2.0}) == "2 s"

    def test_what_an_event_waits_for(self):
        assert waits_for({"retry_in_seconds": 3.0}) == "its next try in 3 s"
        assert (
            waits_for({"retry_in_seconds": 3.0, "paused_creditor": 7})
            == "creditor 7, paused after 403; looks again in 3 s"
        )
        assert waits_for({"retry_in_seconds": 0.2}, closed=True) == "its next try when the gate opens"
        assert waits_for({"retry_in_seconds": 3.0, "step": "fetch"}, closed=True) == "its next try in 3 s"
        paused_creditor = {"retry_in_seconds": 0.2, "paused_creditor": 7}
        told = "creditor 7, paused after 403; looks again when the gate opens"
        assert waits_for(paused_creditor, closed=True) == told
        paused_creditor["retry_in_seconds"] = 200.0
        assert waits_for(paused_creditor, closed=True) == f"{told}, in 3 min 20 s at the earliest"
        assert waits_for({"waiting_for": "register stop_401"}, closed=True) == "the gate"
        assert waits_for({"waiting_for": "register was answered"}) == "its turn"
        assert waits_for({"doubt": DOUBT}) == "the reconciler; believed in 6 min 40 s, given up in 36 min 40 s"
        assert waits_for({}) == "–"
