"""The instruments of the catalogue, behind the core's `Observer`, in a registry of their own.

Counts arrive as calls; gauges of what is unfinished are asked for at each scrape, so that they can't drift from the
truth. Everything runs on the event loop's thread.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from worker.at_risk import Exposure, Risk
from worker.model import Step, TopicNames
from worker.ports import Observer
from worker.standing import State as LedgerState
from worker.telemetry import catalogue as c
from worker.telemetry.intake import IntakeCollector, IntakeSource, Limits
from worker.telemetry.labels import CURRENCY, NONE, OTHER, State, closest, gate_why, resolution, sweep_result

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartitionGauges:
    """What is unfinished in one partition now.

    `oldest_unfinished_seconds` is 0 where nothing is; `open_intents` counts register calls announced in the journal
    whose answer is not known; `size` is in bytes and counts every unfinished event's input record.
    """

    partition: int
    events: Mapping[State, int] = field(default_factory=dict)
    oldest_unfinished_seconds: float = 0.0
    open_intents: int = 0
    size: int = 0
    doubts: int = 0
    oldest_doubt_seconds: float = 0.0
    ledger: Mapping[LedgerState, int] = field(default_factory=dict)
    possible_doubles: int = 0
    exposure: Exposure = field(default_factory=Exposure)


GaugeSource = Callable[[], Iterable[PartitionGauges]]


class _Counters:
    """A counter and its children, all made at the start: a look-up is one dict access, an unknown value is `other`."""

    def __init__(self, metric: c.Metric, registry: CollectorRegistry) -> None:
        # The client adds `_total` itself.
        counter = Counter(metric.name.removesuffix("_total"), metric.meaning, metric.label_names, registry=registry)
        self._children: dict[Labels, Counter] = {}
        self._values = [frozenset(label.values) for label in metric.labels]
        for labels in metric.combinations():
            self._children[labels] = counter.labels(*labels) if labels else counter

    def inc(self, *labels: str, by: float = 1) -> None:
        child = self._children.get(labels)
        if child is None:
            child = self._children[self._closed(labels)]
        child.inc(by)

    def _closed(self, labels: Labels) -> Labels:
        closed = tuple(closest(v, known) for v, known in zip(labels, self._values, strict=True))
        return closed if closed in self._children else (OTHER,) * len(labels)


class _Histograms:
    def __init__(self, metric: c.Metric, registry: CollectorRegistry) -> None:
        histogram = Histogram(
            metric.name, metric.meaning, metric.label_names, buckets=metric.buckets, registry=registry
        )
        self._children = {
            labels: histogram.labels(*labels) if labels else histogram for labels in metric.combinations()
        }

    def observe(self, value: float, *labels: str) -> None:
        child = self._children.get(labels) or self._children[(OTHER,) * len(labels)]
        # The producer's clock may be ahead of ours: an age below nothing is nothing.
        child.observe(max(0.0, value))


class _OneOf:
    """A gauge per value of one label, of which exactly one is 1."""

    def __init__(self, metric: c.Metric, registry: CollectorRegistry, first: str) -> None:
        gauge = Gauge(metric.name, metric.meaning, metric.label_names, registry=registry)
        self._children = {labels[0]: gauge.labels(*labels) for labels in metric.combinations()}
        self._last = self._children[first]
        self._last.set(1)

    def set(self, value: str) -> None:
        self._last.set(0)
        self._last = self._children.get(value) or self._children[OTHER]
        self._last.set(1)


class _Unfinished(Collector):
    """Gauges that are read from their source at each scrape."""

    def __init__(self) -> None:
        self.source: GaugeSource = tuple

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = list(self.source())
        events, oldest, intents = (_family(metric) for metric in (c.EVENTS, c.OLDEST, c.OPEN_INTENTS))
        for one in now:
            partition = str(one.partition)
            for state in State:
                events.add_metric([partition, state], one.events.get(state, 0))
            oldest.add_metric([partition], one.oldest_unfinished_seconds)
            intents.add_metric([partition], one.open_intents)
        yield from (events, oldest, intents)
        yield from _doubts(now)
        yield from _at_risk(now)
        yield _single(c.OWNED, len(now))
        yield _single(
            c.IN_FLIGHT_EVENTS,
            sum(count for one in now for state, count in one.events.items() if state is not State.QUEUED),
        )
        yield _single(c.IN_FLIGHT_BYTES, sum(one.size for one in now))


def _doubts(now: Sequence[PartitionGauges]) -> Iterator[GaugeMetricFamily]:
    doubts, oldest, ledger = (_family(metric) for metric in (c.DOUBTS_NOW, c.OLDEST_DOUBT, c.LEDGER))
    for one in now:
        doubts.add_metric([str(one.partition), "reconciling"], one.doubts)
        doubts.add_metric([str(one.partition), "given_up"], one.ledger.get(LedgerState.IN_DOUBT, 0))
        oldest.add_metric([str(one.partition)], one.oldest_doubt_seconds)
    for state in LedgerState:
        ledger.add_metric([state], sum(one.ledger.get(state, 0) for one in now))
    yield from (doubts, oldest, ledger)
    yield _single(c.DOUBLES, sum(one.possible_doubles for one in now))


def _at_risk(now: Sequence[PartitionGauges]) -> Iterator[GaugeMetricFamily]:
    total = Exposure()
    for one in now:
        total.merge(one.exposure)
    money, invoices = _family(c.MONEY_AT_RISK), _family(c.INVOICES_AT_RISK)
    for risk in Risk:
        for currency in CURRENCY.values:
            # A float only here: the sum itself is exact.
            money.add_metric([risk, currency], float(total.sums.get((risk, currency), 0)))
            invoices.add_metric([risk, currency], total.counts.get((risk, currency), 0))
    yield from (money, invoices)


def _family(metric: c.Metric) -> GaugeMetricFamily:
    return GaugeMetricFamily(metric.name, metric.meaning, labels=metric.label_names)


def _single(metric: c.Metric, value: float) -> GaugeMetricFamily:
    family = _family(metric)
    family.add_metric([], value)
    return family


class PrometheusObserver(Observer):
    """Counts what the core reports. Each instance has its own registry: two in one process never meet."""

    def __init__(self, topics: TopicNames | None = None, version: str = "unknown") -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self._topics = (topics or TopicNames()).inputs
        self._consumed = Counter(
            c.CONSUMED.name.removesuffix("_total"), c.CONSUMED.meaning, c.CONSUMED.label_names, registry=registry
        )
        self._consumed_children: dict[tuple[str, int], Counter] = {}
        self._settled = _Counters(c.SETTLED, registry)
        self._age = _Histograms(c.EVENT_AGE, registry)
        self._calls = _Counters(c.CALLS, registry)
        self._call_seconds = _Histograms(c.CALL_SECONDS, registry)
        self._retries = _Counters(c.RETRIES, registry)
        self._backoff = _Counters(c.BACKOFF_SECONDS, registry)
        self._rebalances = _Counters(c.REBALANCES, registry)
        self._commit_failures = _Counters(c.COMMIT_FAILURES, registry)
        self._fetches = _Counters(c.FETCHED, registry)
        self._fetch_seconds = _Histograms(c.FETCH_SECONDS, registry)
        self._fetch_bytes = _Counters(c.FETCH_BYTES, registry)
        self._spool = Gauge(c.SPOOL_BYTES.name, c.SPOOL_BYTES.meaning, registry=registry)
        self._commit_seconds = _Histograms(c.COMMIT_SECONDS, registry)
        self._commit_records = _Counters(c.COMMIT_RECORDS, registry)
        self._ownership = _Counters(c.OWNERSHIP_CHANGES, registry)
        self._restore_seconds = _Histograms(c.RESTORE_SECONDS, registry)
        self._restore_records = _Counters(c.RESTORE_RECORDS, registry)
        self._doubts = _Counters(c.DOUBTS, registry)
        self._sweeps = _Counters(c.SWEEP, registry)
        self._sweep_rows = _Counters(c.SWEEP_ROWS, registry)
        self._sweep_seconds = _Histograms(c.SWEEP_SECONDS, registry)
        self._trims = _Counters(c.TRIMS, registry)
        self._gate = _OneOf(c.GATE, registry, "half_open")
        self._gate_why = _OneOf(c.GATE_WHY, registry, "start")
        self._gate_changes = _Counters(c.GATE_CHANGES, registry)
        self._warnings = _Counters(c.WARNED, registry)
        Gauge(c.BUILD.name, c.BUILD.meaning, c.BUILD.label_names, registry=registry).labels(version).set(1)
        self._unfinished = _Unfinished()
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
        return encoder(self.registry), content_type

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
