"""`worker dead-letters`: what the reading verbs print, and that no personal data is in it."""

import csv
import io
import re

import pytest

from schemas.identity import identity
from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_letters import (
    BLOCKED,
    DISCARDED,
    NO_SUCH_DOUBT,
    REFUSED,
    command,
    found_by_the_command_line,
    objects,
    run_by,
    settle_several,
)
from worker.model import Coordinates, Record
from worker.ports import Lost, LostWhy

FIRST = Coordinates(TOPICS.requests, 0, 0)
IDENTITY = identity(10759, "Invoice", "20001")


@pytest.fixture
def world(monkeypatch, tmp_path):
    return found_by_the_command_line(monkeypatch, tmp_path)


@pytest.fixture
def run(capsys):
    return run_by(capsys)


@pytest.fixture
def several(world):
    return settle_several(world)


class TestList:
    def test_open_ones_the_latest_first(self, several, run):
        told = run("list", "--json")
        assert [one["origin"][-1] for one in objects(told)] == ["3", "2", "0"]
        assert objects(told)[2] | {"lastFailure": None, "firstFailure": None, "fingerprint": None} == {
            "origin": "invoice.requests/0/0",
            "identity": IDENTITY,
            "outcome": "rejected",
            "reason": "refused",
            "step": "register",
            "httpStatus": 422,
            "attempts": 1,
            "replays": 0,
            "firstFailure": None,
            "lastFailure": None,
            "state": "open",
            "fingerprint": None,
            "stateSince": None,
            "invoiceId": None,
            "doubt": None,
            "message": "Kravia refused register with status 422.",
            "deadLetter": "invoice.dead-letters/0/0",
        }
        assert "3 of 3 that fit, of 4 dead letters" in told.err

    def test_filters_and_limit(self, several, run):
        assert [one["state"] for one in objects(run("list", "--json", "--state", "replayed"))] == ["replayed"]
        told = run("list", "--json", "--state", "all", "--limit", "2", "--creditor", "10759")
        assert [one["reason"] for one in objects(told)] == ["in_doubt", "expired"]
        assert "2 of 3 that fit" in told.err

    def test_plain_text_has_a_line_each(self, several, run):
        lines = run("list").out.splitlines()
        assert lines[0].split("\t")[:4] == ["origin", "identity", "outcome", "reason"]
        assert lines[1].split("\t")[:4] == ["invoice.requests/0/3", "-", "rejected", "undecodable"]

    def test_what_was_blocked_or_not_valid_names_no_step(self, several, run):
        blocked = several.settle(make_record(5, "20003"), BLOCKED)
        lines = {row["reason"]: row for row in csv.DictReader(io.StringIO(run("list", "--csv").out))}
        assert {reason: (row["step"], row["attempts"]) for reason, row in lines.items()} == {
            "blocked": ("", "0"),
            "undecodable": ("", "1"),
            "in_doubt": ("register", "1"),
            "refused": ("register", "1"),
        }
        assert "blocked" not in run("list", "--step", "register").out
        told = run("show", str(blocked)).out
        assert "  step         none: no call was made\n" in told
        assert "message      No call was made: an earlier event" in told
        assert "failed blocked (no call)  invoice.requests/0/5" in told
        assert "step         register\n" in run("show", str(FIRST)).out

    @pytest.mark.parametrize("verb", ["list", "groups", "audit"])
    def test_on_a_terminal_a_text_is_no_markup(self, several, run, monkeypatch, verb):
        first = several.settle(make_record(5, "[bold]9[/bold]"), REFUSED)
        why = "[red]no\x1b[31m"
        several.settle(
            command(several, first, "discard", identity="10759/Invoice/%5Bbold%5D9%5B%2Fbold%5D", why=why), DISCARDED
        )
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "dumb")
        out = run(verb).out
        assert "\x1b" not in out
        expected = {
            "list": f"identity {IDENTITY}",
            "groups": "do: read what Kravia refused; edit and send again",
            "audit": "why: [red]no\N{REPLACEMENT CHARACTER}[31m",
        }
        assert expected[verb] in out

    def test_a_wide_terminal_gets_a_table(self, several, run, monkeypatch):
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "300")
        monkeypatch.setenv("NO_COLOR", "1")
        head, *lines = re.sub(r"\x1b\[[0-9;]*m", "", run("list").out).splitlines()
        assert head.split()[:3] == ["origin", "identity", "outcome"]
        assert [line.index("10759") for line in lines[1:]] == [head.index("identity")] * 2

    def test_csv(self, several, run):
        rows = list(csv.DictReader(io.StringIO(run("list", "--csv").out)))
        assert [row["reason"] for row in rows] == ["undecodable", "in_doubt", "refused"]
        assert rows[2]["identity"] == IDENTITY

    def test_a_wrong_filter_is_status_2(self, several, run):
        told = run("list", "--state", "closed", "--since", "never", status=2)
        assert told.out == ""
        assert told.err.count("refused: --") == 2

    def test_nothing_there_is_no_failure(self, world, run):
        assert run("list", "--json").out == ""

    def test_a_broken_read_is_status_1(self, several, run):
        several.break_with(Lost(LostWhy.BROKEN, "read invoice.outcomes: gone"))
        told = run("list", status=1)
        assert (told.out, told.err) == ("", "Kafka could not be read: read invoice.outcomes: gone\n")

    def test_what_is_no_dead_letter_is_told_on_stderr(self, several, run):
        several.dead_letters.append(Record(TOPICS.dead_letters, 0, 9, 0, None, b"", ()))
        several.settle(command(several, FIRST, "not_registered", identity=IDENTITY, doubt=7), NO_SUCH_DOUBT)
        told = run("list")
        assert "1 commands that were refused are not listed" in told.err
        assert "1 records have no readable cause; the first: invoice.dead-letters/0/9" in told.err

    def test_kafka_out_of_reach_is_status_1(self, monkeypatch, run, tmp_path):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        told = run("list", status=1)
        assert told.err.startswith("Kafka could not be read: 127.0.0.1:1: ")


class TestGroups:
    def test_counts_sums_and_what_to_do(self, several, run):
        several.settle(make_record(4, "20005", originalAmount=0.5), REFUSED)
        several.settle(make_record(5, "20006", originalAmount=7, currencyCode="SEK"), REFUSED)
        first, *others = objects(run("groups", "--json"))
        assert (first["count"], first["amounts"], first["unknown"]) == (3, {"NOK": "2500.5", "SEK": "7"}, 0)
        assert (first["reason"], first["example"]) == ("refused", "invoice.requests/0/5")
        assert first["first"] < first["last"]
        assert first["do"] == "read what Kravia refused; edit and send again"
        assert {one["reason"]: (one["count"], one["unknown"]) for one in others} == {
            "in_doubt": (1, 0),
            "undecodable": (1, 1),
        }
