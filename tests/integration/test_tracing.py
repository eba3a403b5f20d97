"""Spans of a real worker, sent by OTLP over HTTP to a collector of the test's own."""

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.integration.events import event
from tests.integration.harness import Scene
from worker.demo.process import free_port


async def test_spans_are_exported_and_what_is_left_at_the_end_too(scene: Scene) -> None:
    got: list[ExportTraceServiceRequest] = []

    async def take(request: web.Request) -> web.Response:
        got.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        worker = scene.worker(
            WORKER_TRACING="on",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
            OTEL_SERVICE_NAME="invoices-of-the-test",
            OTEL_BSP_SCHEDULE_DELAY="3600000",  # only the end of the process sends
        )
        await worker.run()
        [sent] = await scene.send(event(1))
        outcome = await scene.outcome(sent)
        await scene.close_books([sent])
    finally:
        await runner.cleanup()
    resources = [resource for request in got for resource in request.resource_spans]
    services = {
        attribute.value.string_value
        for resource in resources
        for attribute in resource.resource.attributes
        if attribute.key == "service.name"
    }
    assert services == {"invoices-of-the-test"}
    spans = {span.name: span for resource in resources for scope in resource.scope_spans for span in scope.spans}
    assert spans.keys() == {
        f"process {scene.topics.requests}",
        "register",
        "start",
        f"settle {scene.topics.requests}",
    }
    process = spans[f"process {scene.topics.requests}"]
    assert outcome.headers["traceparent"].startswith(f"00-{process.trace_id.hex()}-{process.span_id.hex()}-")
    assert {bytes(span.trace_id) for span in spans.values()} == {bytes(process.trace_id)}


async def test_a_collector_that_is_away_holds_up_nothing(scene: Scene) -> None:
    worker = scene.worker(WORKER_TRACING="on", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    await worker.run()
    [sent] = await scene.send(event(1))
    await scene.close_books([sent])
