"""`worker dead-letters`: what the reading verbs print, and that no personal data is in it."""

import csv
import io
import json
import re

import pytest

from schemas.identity import identity
from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_letters import (
    BLOCKED,
    DISCARDED,
    NO_SUCH_DOUBT,
    REFUSED,
    SCHEDULED,
    again,
    command,
    found_by_the_command_line,
    settle_several,
)
from worker.cli import main
from worker.model import Coordinates, Record
from worker.ports import Lost, LostWhy

FIRST = Coordinates(TOPICS.requests, 0, 0)
IDENTITY = identity(10759, "Invoice", "20001")


@pytest.fixture
def world(monkeypatch, tmp_path):
    return found_by_the_command_line(monkeypatch, tmp_path)


@pytest.fixture
def run(capsys):
    def told(*words, status=0):
        assert main(["dead-letters", *words]) == status
        return capsys.readouterr()

    return told


def objects(told):
    return [json.loads(line) for line in told.out.splitlines()]


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


class TestShow:
    def test_the_history_says_who_and_why(self, several, run):
        [one] = objects(run("show", "invoice.requests/0/1", "--json"))
        assert (one["state"], one["cause"]["reason"]) == ("replayed", "expired")
        failed, sent = one["history"]
        assert (failed["outcome"], failed["deadLetter"]) == ("failed", "invoice.dead-letters/0/1")
        assert (sent["outcome"], sent["record"]) == ("scheduled", "invoice.replays/0/0")
        assert (sent["command"]["verb"], sent["command"]["who"]) == ("replay", "kari")
        assert sent["command"]["why"] == "it is well again"

    def test_by_identity_and_by_the_dead_letter_itself(self, several, run):
        by_identity = run("show", IDENTITY, "--json").out
        assert by_identity == run("show", "invoice.dead-letters/0/0", "--json").out
        assert json.loads(by_identity)["origin"] == "invoice.requests/0/0"

    def test_register_calls(self, several, run):
        out = run("show", "invoice.requests/0/2").out
        assert "unclear:timeout  owner owner-1  intent 7" in out

    def test_an_edit_shows_what_was_before_and_after(self, world, run):
        world.settle(make_record(0, dueDate="2026-05-01", email="old@example.com"), REFUSED)
        world.settle(
            again(
                world, FIRST, verb="edit", changes={"dueDate": "2026-06-01", "email": None}, changed="/invoice/email"
            ),
            SCHEDULED,
        )
        [edit] = objects(run("show", str(FIRST), "--json"))[0]["edits"]
        assert edit["changes"] == [
            {"pointer": "/invoice/email", "before": "***"},
            {"pointer": "/invoice/dueDate", "before": "2026-05-01", "after": "2026-06-01"},
        ]
        out = run("show", str(FIRST), "--show-personal-data").out
        assert '/invoice/email: "old@example.com" → (absent)' in out

    def test_an_edit_is_shown_as_pointers_when_its_record_is_gone(self, world, run):
        world.settle(make_record(0), REFUSED)
        at = world.settle(
            again(world, FIRST, verb="edit", changes={"email": None}, changed="/invoice/email"), SCHEDULED
        )
        del world.inputs[at]
        assert "/invoice/email (before or after is gone, or is not JSON)" in run("show", str(FIRST)).out

    def test_numbers_are_shown_digit_by_digit(self, world, run):
        record = make_record(0)
        value = record.value.replace(b'"originalAmount": 2500', b'"originalAmount": 2500.10')
        assert value != record.value
        world.settle(Record(*(*_fields(record)[:5], value, ())), REFUSED)
        assert '"originalAmount": 2500.10' in run("show", str(FIRST)).out
        assert '"originalAmount":2500.10' in run("show", str(FIRST), "--json").out

    def test_what_is_not_json_is_shown_when_it_is_asked_for(self, world, run):
        world.settle(Record(TOPICS.requests, 0, 0, 0, None, b"name=Kari\x1b[31m", ()), None)
        world.settle(Record(TOPICS.requests, 0, 1, 0, None, b"\xff\x00Kari", ()), None)
        told = run("show", "invoice.requests/0/0").out
        assert "14 bytes, sha256 " in told
        assert "Kari" not in told
        asked = run("show", "invoice.requests/0/0", "--show-personal-data").out
        assert "name=Kari\N{REPLACEMENT CHARACTER}[31m" in asked
        dump = run("show", "invoice.requests/0/1", "--show-personal-data").out
        assert "00000000 ff 00 4b 61 72 69 ..Kari" in " ".join(dump.split())

    def test_nothing_found_is_status_1(self, several, run):
        told = run("show", "10759/Invoice/99", status=1)
        assert (
            told.err
            == "there is no such dead letter: name an origin or an identity as `worker dead-letters list` does\n"
        )


def _fields(record):
    return tuple(getattr(record, name) for name in record.__slots__)
