"""Writing events from Python: what is produced is what the worker reads, and what it would refuse is refused before."""

import base64
import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.attachments import InlineAttachment
from schemas.events import Invoice, InvoiceRequest, ReferencedAttachment, check, identity_of
from schemas.jsontext import dumps, loads
from schemas.produce import MAX_DOCUMENT, MAX_DOCUMENTS, InvoiceEvent, ProducerMessage, inline, inline_file, reference
from schemas.rules import DEFAULT_POLICY, KEY_DIFFERS
from tests.unit.schema_values import document_schema, valid
from worker.decode import DEFAULT_LIMITS, decode
from worker.model import Attachment, Event, Record, Reference

COUNT = 12
TIME = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
MODES = pytest.mark.parametrize("mode", ["binary", "structured"])
URL = "https://documents.example.com/20003.pdf"


def request(attachments=None, **changes):
    invoice = {
        "claimType": "Invoice",
        "creditorId": 10759,
        "invoiceNo": "20003",
        "debtorName": "John Doe",
        "invoiceDate": "2025-04-01",
        "dueDate": "2026-01-01",
        "originalAmount": Decimal("2500.10"),
        "currencyCode": "NOK",
        **changes,
    }
    return InvoiceRequest(invoice=Invoice(**invoice), attachments=attachments)


def event(*attachments, **changes):
    return InvoiceEvent(request([*attachments] or None), **({"source": "/erp/oslo", "id": "e-1"} | changes))


def read(message, count=COUNT):
    """What the worker makes of it, where no rule beyond shape rejects (`schemas.rules` has tests of its own)."""
    record = Record("invoice.requests", message.partition, 7, 1, message.key, message.value, tuple(message.headers))
    result = decode(record, partition_count=count, rules=DEFAULT_POLICY.lenient)
    assert isinstance(result, Event), result
    assert KEY_DIFFERS not in {problem.code for problem in result.warnings}
    return result


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


@MODES
def test_a_file_travels_inline_with_its_digest(mode, tmp_path):
    (tmp_path / "faktura.pdf").write_bytes(b"%PDF-1.4\n")
    made = event(inline_file(tmp_path / "faktura.pdf"), inline(b"a,b\n", "b.csv", digest=False))
    got = read(made.to_message(partitions=COUNT, mode=mode))
    digests = [hashlib.sha256(data).hexdigest() for data in (b"%PDF-1.4\n", b"a,b\n")]
    contents = [base64.b64encode(data).decode() for data in (b"%PDF-1.4\n", b"a,b\n")]
    assert got.attachments == (
        Attachment("faktura.pdf", "application/pdf", contents[0], digests[0]),
        Attachment("b.csv", "text/csv", contents[1], digests[1]),
    )
    [first, second] = made.request.attachments
    assert (first.sha256, second.sha256) == (digests[0], None)


@MODES
def test_a_reference_is_made_from_the_document(mode):
    made = event(reference(b"%PDF-1.4\n", URL, "faktura.pdf"))
    got = read(made.to_message(partitions=COUNT, mode=mode))
    digest = hashlib.sha256(b"%PDF-1.4\n").hexdigest()
    assert got.attachments == (Reference("faktura.pdf", "application/pdf", URL, digest, 9),)


def test_a_file_may_have_another_name_and_type(tmp_path):
    (tmp_path / "1.tmp").write_bytes(b"x")
    made = inline_file(tmp_path / "1.tmp", "note.txt", "text/plain; charset=utf-8")
    assert (made.fileName, made.mediaType) == ("note.txt", "text/plain; charset=utf-8")


@pytest.mark.parametrize("name", ["scan", "scan.unknown", "scan.tar.gz"])
def test_a_type_that_cannot_be_told_must_be_given(name):
    with pytest.raises(ValueError, match="give media_type"):
        inline(b"x", name)


def test_documents_that_the_worker_would_refuse_are_refused():
    with pytest.raises(ValueError, match="is empty"):
        inline(b"", "a.pdf")
    with pytest.raises(ValueError, match="at most 10485760"):
        inline(b"x" * (MAX_DOCUMENT + 1), "a.pdf")
    with pytest.raises(ValueError, match="is empty"):
        reference(b"", URL, "a.pdf")
    with pytest.raises(ValueError, match="at /attachments/1 is taken"):
        event(inline(b"x", "a.pdf"), reference(b"x", URL, "a.pdf")).to_message()
    with pytest.raises(ValueError, match="has 21 attachments"):
        event(*[inline(b"x", f"{i}.pdf") for i in range(MAX_DOCUMENTS + 1)]).to_message()
    document = {"fileName": "a", "mediaType": "a/b", "content": base64.b64encode(bytes(MAX_DOCUMENT + 1)).decode()}
    with pytest.raises(ValueError, match="at /attachments/0 has 10485761 bytes"):
        event(InlineAttachment(**document)).to_message()
    with pytest.raises(ValidationError, match="bad_url"):
        reference(b"x", "http://documents.example.com/a.pdf", "a.pdf")
    with pytest.raises(ValidationError, match="bad_file_name"):
        inline(b"x", "../a.pdf")


def test_how_large_a_fetched_document_may_be_is_the_workers_setting():
    document = {"fileName": "a", "mediaType": "a/b", "url": URL, "sha256": "0" * 64, "size": 100 * MAX_DOCUMENT}
    assert event(ReferencedAttachment(**document)).to_message().value


def test_a_large_file_is_not_read_to_be_refused(tmp_path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(MAX_DOCUMENT * 1000)  # sparse: it takes no room
    with pytest.raises(ValueError, match="at most"):
        inline_file(path)


def test_the_limits_are_the_workers():
    assert (DEFAULT_LIMITS.attachments, DEFAULT_LIMITS.attachment_bytes) == (MAX_DOCUMENTS, MAX_DOCUMENT)


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
