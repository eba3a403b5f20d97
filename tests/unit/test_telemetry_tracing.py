"""What a trace shows of an event: its way from the producer to its outcome, and nothing of what it says."""

import asyncio
import json
import subprocess
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.unit.fakes_core import DEAD_LETTERS, OUTCOMES, REPLAYS, World, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import virtual
from worker.answers import NotSent, Refused, Unclear
from worker.ports import LostWhy, Unreachable
from worker.telemetry.tracing import OtelTracer

TRACE, PRODUCER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{PRODUCER}-01"


class Traces:
    """What was exported, in memory."""

    def __init__(self):
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OtelTracer(provider, group="group", server="api.example.com")

    @property
    def spans(self):
        return list(self._exporter.get_finished_spans())

    def named(self, name):
        [found] = [span for span in self.spans if span.name == name]
        return found

    def names(self):
        return [span.name for span in self.spans]


async def after(*records, plan=()):
    """The world and its traces when these records are settled."""
    traces = Traces()
    world, lane = await make(World(tracer=traces.tracer))
    for step, *answers in plan:
        world.api.plan(step, *answers)
    lane.offer(records)
    await settled(lane)
    await lane.close()
    return world, traces


def headers_of(world, partition):
    [record] = world.log.visible(partition)
    return {name: value.decode() for name, value in record.headers}


def traced(*more, **options):
    return make_record(0, headers=(("traceparent", PARENT.encode()), *more), **options)


@virtual
async def test_a_trace_leads_from_the_producer_through_each_call_to_the_outcome():
    world, traces = await after(traced(documents=[("a.txt", b"a")]))
    event = traces.named("process invoice.requests")
    assert f"{event.context.trace_id:032x}" == TRACE
    assert f"{event.parent.span_id:016x}" == PRODUCER
    [link] = event.links
    assert f"{link.context.span_id:016x}" == PRODUCER
    assert traces.names() == ["register", "attach", "start", "settle invoice.requests", "process invoice.requests"]
    assert {span.parent.span_id for span in traces.spans[:-1]} == {event.context.span_id}
    told = headers_of(world, OUTCOMES)["traceparent"]
    assert told == f"00-{TRACE}-{event.context.span_id:016x}-01"


@virtual
async def test_attributes_follow_the_conventions():
    _, traces = await after(traced())
    event, register = traces.named("process invoice.requests"), traces.named("register")
    assert event.kind is SpanKind.CONSUMER
    assert dict(event.attributes) == {
        "messaging.system": "kafka",
        "messaging.consumer.group.name": "group",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "invoice.requests",
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
        "messaging.message.envelope.size": traced().size,
        "invoice.identity": "10759/Invoice/20001",
        "invoice.outcome": "scheduled",
        "invoice.id": "inv-1",
    }
    assert register.kind is SpanKind.CLIENT
    assert dict(register.attributes) == {
        "invoice.step": "register",
        "invoice.attempt": 1,
        "http.request.method": "POST",
        "url.template": "/invoice/register",
        "server.address": "api.example.com",
        "http.response.status_code": 200,
    }
    assert traces.named("settle invoice.requests").attributes["messaging.operation.type"] == "settle"


@virtual
async def test_without_a_producers_trace_one_begins_here():
    world, traces = await after(make_record(0))
    event = traces.named("process invoice.requests")
    assert (event.parent, list(event.links)) == (None, [])
    assert headers_of(world, OUTCOMES)["traceparent"].split("-")[1] == f"{event.context.trace_id:032x}"


@virtual
async def test_a_dead_letter_keeps_the_producers_context_and_names_ours():
    world, traces = await after(traced(), plan=[("register", Refused(400, ()))])
    event = traces.named("process invoice.requests")
    letter = headers_of(world, DEAD_LETTERS)
    assert letter["traceparent"] == PARENT
    assert letter["kravia.dlq.traceparent"] == f"00-{TRACE}-{event.context.span_id:016x}-01"
    assert event.attributes["invoice.outcome"] == "rejected"
    register = traces.named("register")
    assert register.status.status_code is StatusCode.ERROR
    assert (register.attributes["http.response.status_code"], register.attributes["error.type"]) == (400, "refused_400")


@virtual
async def test_each_attempt_is_a_span_of_its_own():
    _, traces = await after(traced(), plan=[("register", NotSent("connect"))])
    attempts = [span for span in traces.spans if span.name == "register"]
    assert [span.attributes["invoice.attempt"] for span in attempts] == [1, 2]
    assert attempts[0].attributes["error.type"] == "not_sent_connect"
    assert "http.response.status_code" not in attempts[0].attributes
    assert attempts[1].status.status_code is StatusCode.UNSET


@virtual
async def test_details_and_the_wait_for_the_reconciler_are_spans():
    _, traces = await after(traced(), plan=[("start", Unclear("timeout"))])
    assert traces.names()[:4] == ["register", "start", "details", "start"]
    _, traces = await after(traced(), plan=[("register", Unclear("lost"))])
    reconcile = traces.named("reconcile")
    assert (reconcile.kind, reconcile.attributes["error.type"]) == (SpanKind.INTERNAL, "no_witness")
    event = traces.named("process invoice.requests")
    assert (event.status.status_code, event.attributes["invoice.reason"]) == (StatusCode.ERROR, "in_doubt")


@virtual
async def test_events_of_one_identity_do_not_share_a_trace():
    again = make_record(1, headers=(("traceparent", f"00-{'a' * 32}-{'b' * 16}-01".encode()),))
    _, traces = await after(traced(), again)
    events = [span for span in traces.spans if span.name == "process invoice.requests"]
    assert [f"{span.context.trace_id:032x}" for span in events] == [TRACE, "a" * 32]
    assert events[1].attributes["invoice.outcome"] == "repeated"


@virtual
async def test_a_trace_that_the_producer_does_not_record_is_passed_on_unrecorded():
    unrecorded = PARENT[:-1] + "0"
    world, traces = await after(make_record(0, headers=(("traceparent", unrecorded.encode()),)))
    assert traces.spans == []
    told = headers_of(world, OUTCOMES)["traceparent"]
    assert (told[:36], told[-2:]) == (PARENT[:36], "00")


@virtual
async def test_an_event_that_is_cut_off_ends_its_spans_with_the_class_of_what_happened():
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # told loudly, as it should be
    traces = Traces()
    world, lane = await make(World(tracer=traces.tracer))
    world.api.plan("register", RuntimeError("Kari Nordmann"))
    lane.offer([traced()])
    lost = await lane.own.lost
    assert lost.why is LostWhy.BROKEN
    await lane.close()
    assert traces.named("register").attributes["error.type"] == "RuntimeError"
    assert traces.named("process invoice.requests").status.status_code is StatusCode.ERROR
    assert "Kari" not in "".join(span.to_json() for span in traces.spans)


@virtual
async def test_a_replay_is_named():
    _, traces = await after(
        make_record(0, topic=REPLAYS.topic, headers=(("replay-of", b"invoice.requests/0/7"), ("ce_traceparent", b"x")))
    )
    assert traces.named("process invoice.replays").attributes["invoice.replay_of"] == "invoice.requests/0/7"


@virtual
async def test_nothing_of_the_debtor_or_the_amount_is_in_a_trace():
    # A number that is not a part of a random id or of a time of day.
    record = traced(documents=[("Kari.txt", b"Kari")], debtorName="Kari Nordmann", debtorNumber="debtor 17")
    _, traces = await after(record, plan=[("start", Unclear("server_error", 500))])
    text = "".join(span.to_json() for span in traces.spans)
    invoice = json.loads(record.value)["invoice"]
    assert "Kari" not in text
    for name in ("postalAddress", "email", "debtorNumber", "organizationNumber"):
        if invoice.get(name):
            assert str(invoice[name]) not in text


def test_off_means_no_opentelemetry_at_all():
    code = (
        "import sys, worker.app, worker.wiring; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@virtual
async def test_a_fetched_document_is_a_span_without_its_address():
    record = make_record(0, references=[("a.txt", b"a")])
    traces = Traces()
    world, lane = await make(World(tracer=traces.tracer))
    url = "https://documents.test/a.txt"
    world.tools.documents.contents[url] = b"a"
    world.tools.documents.plan(url, Unreachable("timeout"))
    lane.offer([record])
    await settled(lane)
    await lane.close()
    fetches = [span for span in traces.spans if span.name == "fetch"]
    assert fetches[0].attributes["error.type"] == "unreachable_timeout"
    assert fetches[1].status.status_code is StatusCode.UNSET
    assert "documents.test" not in "".join(span.to_json() for span in traces.spans)
