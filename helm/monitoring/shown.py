"""Queries of dashboards: catalogue metrics of the deployment that the viewer chose, over the viewer's interval."""

from helm.monitoring.panel import SCOPE, WINDOW, Query
from helm.monitoring.promql import increase, largest, quantile, rate, series, summed
from worker.telemetry.catalogue import Metric

_TINY = 1e-9


def now(metric: Metric, **labels: str) -> str:
    """A gauge."""
    return series(metric, scope=SCOPE, **labels)


def speed(metric: Metric, *by: str, part: str = "", **labels: str) -> Query:
    """A counter, per second, summed by labels."""
    return Query(summed(rate(series(metric, part, scope=SCOPE, **labels), WINDOW), *by), _legend(by))


def total(metric: Metric, *by: str, **labels: str) -> Query:
    """A gauge, summed by labels over processes and partitions."""
    return Query(summed(now(metric, **labels), *by), _legend(by))


def highest(metric: Metric, *by: str, **labels: str) -> Query:
    """A gauge, its largest by labels."""
    return Query(largest(now(metric, **labels), *by), _legend(by))


def grown(metric: Metric, *by: str, part: str = "", **labels: str) -> Query:
    """How much a counter grew within the viewer's interval."""
    return Query(summed(increase(series(metric, part, scope=SCOPE, **labels), WINDOW), *by), _legend(by))


def quantiles(metric: Metric, *by: str, **labels: str) -> list[Query]:
    """The median, 95th and 99th percentile of a histogram, and its exemplars where it has some."""
    names = "".join(f" {{{{{name}}}}}" for name in by)
    return [
        Query(quantile(share, metric, WINDOW, *by, scope=SCOPE, **labels), f"p{share * 100:g}{names}", metric.exemplars)
        for share in (0.5, 0.95, 0.99)
    ]


def quantiles_since_start(metric: Metric) -> list[Query]:
    """Those of all that the processes observed since they started: for what happens before the first scrape."""
    buckets = summed(series(metric, "bucket", scope=SCOPE), "le")
    return [Query(f"histogram_quantile({share:g}, {buckets})", f"p{share * 100:g}") for share in (0.5, 0.95, 0.99)]


def share(part: str, whole: str) -> str:
    """A ratio that is 0, rather than undefined, where nothing happened."""
    return f"{part} / on () group_left () clamp_min({whole}, {_TINY:g})"


def _legend(by: tuple[str, ...]) -> str:
    return " ".join(f"{{{{{name}}}}}" for name in by) or "all"
