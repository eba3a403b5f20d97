"""The CNCF's CloudEvents SDK writes what the worker takes, in both modes, and reads what the worker writes."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import (
    KafkaMessage,
    from_kafka_event,
    to_binary_event,
    to_structured_event,
)
from cloudevents.core.v1.event import CloudEvent

from schemas.events import REQUESTED_TYPE
from schemas.identity import partition_for
from worker.decode import decode
from worker.model import (
    Ending,
    Event,
    Failed,
    History,
    Problem,
    Reason,
    Record,
    Refusal,
    Rejected,
    Scheduled,
    Step,
    TopicNames,
)
from worker.receipts import Desk, Receipt, outcome_record

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
KEY = b"10759/Invoice/20001"
DESK = Desk("billing", "1", TopicNames(), 1, 1)
Convert = Callable[[CloudEvent], KafkaMessage]


def example(name: str) -> bytes:
    return (EXAMPLES / f"invoice-requested.{name}.json").read_bytes()


def invoice_event(data: dict[str, object]) -> CloudEvent:
    attributes = {
        "id": "b6a1c0de-0001",
        "source": "/erp/oslo",
        "type": REQUESTED_TYPE,
        "specversion": "1.0",
        "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "datacontenttype": "application/json",
        "correlationid": "order-4711",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "partitionkey": KEY.decode(),
    }
    return CloudEvent(attributes, data)


def as_record(message: KafkaMessage, spelling: Callable[[str], str] = str) -> Record:
    """The SDK's message as the broker would give it, header names spelt otherwise."""
    key = message.key.encode() if isinstance(message.key, str) else message.key
    assert key == KEY, "the SDK makes the key of the partitionkey"
    headers = tuple((spelling(name), value) for name, value in message.headers.items())
    return Record("invoice.requests", partition_for(key, 12), 7, 0, key, message.value, headers)


def taken(record: Record) -> Event:
    decoded = decode(record, partition_count=12)
    assert isinstance(decoded, Event), decoded
    return decoded


def plain_json(name: str) -> dict[str, object]:
    """An example's data as Python's json has it, of the invoice that KEY names."""
    data: dict[str, dict[str, object]] = json.loads(example(name))
    data["invoice"]["invoiceNo"] = "20001"
    return dict(data)


@pytest.mark.parametrize("name", ["invoice", "attachments"])
def test_both_modes_are_the_same_event(name: str) -> None:
    event = invoice_event(plain_json(name))
    binary, structured = (taken(as_record(convert(event))) for convert in (to_binary_event, to_structured_event))
    assert binary.identity == KEY.decode()
    assert (binary.envelope.event_id, binary.envelope.source) == ("b6a1c0de-0001", "/erp/oslo")
    assert binary.envelope.correlation_id == "order-4711"
    assert binary.envelope.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert binary.envelope.time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert replace(structured, size=0) == replace(binary, size=0)


def test_data_in_bytes_travels_as_base64_and_keeps_money_digit_by_digit() -> None:
    value = example("invoice").replace(b'"originalAmount": 2500', b'"originalAmount": 2500.1000000000000000001')
    attributes = invoice_event({}).get_attributes()
    event = CloudEvent(attributes, value)
    binary, structured = (taken(as_record(convert(event))) for convert in (to_binary_event, to_structured_event))
    assert b"data_base64" in to_structured_event(event).value
    assert binary.amount == structured.amount == Decimal("2500.1000000000000000001")
    assert replace(structured, size=0) == replace(binary, size=0)


@pytest.mark.parametrize("spelling", ["content-type", "Content-Type", "CONTENT-TYPE", "cOnTeNt-TyPe"])
@pytest.mark.parametrize("media_type", ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=UTF-8"])
def test_how_the_content_type_is_spelt_does_not_matter(spelling: str, media_type: str) -> None:
    message = to_structured_event(invoice_event(plain_json("invoice")))
    record = as_record(replace(message, headers={spelling: media_type.encode()}))
    assert taken(record).envelope.event_id == "b6a1c0de-0001"


@pytest.mark.parametrize("spelling", [str.upper, str.title, str.lower])
def test_how_the_attributes_headers_are_spelt_does_not_matter(spelling: Callable[[str], str]) -> None:
    message = to_binary_event(invoice_event(plain_json("invoice")))
    assert taken(as_record(message, spelling)) == taken(as_record(message))


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (Scheduled("4711"), "scheduled"),
        (Rejected(Refusal.VALIDATION, (Problem("/invoice/dueDate", "bad_date", "No."),)), "rejected"),
        (Failed(Step.REGISTER, Reason.IN_DOUBT, 1, None, None, 1041, "timeout"), "failed"),
    ],
)
def test_the_sdk_reads_outcomes(ending: Ending, kind: str) -> None:
    now = datetime(2026, 1, 2, 3, 4, 6, 500_000, tzinfo=UTC)
    envelope = taken(as_record(to_binary_event(invoice_event(plain_json("invoice"))))).envelope
    written = outcome_record(Receipt(envelope, KEY.decode(), ending, History(), now, now), DESK)
    assert written.value is not None
    read = from_kafka_event(KafkaMessage(dict(written.headers), written.key, written.value))
    assert read.get_type() == f"kravia.invoice.{kind}.v1"
    assert (read.get_specversion(), read.get_datacontenttype()) == ("1.0", "application/json")
    assert (read.get_subject(), read.get_time()) == (KEY.decode(), now)
    assert read.get_extension("causationid") == "b6a1c0de-0001"
    assert read.get_extension("correlationid") == "order-4711"
    data = read.get_data()
    assert isinstance(data, dict)
    assert data["outcome"] == kind
    assert data["origin"] == dict(zip(("topic", "partition", "offset"), envelope.origin, strict=True))
