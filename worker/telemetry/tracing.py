"""OpenTelemetry behind `worker.spans`. Imported only with WORKER_TRACING=on: its packages are the extra `otel`.

Names and attributes follow OpenTelemetry's semantic conventions for messaging (Kafka) and HTTP clients, as of 1.37.
A producer's context is both the parent of an event's span and a link of it, so that its trace goes on here and tools
that follow links find it as well. What is exported, sampled and how often say the standard OTEL_* variables, which the
SDK reads from the process's environment.

Attributes hold identities and coordinates, never what an event says; an exception's type, never its message.
"""

import asyncio
import logging
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from worker.answers import Answer, Done, Registered, answer_class, http_status
from worker.model import Ending, Envelope, Failed
from worker.spans import Span, Tracer

SERVICE: Final = "kravia-invoice-worker"
_LAST_EXPORT: Final = 5.0
"""Seconds that the end of the process waits for spans to be sent."""
_REQUESTS: Final = {
    "register": ("POST", "/invoice/register"),
    "attach": ("POST", "/invoice/{id}/document"),
    "start": ("POST", "/invoice/{id}/action"),
    "details": ("GET", "/invoice/{id}/details"),
}
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class OtelTracer(Tracer):
    """`worker.spans.Tracer` on a provider. `server`: Kravia's host, `group`: the consumer group."""

    def __init__(self, provider: trace.TracerProvider, *, group: str, server: str, version: str = "") -> None:
        self._tracer = provider.get_tracer("worker", version)
        self._messaging: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.consumer.group.name": group,
        }
        self._server = server

    def process(self, envelope: Envelope, identity: str | None, size: int) -> Span:
        """See `Tracer`."""
        # Of the record alone: whatever task it runs in belongs to other records of its identity as well.
        carrier = {} if envelope.traceparent is None else {"traceparent": envelope.traceparent}
        parent = _PROPAGATOR.extract(carrier, context=context.Context())
        producer = trace.get_current_span(parent).get_span_context()
        attributes = self._of(envelope, "process") | {"messaging.message.envelope.size": size}
        told = {
            "cloudevents.event_id": envelope.event_id,
            "invoice.identity": identity,
            "invoice.replay_of": envelope.replay_of,
        }
        attributes |= {name: value for name, value in told.items() if value is not None}
        return _OtelSpan(
            self._tracer,
            f"process {envelope.origin.topic}",
            SpanKind.CONSUMER,
            attributes,
            parent=parent,
            links=[Link(producer)] if producer.is_valid else [],
        )

    def step(self, name: str, attempt: int) -> Span:
        """See `Tracer`."""
        attributes: dict[str, AttributeValue] = {"invoice.step": name, "invoice.attempt": attempt}
        if name in _REQUESTS:
            method, template = _REQUESTS[name]
            attributes |= {"http.request.method": method, "url.template": template, "server.address": self._server}
        kind = SpanKind.INTERNAL if name == "reconcile" else SpanKind.CLIENT
        return _OtelSpan(self._tracer, name, kind, attributes)

    def settle(self, envelope: Envelope) -> Span:
        """See `Tracer`."""
        attributes = self._of(envelope, "settle")
        return _OtelSpan(self._tracer, f"settle {envelope.origin.topic}", SpanKind.CLIENT, attributes)

    def _of(self, envelope: Envelope, operation: str) -> dict[str, AttributeValue]:
        topic, partition, offset = envelope.origin
        return self._messaging | {
            "messaging.operation.type": operation,
            "messaging.operation.name": operation,
            "messaging.destination.name": topic,
            "messaging.destination.partition.id": str(partition),
            "messaging.kafka.offset": offset,
        }


class _OtelSpan(Span):
    """A span that begins when it is entered, and is current inside."""

    def __init__(
        self,
        tracer: trace.Tracer,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, AttributeValue],
        *,
        parent: context.Context | None = None,
        links: list[Link] | None = None,
    ) -> None:
        self._tracer = tracer
        self._name = name
        self._kind = kind
        self._attributes = attributes
        self._parent = parent
        self._links = links

    def __enter__(self) -> Self:
        # Never as a context manager of OpenTelemetry's, which would record an exception's message.
        self._span = self._tracer.start_span(
            self._name, context=self._parent, kind=self._kind, attributes=self._attributes, links=self._links
        )
        self._token = context.attach(trace.set_span_in_context(self._span))
        told = self._span.get_span_context()
        self.traceparent = f"00-{told.trace_id:032x}-{told.span_id:016x}-{int(told.trace_flags):02x}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.failed("cancelled" if issubclass(kind, asyncio.CancelledError) else kind.__qualname__)
        context.detach(self._token)
        self._span.end()

    def answered(self, answer: Answer | None) -> None:
        """See `Span`."""
        if answer is None:
            return
        if (status := http_status(answer)) is not None:
            self._span.set_attribute("http.response.status_code", status)
        if not isinstance(answer, Registered | Done):
            self.failed(answer_class(answer))

    def failed(self, why: str) -> None:
        """See `Span`."""
        self._span.set_attribute("error.type", why)
        self._span.set_status(StatusCode.ERROR, why)

    def ended(self, ending: Ending) -> None:
        """See `Span`."""
        self._span.set_attribute("invoice.outcome", type(ending).__name__.lower())
        reason, invoice_id = getattr(ending, "reason", None), getattr(ending, "invoice_id", None)
        if reason is not None:
            self._span.set_attribute("invoice.reason", reason.value)
        if invoice_id is not None:
            self._span.set_attribute("invoice.id", invoice_id)
        if isinstance(ending, Failed):
            self.failed(ending.reason.value)


class Export:
    """Sends spans by OTLP over HTTP, in a thread of its own, as the OTEL_* variables say."""

    def __init__(self, *, instance: str, version: str) -> None:
        """`instance`: this process's name. Raises what the SDK raises for variables that it can't use."""
        # It quotes OTEL_EXPORTER_OTLP_HEADERS, where the key is, when they are not written as they should.
        logging.getLogger("opentelemetry.util.re").setLevel(logging.ERROR)
        ours = Resource({"service.name": SERVICE, "service.version": version, "service.instance.id": instance})
        resource = Resource.create().merge(ours).merge(OTELResourceDetector().detect())
        self.provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self.provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))

    async def close(self) -> None:
        """Send what is left, for a few seconds at the most: a collector that is away must not hold up a stop."""
        ending = threading.Thread(target=self.provider.shutdown, name="last-spans", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _LAST_EXPORT)
