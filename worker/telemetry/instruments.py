"""Instruments of the Prometheus client made from the catalogue: closed label sets, every child there from the start."""

from bisect import bisect_left
from collections.abc import Mapping
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily

from worker.telemetry.catalogue import Metric
from worker.telemetry.exemplars import Exemplars
from worker.telemetry.labels import OTHER, closest

Labels = tuple[str, ...]


class Counters:
    """A counter and its children, all made at the start: a look-up is one dict access, an unknown value is `other`."""

    def __init__(self, metric: Metric, registry: CollectorRegistry, exemplars: Exemplars) -> None:
        # The client adds `_total` itself.
        counter = Counter(metric.name.removesuffix("_total"), metric.meaning, metric.label_names, registry=registry)
        self._children: dict[Labels, Counter] = {}
        self._values = [frozenset(label.values) for label in metric.labels]
        self._exemplars = exemplars if metric.exemplars else None
        for labels in metric.combinations():
            self._children[labels] = counter.labels(*labels) if labels else counter

    def inc(self, *labels: str, by: float = 1) -> None:
        """Count; the event that this is measured for may become the exemplar."""
        child = self._children.get(labels)
        if child is None:
            child = self._children[self._closed(labels)]
        child.inc(by, None if self._exemplars is None else self._exemplars.take(child))

    def _closed(self, labels: Labels) -> Labels:
        closed = tuple(closest(v, known) for v, known in zip(labels, self._values, strict=True))
        return closed if closed in self._children else (OTHER,) * len(labels)


class Histograms:
    """A histogram and its children, likewise."""

    def __init__(self, metric: Metric, registry: CollectorRegistry, exemplars: Exemplars) -> None:
        histogram = Histogram(
            metric.name, metric.meaning, metric.label_names, buckets=metric.buckets, registry=registry
        )
        self._children = {
            labels: histogram.labels(*labels) if labels else histogram for labels in metric.combinations()
        }
        self._buckets = metric.buckets
        self._exemplars = exemplars if metric.exemplars else None

    def observe(self, value: float, *labels: str) -> None:
        """Count a value; the event that this is measured for may become its bucket's exemplar."""
        child = self._children.get(labels) or self._children[(OTHER,) * len(labels)]
        # The producer's clock may be ahead of ours: an age below nothing is nothing.
        value = max(0.0, value)
        if self._exemplars is None:
            child.observe(value)
        else:
            child.observe(value, self._exemplars.take((child, bisect_left(self._buckets, value))))


class OneOf:
    """A gauge per value of one label, of which exactly one is 1."""

    def __init__(self, metric: Metric, registry: CollectorRegistry, first: str) -> None:
        gauge = Gauge(metric.name, metric.meaning, metric.label_names, registry=registry)
        self._children = {labels[0]: gauge.labels(*labels) for labels in metric.combinations()}
        self._last = self._children[first]
        self._last.set(1)

    def set(self, value: str) -> None:
        """This one is 1 from now on."""
        self._last.set(0)
        self._last = self._children.get(value) or self._children[OTHER]
        self._last.set(1)


def family(metric: Metric, samples: Mapping[Labels, float] = MappingProxyType({})) -> GaugeMetricFamily:
    """A gauge for one scrape: its values by label values, in the order of the metric's labels."""
    found = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.label_names)
    for labels, value in samples.items():
        found.add_metric(labels, float(value))
    return found
