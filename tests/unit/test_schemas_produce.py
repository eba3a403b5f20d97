"""Writing events from Python: what is produced is what the worker reads, and what it would refuse is refused before."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.events import InvoiceRequest, check, identity_of
from schemas.jsontext import dumps, loads
from schemas.produce import InvoiceEvent, ProducerMessage, inline, reference
from tests.unit.fakes_produce import COUNT, MODES, URL, event, read, request
from tests.unit.schema_values import document_schema, valid

TIME = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@MODES
def test_the_worker_reads_what_was_meant(mode):
    made = event(time=TIME, correlationid="order-4711", traceparent=TRACE)
    got = read(made.to_message(partitions=COUNT, mode=mode))
    assert got.identity == "10759/Invoice/20003"
    assert (got.amount, got.currency, got.creditor_id) == (Decimal("2500.10"), "NOK", 10759)
    envelope = got.envelope
    assert (envelope.event_id, envelope.source, envelope.time) == ("e-1", "/erp/oslo", TIME)
    assert (envelope.correlation_id, envelope.traceparent) == ("order-4711", TRACE)


def test_a_binary_message_has_its_attributes_in_headers():
    message = event(time=TIME, traceparent=TRACE).to_message(partitions=COUNT)
    assert message.key == b"10759/Invoice/20003"
    assert dict(message.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"e-1",
        "ce_source": b"/erp/oslo",
        "ce_type": b"kravia.invoice.requested.v1",
        "ce_time": b"2026-01-02T03:04:05.678901Z",
        "content-type": b"application/json",
        "traceparent": TRACE.encode(),
    }
    assert b'"originalAmount":2500.10' in message.value


def test_a_structured_message_has_them_in_its_value():
    message = event(correlationid="c", traceparent=TRACE).to_message(partitions=COUNT, mode="structured")
    assert dict(message.headers) == {"content-type": b"application/cloudevents+json", "traceparent": TRACE.encode()}
    value = loads(message.value)
    assert list(value.pop("data")) == ["invoice"]
    assert value == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/erp/oslo",
        "type": "kravia.invoice.requested.v1",
        "correlationid": "c",
        "datacontenttype": "application/json",
        "traceparent": TRACE,
    }


def test_without_a_partition_count_the_client_chooses():
    assert event().to_message().partition is None


def test_each_event_has_an_id_of_its_own_and_keeps_it():
    one, other = (InvoiceEvent(request(), source="/erp") for _ in range(2))
    assert one.id != other.id
    assert one.to_message() == one.to_message()


def test_a_time_in_another_zone_is_the_same_time():
    made = event(time=datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))))
    assert (b"ce_time", b"2026-01-02T03:04:05Z") in [(k.encode(), v) for k, v in made.to_message().headers]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"source": ""}, "empty"),
        ({"source": " "}, "empty"),
        ({"id": "a\nb"}, "control_character"),
        ({"id": "å" * 513}, "text_too_long"),
        ({"id": None}, "wrong_type"),
        ({"correlationid": 4711}, "wrong_type"),
        ({"correlationid": "\ud800"}, "wrong_encoding"),
        ({"time": datetime(2026, 1, 2)}, "timezone_aware"),  # noqa: DTZ001 -- that it is naive is the point
        ({"time": datetime.min.replace(tzinfo=timezone(timedelta(hours=2)))}, "bad_time"),
        ({"traceparent": TRACE.upper()}, "bad_format"),
        ({"unknown": "x"}, "unexpected_keyword_argument"),
    ],
)
def test_an_attribute_that_is_wrong_is_named(changes, code):
    with pytest.raises(ValidationError) as error:
        event(**changes)
    [found] = error.value.errors()
    assert (found["loc"], found["type"]) == ((next(iter(changes)),), code)


def test_half_a_surrogate_pair_is_refused_where_it_is_given():
    for changes in ({"invoiceNo": "\ud800"}, {"debtorName": "\ud800"}):
        with pytest.raises(ValidationError, match=r"wrong_encoding|string_unicode"):
            request(**changes)


@pytest.mark.parametrize("partitions", [0, -1])
def test_a_topic_without_partitions_is_refused(partitions):
    with pytest.raises(ValueError, match="at least one partition"):
        event().to_message(partitions=partitions)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="binary or structured"):
        event().to_message(mode="batched")  # type: ignore[arg-type]  # a caller without mypy may try


def test_no_error_shows_a_value():
    secret = "Ola Nordmann 01017012345"
    for make in (
        lambda: event(traceparent=secret),
        lambda: inline(b"x", f"{secret}/.pdf", "a/b"),
        lambda: inline(b"x", secret),
        lambda: reference(b"x", f"http://{secret}", "a.pdf"),
        lambda: event(inline(b"x", f"{secret}.pdf"), inline(b"x", f"{secret}.pdf")).to_message(),
    ):
        with pytest.raises(ValueError) as error:  # noqa: PT011 -- which of them is not the point here
            make()
        assert "Nordmann" not in str(error.value)


ATTRIBUTES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200).filter(str.strip)
TIMES = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)).map(  # noqa: DTZ001 -- it gets one
    lambda time: time.replace(tzinfo=UTC)
)
NAMES = st.text("abcå ", min_size=1, max_size=20).filter(str.strip)
DOCUMENTS = st.lists(
    st.builds(inline, st.binary(min_size=1, max_size=50), NAMES, st.just("application/pdf"), digest=st.booleans())
    | st.builds(reference, st.binary(min_size=1), st.just(URL), NAMES, st.just("text/csv; charset=utf-8")),
    max_size=4,
    unique_by=lambda document: document.fileName,
)


def requests():
    """Requests of every claim type, made from the JSON Schema, but for what prose says."""
    schema = document_schema("invoice-requested.v1.json")
    claims = valid(schema["properties"]["invoice"], schema)
    checked = claims.map(lambda claim: check(loads(dumps({"invoice": claim}))))
    return checked.filter(lambda found: isinstance(found, InvoiceRequest))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    made=requests(),
    attachments=DOCUMENTS,
    attributes=st.fixed_dictionaries({"id": ATTRIBUTES, "source": ATTRIBUTES}, optional={"correlationid": ATTRIBUTES}),
    time=st.none() | TIMES,
    partitions=st.integers(1, 1000),
)
def test_every_message_decodes_as_the_event_that_was_meant_in_both_modes(
    made, attachments, attributes, time, partitions
):
    meant = InvoiceEvent(made.model_copy(update={"attachments": attachments}), time=time, **attributes)
    messages = [meant.to_message(partitions=partitions, mode=mode) for mode in ("binary", "structured")]
    binary, structured = (replace(read(message, partitions), size=0) for message in messages)
    assert binary == structured
    assert binary.identity == identity_of(made)
    assert binary.envelope.event_id == attributes["id"]
    assert binary.envelope.source == attributes["source"]
    assert binary.envelope.correlation_id == attributes.get("correlationid")
    assert binary.amount == made.invoice.originalAmount
    assert [a.file_name for a in binary.attachments] == [a.fileName for a in attachments]
    assert time is None or binary.envelope.time == time
    assert check(loads(messages[0].value)) == made.model_copy(update={"attachments": attachments})


def test_the_example_of_the_documentation_runs(monkeypatch):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "produce.md").read_text(encoding="utf-8")
    [example] = [text for text in re.findall("```python\n(.*?)```", page, re.DOTALL) if "schemas.produce" in text]
    sent = []

    class Producer:
        def __init__(self, **_settings):
            pass

        async def start(self):
            pass

        async def stop(self):
            pass

        async def partitions_for(self, _topic):
            return set(range(COUNT))

        async def send_and_wait(self, topic, **record):
            assert isinstance(record["headers"], list)  # aiokafka takes nothing else
            sent.append((topic, ProducerMessage(**record)))

    monkeypatch.setattr("aiokafka.AIOKafkaProducer", Producer)
    exec(example, {})  # noqa: S102 -- the repository's own text
    [(topic, message)] = sent
    assert topic == "invoice.requests"
    got = read(message)
    assert (got.identity, got.envelope.correlation_id) == ("10759/Invoice/20003", "order-4711")
    assert [attachment.media_type for attachment in got.attachments] == ["application/pdf"]
