"""What the catalogue says of a metric."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from worker.telemetry.labels import Label

PREFIX = "invoice_worker_"


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    `pairs` closes the set of combinations where not every product of the labels makes sense. `exemplars`: a counter's
    or a histogram's series name, in OpenMetrics, an event that they counted.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    pairs: tuple[tuple[str, ...], ...] = ()
    exemplars: bool = False

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    def combinations(self) -> Iterator[tuple[str, ...]]:
        """Every closed combination of label values, to start at 0; none where a label is known at run time only."""
        if self.pairs:
            yield from self.pairs
        elif all(label.values for label in self.labels):
            yield from product(*(label.values for label in self.labels))


def metric(
    name: str,
    kind: Kind,
    meaning: str,
    *labels: Label,
    buckets: tuple[float, ...] = (),
    pairs: tuple[tuple[str, ...], ...] = (),
    exemplars: bool = False,
) -> Metric:
    """A metric of the worker: `name` without the prefix."""
    return Metric(PREFIX + name, kind, meaning, labels, buckets, pairs, exemplars)
