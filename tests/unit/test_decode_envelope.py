"""CloudEvents 1.0 in Kafka's bindings, and bare JSON."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from worker.envelope import Opened, Unreadable, open_record
from worker.model import Record

STRUCTURED = json.loads(
    (Path(__file__).parents[2] / "schemas" / "examples" / "cloudevent-structured.json").read_text(encoding="utf-8")
)
BINARY = {
    "ce_specversion": b"1.0",
    "ce_id": b"e-1",
    "ce_source": b"/erp",
    "ce_type": b"kravia.invoice.requested.v1",
}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
STAMP = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def read(headers, value=b'{"a":1}', timestamp=1_767_323_045_000):
    return open_record(Record("invoice.requests", 3, 7, timestamp, None, value, tuple(headers)))


def binary(value=b'{"a":1}', **changes):
    headers = BINARY | {k.replace("__", "-"): v for k, v in changes.items()}
    return read(((k, v) for k, v in headers.items() if v is not None), value)


def structured(content_type="application/cloudevents+json", headers=(), **changes):
    body = {k: v for k, v in (STRUCTURED | changes).items() if v is not ...}
    return read([("content-type", content_type.encode()), *headers], json.dumps(body).encode())


def codes(result):
    assert isinstance(result, Unreadable), result
    return {p.code for p in result.problems}


def test_bare_json_has_neither_id_nor_source():
    result = read([])
    assert isinstance(result, Opened)
    assert (result.envelope.event_id, result.envelope.source, result.data) == (None, None, {"a": 1})
    assert result.envelope.time == STAMP


@pytest.mark.parametrize("content_type", [b"application/json", b"text/plain", b"\xff"])
def test_bare_json_may_be_called_anything(content_type):
    assert isinstance(read([("Content-Type", content_type)]), Opened)


def test_binary_mode():
    result = binary(
        ce_time=b"2025-04-01T12:00:00.123456789+02:00", ce_correlationid="å".encode(), traceparent=TRACE.encode()
    )
    assert isinstance(result, Opened)
    envelope = result.envelope
    assert (envelope.event_id, envelope.source, envelope.correlation_id) == ("e-1", "/erp", "å")
    assert envelope.time == datetime(2025, 4, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert envelope.traceparent == TRACE
    assert result.data == {"a": 1}


def test_header_names_are_compared_without_regard_to_case_and_the_last_counts():
    result = read([(k.upper(), v) for k, v in BINARY.items()] + [("Ce_Id", b"e-2")])
    assert isinstance(result, Opened)
    assert result.envelope.event_id == "e-2"


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_a_missing_attribute_is_named(name):
    assert codes(binary(**{f"ce_{name}": None})) == {f"missing_{name}"}
    assert codes(structured(**{name: ...})) == {f"missing_{name}"}
    assert codes(structured(**{name: None})) == {f"missing_{name}"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("specversion", "0.3", "unknown_specversion"),
        ("type", "kravia.invoice.requested.v2", "unknown_type"),
        ("id", "", "empty"),
        ("id", "x" * 1025, "text_too_long"),
        ("source", "a\nb", "control_character"),
        ("correlationid", " ", "empty"),
        ("time", "yesterday", "bad_time"),
        ("time", "2025-02-30T00:00:00Z", "bad_time"),
        ("time", "2025-02-03", "bad_time"),
        ("time", "2025-02-03T00:00:00", "bad_time"),
        ("time", "0001-01-01T00:00:00+10:00", "bad_time"),
    ],
)
def test_a_wrong_attribute_is_named(name, value, code):
    assert codes(binary(**{f"ce_{name}": value.encode()})) == {code}
    assert codes(structured(**{name: value})) == {code}


def test_another_type_is_refused_by_name():
    (problem,) = binary(ce_type=b"kravia.invoice.requested.v2").problems
    assert (
        problem.message == "The CloudEvents type must be kravia.invoice.requested.v1, not kravia.invoice.requested.v2."
    )
    (problem,) = binary(ce_type=b"Kari Nordmann").problems
    assert "Kari" not in problem.message


def test_all_that_is_wrong_is_reported_and_what_is_right_is_kept():
    result = read([("ce_id", b"e-1"), ("ce_source", b"\xff")], b"no json")
    assert codes(result) == {"wrong_encoding", "missing_specversion", "missing_type", "not_json"}
    assert result.envelope.event_id == "e-1"
    assert result.envelope.source is None


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+json", "APPLICATION/CloudEvents+JSON", "application/cloudevents+json; charset=utf-8"],
)
def test_structured_mode(content_type):
    result = structured(content_type)
    assert isinstance(result, Opened)
    assert result.data == STRUCTURED["data"]
    assert result.envelope.event_id == STRUCTURED["id"]
    assert result.envelope.correlation_id == STRUCTURED["correlationid"]
    assert result.envelope.time == STAMP


def test_structured_data_may_be_base64():
    encoded = base64.b64encode(b'{"a":1.50}').decode()
    result = structured(data=..., data_base64=encoded)
    assert isinstance(result, Opened)
    assert str(result.data["a"]) == "1.50"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"data": ...}, "no_data"),
        ({"data": None}, "no_data"),
        ({"data_base64": "e30="}, "data_twice"),
        ({"data": ..., "data_base64": "e30"}, "bad_base64"),
        ({"data": ..., "data_base64": 7}, "bad_base64"),
        ({"data": ..., "data_base64": "e"}, "bad_base64"),
        ({"data": ..., "data_base64": "eA=="}, "not_json"),
        ({"id": 7}, "wrong_type"),
    ],
)
def test_structured_data_that_is_not_there_or_not_readable(changes, code):
    assert codes(structured(**changes)) == {code}


@pytest.mark.parametrize("value", [b"[]", b"1", b"{}", b"null"])
def test_a_structured_event_is_an_object(value):
    assert codes(read([("content-type", b"application/cloudevents+json")], value)) == {"not_an_event"}


@pytest.mark.parametrize("kind", [b"application/cloudevents-batch+json", b"application/cloudevents+avro"])
def test_other_formats_are_refused_by_name(kind):
    assert "unknown_format" in codes(read([("content-type", kind)]))


@pytest.mark.parametrize("value", ["nonsense", TRACE + "-x", "00-zz-00f067aa0ba902b7-01"])
def test_a_malformed_trace_is_ignored(value):
    result = binary(traceparent=value.encode())
    assert isinstance(result, Opened)
    assert result.envelope.traceparent is None


def test_a_trace_may_be_an_attribute():
    assert binary(ce_traceparent=TRACE.encode()).envelope.traceparent == TRACE
    assert structured(traceparent=TRACE).envelope.traceparent == TRACE
    assert structured(headers=[("traceparent", TRACE.encode())]).envelope.traceparent == TRACE


def test_a_replay_names_its_origin():
    def sent_again(origin):
        headers = (*BINARY.items(), ("replay-of", origin))
        return open_record(Record("invoice.replays", 3, 7, 0, None, b"{}", headers), by_person=True)

    assert sent_again(b"invoice.requests/3/17").envelope.replay_of == "invoice.requests/3/17"
    assert codes(sent_again(b"somewhere")) == {"bad_replay_of"}


def test_a_producer_replays_nothing():
    assert binary(replay__of=b"invoice.requests/3/17").envelope.replay_of is None


@pytest.mark.parametrize("timestamp", [-1, 2**62])
def test_a_record_without_a_sensible_timestamp_counts_from_the_epoch(timestamp):
    assert read([], timestamp=timestamp).envelope.time == datetime(1970, 1, 1, tzinfo=UTC)
