"""`worker dead-letters export` and `audit`: what is handed on, and what is accounted for."""

import base64
import csv
import io
import json
import stat
from datetime import timedelta

import pytest

from schemas.identity import identity
from tests.unit.fakes_core import TOPICS
from tests.unit.fakes_letters import (
    DISCARDED,
    NO_SUCH_DOUBT,
    SEEN,
    again,
    command,
    found_by_the_command_line,
    objects,
    run_by,
    settle_several,
)
from tests.unit.fakes_time import EPOCH
from worker.model import Coordinates
from worker.ports import Lost, LostWhy

FIRST = Coordinates(TOPICS.requests, 0, 0)
IDENTITY = identity(10759, "Invoice", "20001")


@pytest.fixture
def several(monkeypatch, tmp_path):
    return settle_several(found_by_the_command_line(monkeypatch, tmp_path))


@pytest.fixture
def run(capsys):
    return run_by(capsys)


class TestExport:
    def test_byte_for_byte_into_a_private_file(self, several, run, tmp_path):
        path = tmp_path / "letters.jsonl"
        assert "1 dead letters written" in run("export", "--reason", "refused", str(path)).err
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        one = json.loads(path.read_text())
        letter = several.dead_letters[0]
        assert base64.b64decode(one["value"]) == letter.value
        assert base64.b64decode(one["key"]) == letter.key
        assert [(name, base64.b64decode(value)) for name, value in one["headers"]] == list(letter.headers)
        assert (one["origin"], one["state"]) == ("invoice.requests/0/0", "open")

    def test_nothing_is_overwritten(self, several, run, tmp_path):
        path = tmp_path / "letters.jsonl"
        path.write_text("mine")
        assert "exists; name a file that doesn't" in run("export", str(path), status=2).err
        assert path.read_text() == "mine"

    def test_a_broken_read_leaves_no_half_file(self, several, run, tmp_path):
        several.break_with(Lost(LostWhy.BROKEN, "gone"))
        run("export", str(tmp_path / "letters.jsonl"), status=1)
        assert list(tmp_path.iterdir()) == []

    def test_interrupted_it_leaves_no_half_file(self, several, run, tmp_path, monkeypatch):
        async def interrupted():
            yield several.dead_letters[0]
            raise KeyboardInterrupt

        monkeypatch.setattr(several, "letters", interrupted)
        run("export", str(tmp_path / "letters.jsonl"), status=130)
        assert list(tmp_path.iterdir()) == []


class TestAudit:
    def test_who_when_why_what_and_what_came_of_it(self, several, run):
        in_doubt = identity(10759, "Invoice", "20003")
        verdict = command(several, Coordinates(TOPICS.requests, 0, 2), "not_registered", identity=in_doubt, doubt=9)
        several.settle(verdict, NO_SUCH_DOUBT)
        several.settle(again(several, FIRST, name="r-1"), SEEN)
        several.settle(command(several, FIRST, "discard", identity=IDENTITY), DISCARDED)
        rows = objects(run("audit", "--json"))
        assert [(row["verb"], row["result"], row["effect"]) for row in rows] == [
            ("discard", "discarded", True),
            ("replay", "repeated", False),
            ("not_registered", "rejected conflict", False),
            ("replay", "scheduled", True),
        ]
        assert {row["who"] for row in rows} == {"kari"}
        assert (rows[0]["origin"], rows[0]["why"], rows[0]["identity"]) == (str(FIRST), "I looked it up", IDENTITY)

    def test_filters(self, several, run):
        several.settle(command(several, FIRST, "discard", identity=IDENTITY), DISCARDED)
        assert [row["verb"] for row in objects(run("audit", "--json", "--verb", "discard"))] == ["discard"]
        assert objects(run("audit", "--json", "--who", "ola")) == []
        until = (EPOCH + timedelta(minutes=6)).isoformat()
        assert [row["verb"] for row in objects(run("audit", "--json", "--until", until))] == ["replay"]
        assert "verb: 'sing' won't do" in run("audit", "--verb", "sing", status=2).err

    def test_a_spreadsheet_gets_no_formula(self, several, run):
        several.settle(command(several, FIRST, "discard", identity=IDENTITY, why="=1+1"), DISCARDED)
        [row] = csv.DictReader(io.StringIO(run("audit", "--csv", "--verb", "discard").out))
        assert row["why"] == "'=1+1"
