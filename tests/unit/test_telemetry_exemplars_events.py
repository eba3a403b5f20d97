"""Exemplars from the record on: each series that an event is counted in leads to it, and to its trace."""

import dataclasses

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from tests.unit.fakes_core import FakeKravia, World, make_record
from tests.unit.fakes_exemplars import SAMPLED, SPAN, TRACE, UNSAMPLED, exemplars
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import virtual
from worker.answers import Unclear
from worker.exemplar import current
from worker.spans import NO_TRACES
from worker.telemetry.metrics import PrometheusObserver
from worker.telemetry.tracing import OtelTracer


class CountedKravia(FakeKravia):
    """Tells of its calls as the real client does."""

    def __init__(self, observer):
        super().__init__()
        self._observer = observer

    async def _answer(self, step, good, *said):
        answer = await super()._answer(step, good, *said)
        self._observer.called(step, "2xx", 0.01)
        return answer


async def after(*records, plan=(), tracer=NO_TRACES):
    """The exemplars when these records are settled."""
    world = World(tracer=tracer)
    observer = world.watcher = PrometheusObserver()
    world.api = CountedKravia(observer)
    world.ports = dataclasses.replace(world.ports, observer=observer)
    world.tools = dataclasses.replace(world.tools, api=world.api, observer=observer)
    for step, *answers in plan:
        world.api.plan(step, *answers)
    world, lane = await make(world)
    lane.offer(records)
    await settled(lane)
    await lane.close()
    assert current() is None, "it ends with the event's task"
    return exemplars(observer)


def traced(offset, invoice_no="20001", traceparent=SAMPLED):
    return make_record(offset, invoice_no, headers=(("traceparent", traceparent.encode()),))


def position(offset):
    return {"topic": "invoice.requests", "partition": "0", "offset": str(offset)}


@virtual
async def test_every_series_of_an_event_leads_to_its_record():
    found = await after(make_record(0), plan=[("start", Unclear("server_error", 500))])
    assert set(found) >= {
        ("event_age_seconds", "scheduled"),
        ("settled", "scheduled", "none"),
        ("call_seconds", "register"),
        ("calls", "2xx", "start"),
        ("retries", "start", "server_error"),
        ("commit_seconds",),
    }
    assert all(one == position(0) for one in found.values())


@virtual
async def test_events_side_by_side_are_told_apart():
    found = await after(make_record(0), make_record(1, "20002", debtorName=None), make_record(2, "20003"))
    assert found["settled", "rejected", "validation"] == position(1)
    assert found["settled", "scheduled", "none"] in (position(0), position(2))


@virtual
async def test_without_tracing_the_producers_trace_is_named_where_it_is_recorded():
    found = await after(traced(0))
    assert found["settled", "scheduled", "none"] == position(0) | {"trace_id": TRACE, "span_id": SPAN}
    found = await after(traced(0, traceparent=UNSAMPLED))
    assert found["settled", "scheduled", "none"] == position(0)


@virtual
async def test_with_tracing_the_exemplar_names_our_span_in_the_producers_trace():
    found = await after(traced(0), tracer=OtelTracer(TracerProvider(), group="group", server="api.example.com"))
    one = found["event_age_seconds", "scheduled"]
    assert one["trace_id"] == TRACE
    assert one["span_id"] != SPAN
    assert found["commit_seconds",] == one


@virtual
async def test_a_trace_that_our_sampler_drops_is_not_named():
    tracer = OtelTracer(TracerProvider(sampler=ALWAYS_OFF), group="group", server="api.example.com")
    found = await after(make_record(0), tracer=tracer)
    assert found["event_age_seconds", "scheduled"] == position(0)
