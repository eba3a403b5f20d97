"""`worker why` without a broker, and how a story is shown."""

import json
import os
from pathlib import Path

import pytest

from tests.unit.fakes_inquiry import at
from worker.cli import main
from worker.cli.stories import as_lines, as_object
from worker.inquiry.story import Moment, Story, Turn, Where
from worker.model import Coordinates

STORY = Story(
    identity="10759/Invoice/1",
    record=None,
    partition=3,
    where=Where.IN_DOUBT,
    sentence="In doubt, given up.",
    turn=Turn.OPERATOR,
    next="Look it up.",
    moments=(
        Moment(at(0), "received", Coordinates("r", 3, 7), Coordinates("r", 3, 7), {"event": "a\x1b[2Jb"}),
        Moment(at(1.5), "failed", Coordinates("o", 3, 9), Coordinates("r", 3, 7), {"reason": "in_doubt", "doubt": 4}),
    ),
    doubt=4,
    unsettled=(Coordinates("r", 3, 8),),
    notes=("Odd.",),
)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty directory without .env, and no settings but a broker that is not there."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_", "RULE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")


def test_for_people_where_and_what_is_next_come_first():
    assert list(as_lines(STORY)) == [
        "10759/Invoice/1 (partition 3): in doubt",
        "  In doubt, given up.",
        "  Next (operator): Look it up.",
        "  Note: Odd.",
        "    2026-04-01 12:00:00.000Z  received         r/3/7 event=a\N{REPLACEMENT CHARACTER}[2Jb",
        "    2026-04-01 12:00:01.500Z  failed           o/3/9 of r/3/7 reason=in_doubt doubt=4",
    ]


def test_for_programs_everything_has_a_name():
    told = json.loads(json.dumps(as_object(STORY)))
    assert (told["where"], told["turn"], told["doubt"]) == ("in_doubt", "operator", 4)
    assert told["unsettled"] == ["r/3/8"]
    assert told["moments"][1] == {
        "at": "2026-04-01T12:00:01.500000Z",
        "what": "failed",
        "record": "o/3/9",
        "about": "r/3/7",
        "details": {"reason": "in_doubt", "doubt": 4},
    }


def test_a_broker_that_is_away_is_status_1(capsys: pytest.CaptureFixture[str]):
    assert main(["why", "10759/Invoice/1"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "Kafka could not be read: 127.0.0.1:1" in told.err
    assert "check KAFKA_BOOTSTRAP_SERVERS" in told.err


def test_nothing_asked_is_status_2(capsys: pytest.CaptureFixture[str]):
    assert main(["why", " "]) == 2
    assert "refused: SUBJECT is empty" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stopped:
        main(["why"])
    assert stopped.value.code == 2
