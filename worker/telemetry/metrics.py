"""The instruments of the catalogue, behind the core's `Observer`, in a registry of their own.

Counts arrive as calls; gauges of what is unfinished are asked for at each scrape, so that they can't drift from the
truth. Everything runs on the event loop's thread.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from worker.model import Step, TopicNames
from worker.ports import Observer
from worker.telemetry import catalogue as c
from worker.telemetry.exemplars import Exemplars
from worker.telemetry.instruments import Counters, Histograms, OneOf
from worker.telemetry.intake import IntakeCollector, IntakeSource, Limits
from worker.telemetry.labels import NONE, OTHER, gate_why, resolution, sweep_result
from worker.telemetry.unfinished import GaugeSource, PartitionGauges, UnfinishedCollector

__all__ = ["PartitionGauges", "PrometheusObserver"]


class PrometheusObserver(Observer):
    """Counts what the core reports. Each instance has its own registry: two in one process never meet."""

    def __init__(self, topics: TopicNames | None = None, version: str = "unknown") -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._exemplars = exemplars = Exemplars()
        self._topics = (topics or TopicNames()).inputs
        self._consumed = Counter(
            c.CONSUMED.name.removesuffix("_total"), c.CONSUMED.meaning, c.CONSUMED.label_names, registry=registry
        )
        self._consumed_children: dict[tuple[str, int], Counter] = {}
        self._settled = Counters(c.SETTLED, registry, exemplars)
        self._age = Histograms(c.EVENT_AGE, registry, exemplars)
        self._calls = Counters(c.CALLS, registry, exemplars)
        self._call_seconds = Histograms(c.CALL_SECONDS, registry, exemplars)
        self._retries = Counters(c.RETRIES, registry, exemplars)
        self._backoff = Counters(c.BACKOFF_SECONDS, registry, exemplars)
        self._rebalances = Counters(c.REBALANCES, registry, exemplars)
        self._commit_failures = Counters(c.COMMIT_FAILURES, registry, exemplars)
        self._fetches = Counters(c.FETCHED, registry, exemplars)
        self._fetch_seconds = Histograms(c.FETCH_SECONDS, registry, exemplars)
        self._fetch_bytes = Counters(c.FETCH_BYTES, registry, exemplars)
        self._spool = Gauge(c.SPOOL_BYTES.name, c.SPOOL_BYTES.meaning, registry=registry)
        self._commit_seconds = Histograms(c.COMMIT_SECONDS, registry, exemplars)
        self._commit_records = Counters(c.COMMIT_RECORDS, registry, exemplars)
        self._ownership = Counters(c.OWNERSHIP_CHANGES, registry, exemplars)
        self._restore_seconds = Histograms(c.RESTORE_SECONDS, registry, exemplars)
        self._restore_records = Counters(c.RESTORE_RECORDS, registry, exemplars)
        self._doubts = Counters(c.DOUBTS, registry, exemplars)
        self._sweeps = Counters(c.SWEEP, registry, exemplars)
        self._sweep_rows = Counters(c.SWEEP_ROWS, registry, exemplars)
        self._sweep_seconds = Histograms(c.SWEEP_SECONDS, registry, exemplars)
        self._trims = Counters(c.TRIMS, registry, exemplars)
        self._gate = OneOf(c.GATE, registry, "half_open")
        self._gate_why = OneOf(c.GATE_WHY, registry, "start")
        self._gate_changes = Counters(c.GATE_CHANGES, registry, exemplars)
        self._warnings = Counters(c.WARNED, registry, exemplars)
        Gauge(c.BUILD.name, c.BUILD.meaning, c.BUILD.label_names, registry=registry).labels(version).set(1)
        self._unfinished = UnfinishedCollector()
        registry.register(self._unfinished)
        self._intake = IntakeCollector()
        registry.register(self._intake)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def gauges(self, source: GaugeSource) -> None:
        """Set who is asked, at each scrape, for what is unfinished in each owned partition. It must not wait."""
        self._unfinished.source = source

    def intake(self, source: IntakeSource, limits: Limits) -> None:
        """Set who is asked, at each scrape, how the intake stands, and the limits that it is measured by."""
        self._intake.source, self._intake.limits = source, limits

    def expose(self, accept: str) -> tuple[bytes, str]:
        """The metrics and their content type: OpenMetrics or Prometheus text, as the Accept header asks."""
        encoder, content_type = choose_encoder(accept)
        body = encoder(self.registry)
        self._exemplars.scraped()
        return body, content_type

    def consumed(self, topic: str, partition: int) -> None:
        child = self._consumed_children.get((topic, partition)) or self._input(topic, partition)
        child.inc()

    def _input(self, topic: str, partition: int) -> Counter:
        child = self._consumed.labels(topic if topic in self._topics else OTHER, str(partition))
        self._consumed_children[topic, partition] = child
        return child

    def settled(self, partition: int, outcome: str, reason: str, age_seconds: float) -> None:
        self._settled.inc(outcome, reason or NONE)
        self._age.observe(age_seconds, outcome)

    def called(self, step: str, status_class: str, seconds: float) -> None:
        self._calls.inc(step, status_class)
        self._call_seconds.observe(seconds, step)

    def retried(self, step: Step, why: str) -> None:
        self._retries.inc(step, why)

    def backed_off(self, step: Step, seconds: float) -> None:
        self._backoff.inc(step, by=seconds)

    def rebalanced(self) -> None:
        self._rebalances.inc()

    def commit_failed(self, why: str) -> None:
        self._commit_failures.inc(why)

    def fetched(self, result: str, size: int, seconds: float) -> None:
        self._fetches.inc(result)
        self._fetch_bytes.inc(by=size)
        self._fetch_seconds.observe(seconds)

    def spooled(self, size: int) -> None:
        self._spool.set(size)

    def committed(self, partition: int, records: int, seconds: float) -> None:
        self._commit_records.inc(by=records)
        self._commit_seconds.observe(seconds)

    def ownership(self, partition: int, what: str) -> None:
        self._ownership.inc(what)
        for topic in self._topics:
            self._input(topic, partition)

    def restored(self, partition: int, seconds: float, ledger_records: int, journal_records: int) -> None:
        self._restore_seconds.observe(seconds)
        self._restore_records.inc("ledger", by=ledger_records)
        self._restore_records.inc("journal", by=journal_records)

    def resolved(self, kind: str) -> None:
        self._doubts.inc(resolution(kind))

    def swept(self, result: str, rows: int, seconds: float) -> None:
        self._sweeps.inc(sweep_result(result))
        self._sweep_rows.inc(by=rows)
        self._sweep_seconds.observe(seconds)

    def trimmed(self, ok: bool) -> None:
        self._trims.inc("ok" if ok else "failed")

    def gate(self, state: str, why: str) -> None:
        self._gate.set(state)
        self._gate_why.set(gate_why(state, why))
        self._gate_changes.inc(state)

    def warned(self, what: str) -> None:
        self._warnings.inc(what)
