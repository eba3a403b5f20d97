"""Reads the worker's own metrics, as a scraper would, and carries counters on over a restart of the worker."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

_LINE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
PREFIX = "invoice_worker_"


class Series(NamedTuple):
    """A metric and its labels, sorted by name."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def label(self, name: str) -> str:
        """A label's value, empty when there is none."""
        return dict(self.labels).get(name, "")


def parse(text: str) -> dict[Series, float]:
    """The samples of Prometheus' text format whose metric is ours; their names without the prefix."""
    samples: dict[Series, float] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[1].startswith(PREFIX):
            labels = tuple(sorted((name, value) for name, value in _LABEL.findall(match[2] or "")))
            samples[Series(match[1].removeprefix(PREFIX), labels)] = float(match[3])
    return samples


class Scrapes:
    """The last scrape, with what earlier lives of the worker had counted added to its counters."""

    def __init__(self) -> None:
        self._before: dict[Series, float] = {}
        self._last: Mapping[Series, float] = {}

    def take(self, samples: Mapping[Series, float]) -> None:
        """A new scrape of the same life."""
        self._last = samples

    def restarted(self) -> None:
        """The worker's life ended: its counters begin at 0 again, its gauges are void."""
        for series, value in self._last.items():
            if series.name.endswith("_total"):
                self._before[series] = self._before.get(series, 0) + value
        self._last = {}

    def sum_by(self, name: str, *labels: str) -> dict[tuple[str, ...], int]:
        """Values of a metric summed by some of its labels, zeros left out."""
        sums: Counter[tuple[str, ...]] = Counter()
        for samples in (self._before, self._last):
            for series, value in samples.items():
                if series.name == name:
                    sums[tuple(series.label(label) for label in labels)] += int(value)
        return {key: value for key, value in sums.items() if value}
