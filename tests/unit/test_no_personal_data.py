"""Each field of an event is given a marker, the event goes every way that it can, and nothing that the worker says of
it may hold one: logs, metrics, `/status` and its page, traces, outcomes, and what is added to dead letters.

Pointers name fields, also one that should not be there: names are not marked. The identity (creditorId, claimType,
invoiceNo), accountingInvoiceId and the event's id may be named; the input record itself, in the dead letter, is byte
for byte.
"""

import asyncio
import io
import json
import logging
from types import SimpleNamespace

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.unit.fakes_core import _BODY, DEAD_LETTERS, OUTCOMES, World, make_record
from tests.unit.fakes_time import settle_down, until, virtual
from worker.answers import Forbidden, NotSent, Refused, Stop, Unclear
from worker.decode import decode
from worker.model import Event, Record
from worker.retry import RetryPolicy
from worker.status import Status
from worker.telemetry import logs
from worker.telemetry.metrics import PrometheusObserver
from worker.telemetry.status_page import page
from worker.telemetry.tracing import OtelTracer

NAMED = {"creditorId", "claimType", "invoiceNo", "accountingInvoiceId"}
MARK = "Qzx"
"""Nothing of ours holds it in any case."""


def is_valid(**changes):
    return isinstance(decode(make_record(0, **changes), partition_count=1), Event)


def texts():
    """Every text that a valid event may hold and that may hold anything."""
    marked = {name: f"{MARK}{name}" for name, value in _BODY.items() if isinstance(value, str) and name not in NAMED}
    return {name: value for name, value in marked.items() if is_valid(**{name: value})}


def records():
    """A valid event that is marked wherever it can be, and for each field one that is marked there and invalid."""
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e-1"),
        ("ce_source", b"/erp"),
        ("ce_type", b"kravia.invoice.requested.v1"),
        ("x-note", f"{MARK}header".encode()),
    )
    documents = [(f"{MARK}file.txt", f"{MARK}content".encode())]
    good = make_record(0, documents=documents, headers=headers, **texts())
    value = json.loads(good.value)
    value["startMessage"] = f"{MARK}start"
    good = Record(good.topic, 0, 0, good.timestamp_ms, good.key, json.dumps(value).encode(), headers)
    bad = [
        make_record(1 + number, f"bad{number}", headers=headers, **{name: wrong})
        for number, (name, wrong) in enumerate(
            (name, wrong)
            for name in _BODY
            if name not in NAMED
            for wrong in (f"{MARK}{name}" * 100, {"street": f"{MARK}{name}"}, [f"{MARK}{name}"])
        )
    ]
    offset = 1 + len(bad)
    broken = [
        Record(good.topic, 0, offset, 0, f"{MARK}key".encode(), f'{{"{MARK}'.encode(), headers),
        Record(good.topic, 0, offset + 1, 0, None, json.dumps({"more": MARK}).encode(), ()),
        make_record(offset + 2, "unknown", extra=f"{MARK}value"),
    ]
    return good, bad, broken


@pytest.fixture
def stream():
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    out = io.StringIO()
    logs.configure("json", "DEBUG", out)
    yield out
    root.handlers[:], root.level = before
    structlog.reset_defaults()
    logging.captureWarnings(False)


def as_asyncio_logs(_loop, context):
    """What the loop's own handler does, for the fakes' loop counts a complaint as a failed test."""
    logging.getLogger("asyncio").error(context["message"], exc_info=context["exception"])


WAYS = {
    "well": {},
    "refused": {"register": [Refused(400, ())]},
    "retried": {"register": [NotSent("connect")], "attach": [Unclear("server_error", 500)], "start": [Forbidden()]},
    "in doubt": {"register": [Unclear("lost")]},
    "unauthorized": {"register": [Stop(401)]},
    "a bug": {"register": [RuntimeError(f"{MARK}bug")]},
}


@pytest.mark.parametrize("way", WAYS)
@virtual
async def test_nothing_that_is_said_of_an_event_holds_what_it_says(stream: io.StringIO, way: str):
    good, bad, broken = records()
    assert len(texts()) >= 4  # the test is worth something
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    world = World(policy=RetryPolicy(base=5.0), tracer=OtelTracer(provider, group="group", server="api.example.com"))
    observer = world.watcher = PrometheusObserver()
    lane = await world.lane()
    world.open_gate()
    for step, answers in WAYS[way].items():
        world.api.plan(step, *answers)
    told = []
    if way == "a bug":
        asyncio.get_running_loop().set_exception_handler(as_asyncio_logs)

    consumer = SimpleNamespace(problem=None, last_poll=0.0, dead=False)
    partitions = SimpleNamespace(lanes=lambda: [lane], problems=list, unserved=dict, broken=[])
    status = Status(consumer, partitions, world.gate, world.clock, group="group")
    observer.gauges(status.gauges)

    lane.offer([good, *bad, *broken])
    await settle_down()
    told.append(status.report())
    if way in ("unauthorized", "a bug"):
        await asyncio.sleep(10.0)
    else:
        await until(lambda: not list(lane.unfinished()))
    told.append(status.report())
    await lane.close()

    added = [
        (name, value.decode())
        for record in world.log.visible(DEAD_LETTERS)
        for name, value in record.headers
        if name.startswith(("__dlq", "kravia."))
    ]
    outcomes = [record.value.decode() for record in world.log.visible(OUTCOMES)]
    said = {
        "logs": stream.getvalue(),
        "metrics": observer.expose("")[0].decode(),
        "exemplars": observer.expose("application/openmetrics-text;version=1.0.0")[0].decode(),
        "status": json.dumps(told),
        "page": "".join(map(page, told)),
        "traces": "".join(span.to_json() for span in spans.get_finished_spans()),
        "dead letters": json.dumps(added),
        "outcomes": "".join(outcomes),
    }
    assert len(outcomes) > len(broken)
    assert added
    for what, text in said.items():
        assert text, what
        at = text.lower().find(MARK.lower())
        assert at < 0, f"{what}: …{text[max(0, at - 200) : at + 100]}…"
    lines = [json.loads(line) for line in said["logs"].splitlines()]
    about = next(line for line in lines if line["event"] == "event_settled" and line.get("event_id") == "e-1")
    assert {"identity", "topic", "partition", "offset", "step", "outcome"} <= about.keys()
