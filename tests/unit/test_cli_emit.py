"""`worker emit` without a broker: what it refuses, asks, and would send."""

import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.events import REQUESTED_TYPE
from schemas.identity import partition_for
from schemas.jsontext import dumps
from tests.integration.events import data
from worker.checking.items import Form, Item, Place
from worker.checking.judge import Rules, examine
from worker.checking.outgoing import outgoing
from worker.cli import emitting, main
from worker.decode import decode
from worker.kafka.security import Connection
from worker.model import Coordinates, Event, OutRecord, Record
from worker.ports import Lost, LostWhy

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty directory without .env, and no settings but a broker that is not there."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_", "RULE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")


def objects(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_record_of_bare_data_is_a_cloudevent_where_its_identity_leads():
    value = dumps(data(7))
    item = Item(Place("f", 1), Form.DATA, value)
    made = outgoing(item, examine(item, Rules(partitions=12)), "requests", event_id="e-1", now=NOW, source="/erp")
    assert made.record.key == b"10759/Invoice/7"
    assert made.record.partition == partition_for(b"10759/Invoice/7", 12)
    assert dict(made.record.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"e-1",
        "ce_source": b"/erp",
        "ce_type": REQUESTED_TYPE.encode(),
        "ce_time": b"2026-04-01T12:00:00Z",
        "content-type": b"application/json",
    }
    # What the worker makes of it.
    record = Record("requests", made.record.partition, 0, 0, made.record.key, made.record.value, made.record.headers)
    event = decode(record, partition_count=12)
    assert isinstance(event, Event)
    assert (event.envelope.event_id, event.envelope.time, event.warnings) == ("e-1", NOW, ())
    assert made.record.value == value


def test_an_event_with_attributes_keeps_them_and_its_bytes():
    value = dumps({"specversion": "1.0", "id": "1", "source": "/s", "type": REQUESTED_TYPE, "data": data(7)})
    item = Item(Place("f", 1), Form.STRUCTURED, value, headers=(("content-type", b"application/cloudevents+json"),))
    made = outgoing(item, examine(item, Rules(partitions=12)), "requests", event_id="e-1", now=NOW)
    assert (made.record.value, made.record.headers, made.event_id) == (value, item.headers, "1")


def test_a_dry_run_says_what_would_be_sent_and_refuses_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = [data(1), data(2, kid="1"), data(3)]
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(dumps(row) for row in rows) + b"\n{\n")
    words = ["emit", "events.jsonl", "--dry-run", "--partitions", "4"]
    assert main(words) == 1
    told = capsys.readouterr()
    first, second, summary = told.out.splitlines()
    right = partition_for(b"10759/Invoice/1", 4)
    assert first.startswith(f"would send invoice.requests/{right} 10759/Invoice/1 event=")
    assert "10759/Invoice/3" in second
    assert summary == "2 would send, 2 refused, 0 unacknowledged"
    assert "not sent: events.jsonl:2: error: unknown_field at /invoice/kid" in told.err
    assert main([*words, "--force", "--json", "--topic", "other"]) == 0
    *sent, summary = objects(capsys)
    assert summary == {"kind": "summary", "would_send": 4, "refused": 0, "unacknowledged": 0}
    assert [one["record"].split("/")[0] for one in sent] == ["other"] * 4


def test_the_settings_say_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "odd.json").write_bytes(dumps(data(1, email="kari@")))
    words = ["emit", "odd.json", "--dry-run", "--partitions", "4"]
    assert main(words) == 0
    monkeypatch.setenv("RULE_EMAIL", "reject")
    assert main(words) == 1
    assert "not sent: odd.json:1: error: email at /invoice/email" in capsys.readouterr().err


def test_samples_are_the_same_for_a_seed_and_good_unless_forced(capsys: pytest.CaptureFixture[str]):
    words = ["emit", "--samples", "200", "--seed", "3", "--dry-run", "--partitions", "4", "--json"]
    assert main(words) == 0
    *first, summary = objects(capsys)
    assert (len(first), summary["refused"]) == (200, 0)
    main(words)
    assert objects(capsys)[:-1] == first
    main([*words, "--force"])
    assert objects(capsys)[:-1] != first


@pytest.mark.parametrize(
    "words", [[], ["--samples", "1", "x.json"], ["--samples", "1", "--partitions", "3"], ["--samples", "0"]]
)
def test_wrong_usage_is_status_2(words: list[str]):
    try:
        status = main(["emit", *words])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2


@pytest.mark.parametrize("rate", ["-1", "nan", "inf", "fast"])
def test_a_rate_is_a_number(rate: str):
    with pytest.raises(SystemExit) as stopped:
        main(["emit", "--samples", "1", f"--rate={rate}"])
    assert stopped.value.code == 2


def test_samples_for_another_machine_are_asked_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "localhost:1,kafka.example:9092")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["emit", "--samples", "2"]) == 2
    assert "say --yes" in capsys.readouterr().err

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    assert main(["emit", "--samples", "2"]) == 2
    told = capsys.readouterr().err
    assert "Send 2 sample invoices to invoice.requests on localhost:1,kafka.example:9092?" in told
    assert "nothing was sent" in told


def test_a_broker_that_is_away_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "one.json").write_bytes(dumps(data(1)))
    assert main(["emit", "one.json"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "nothing was sent: 127.0.0.1:1" in told.err
    assert "check KAFKA_BOOTSTRAP_SERVERS" in told.err


class FailingSender:
    """Acknowledges what it gets until the third record."""

    failure = None

    def __init__(self, connection: Connection) -> None:
        self.records: list[OutRecord] = []

    async def __aenter__(self) -> "FailingSender":
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def send(self, record: OutRecord) -> Any:
        self.records.append(record)
        offset = len(self.records)

        async def answer() -> Coordinates | Lost:
            if offset > 2:
                return Lost(LostWhy.TIMEOUT, "write to requests: RequestTimedOutError")
            return Coordinates(record.topic, record.partition, offset)

        return answer()


async def test_when_the_broker_goes_away_it_stops_and_says_what_that_means(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(emitting, "Sender", FailingSender)
    plan = emitting.Plan("requests", 1, Rules(partitions=1), rate=1000.0)
    item = Item(Place("f", 1), Form.DATA, dumps(data(1)))
    endless = (replace(item, place=Place("f", number)) for number in range(1, 10_000))
    emission = emitting.Emission(plan, Connection("127.0.0.1:1", "test", 1.0, {}))
    assert await emission.send_all(endless) == 1
    assert emission.sent == 2
    assert emission.unsent >= 1
    told = capsys.readouterr()
    assert told.out.startswith("sent requests/0/1 10759/Invoice/1 event=")
    assert "not acknowledged: 10759/Invoice/1: write to requests: RequestTimedOutError" in told.err
    assert "the same invoice ends repeated" in told.err
