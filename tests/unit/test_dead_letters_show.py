"""`worker dead-letters show`: all that is known of one, and no personal data unless it is asked for."""

import json

import pytest

from schemas.identity import identity
from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_letters import (
    REFUSED,
    SCHEDULED,
    again,
    found_by_the_command_line,
    objects,
    run_by,
    settle_several,
)
from worker.model import Coordinates, Record

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


def test_the_history_says_who_and_why(several, run):
    [one] = objects(run("show", "invoice.requests/0/1", "--json"))
    assert (one["state"], one["cause"]["reason"]) == ("replayed", "expired")
    failed, sent = one["history"]
    assert (failed["outcome"], failed["deadLetter"]) == ("failed", "invoice.dead-letters/0/1")
    assert (sent["outcome"], sent["record"]) == ("scheduled", "invoice.replays/0/0")
    assert (sent["command"]["verb"], sent["command"]["who"]) == ("replay", "kari")
    assert sent["command"]["why"] == "it is well again"


def test_by_identity_and_by_the_dead_letter_itself(several, run):
    by_identity = run("show", IDENTITY, "--json").out
    assert by_identity == run("show", "invoice.dead-letters/0/0", "--json").out
    assert json.loads(by_identity)["origin"] == "invoice.requests/0/0"


def test_register_calls(several, run):
    out = run("show", "invoice.requests/0/2").out
    assert "unclear:timeout  owner owner-1  intent 7" in out


def test_an_edit_shows_what_was_before_and_after(world, run):
    world.settle(make_record(0, dueDate="2026-05-01", email="old@example.com"), REFUSED)
    world.settle(
        again(world, FIRST, verb="edit", changes={"dueDate": "2026-06-01", "email": None}, changed="/invoice/email"),
        SCHEDULED,
    )
    [edit] = objects(run("show", str(FIRST), "--json"))[0]["edits"]
    assert edit["changes"] == [
        {"pointer": "/invoice/email", "before": "***"},
        {"pointer": "/invoice/dueDate", "before": "2026-05-01", "after": "2026-06-01"},
    ]
    out = run("show", str(FIRST), "--show-personal-data").out
    assert '/invoice/email: "old@example.com" → (absent)' in out


def test_an_edit_is_shown_as_pointers_when_its_record_is_gone(world, run):
    world.settle(make_record(0), REFUSED)
    at = world.settle(again(world, FIRST, verb="edit", changes={"email": None}, changed="/invoice/email"), SCHEDULED)
    del world.inputs[at]
    assert "/invoice/email (before or after is gone, or is not JSON)" in run("show", str(FIRST)).out


def test_numbers_are_shown_digit_by_digit(world, run):
    record = make_record(0)
    value = record.value.replace(b'"originalAmount": 2500', b'"originalAmount": 2500.10')
    assert value != record.value
    world.settle(Record(*(*_fields(record)[:5], value, ())), REFUSED)
    assert '"originalAmount": 2500.10' in run("show", str(FIRST)).out
    assert '"originalAmount":2500.10' in run("show", str(FIRST), "--json").out


def test_what_is_not_json_is_shown_when_it_is_asked_for(world, run):
    world.settle(Record(TOPICS.requests, 0, 0, 0, None, b"name=Kari\x1b[31m", ()), None)
    world.settle(Record(TOPICS.requests, 0, 1, 0, None, b"\xff\x00Kari", ()), None)
    told = run("show", "invoice.requests/0/0").out
    assert "14 bytes, sha256 " in told
    assert "Kari" not in told
    asked = run("show", "invoice.requests/0/0", "--show-personal-data").out
    assert "name=Kari\N{REPLACEMENT CHARACTER}[31m" in asked
    dump = run("show", "invoice.requests/0/1", "--show-personal-data").out
    assert "00000000 ff 00 4b 61 72 69 ..Kari" in " ".join(dump.split())


def test_nothing_found_is_status_1(several, run):
    told = run("show", "10759/Invoice/99", status=1)
    assert (
        told.err == "there is no such dead letter: name an origin or an identity as `worker dead-letters list` does\n"
    )


def _fields(record):
    return tuple(getattr(record, name) for name in record.__slots__)
