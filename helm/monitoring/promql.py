"""PromQL text from catalogue metrics. A label or a value that the metric does not have raises ValueError."""

from collections.abc import Collection
from typing import Final

from worker.telemetry.catalogue import Kind, Metric

WORKERS: Final = ("namespace", "job")
"""What parts one deployment of the worker from another: labels that the scraper adds."""
POD: Final = ("namespace", "job", "instance")
SCRAPED: Final = frozenset({"namespace", "job", "instance", "pod", "le"})
"""Labels that are not the worker's: the scraper adds them, `le` is a histogram's."""

LOSSES: Final = "~fenced|refused|timeout|unclear|broken|not_member"
"""Changes of ownership by which a partition is lost, to match with `series`."""


def series(metric: Metric, part: str = "", *, scope: str = "", **labels: str) -> str:
    """A selector: `metric{label="value"}`.

    `part`: `bucket`, `sum` or `count` of a histogram. `scope`: matchers of the scraper's labels, as text. A value that
    begins with `!`, `~` or `!~` is another kind of match; those of `~` are regular expressions.
    """
    if bool(part) != (metric.kind is Kind.HISTOGRAM):
        raise ValueError(f"{metric.name}: a histogram needs a part, and only a histogram has one")
    matchers = [scope] if scope else []
    for name, value in labels.items():
        operator = next((sign for sign in ("!~", "~", "!") if value.startswith(sign)), "")
        text = value.removeprefix(operator)
        _check(metric, name, text.split("|") if "~" in operator else [text])
        matchers.append(f'{name}{ {"": "=", "!": "!=", "~": "=~", "!~": "!~"}[operator] }"{text}"')
    name = f"{metric.name}_{part}" if part else metric.name
    return f"{name}{{{','.join(matchers)}}}" if matchers else name


def _check(metric: Metric, name: str, values: Collection[str]) -> None:
    if name == "le" and metric.buckets:
        # A placeholder of alerts, or a variable of dashboards: the chart fills in one of the buckets.
        filled_in = {value for value in values if value.startswith(("@", "$"))}
        wrong = set(values) - {*(repr(float(bound)) for bound in metric.buckets), "+Inf"} - filled_in
    else:
        label = next((label for label in metric.labels if label.name == name), None)
        if label is None:
            raise ValueError(f"{metric.name} has no label {name}")
        wrong = set(values) - set(label.values) if label.values else set()
    if wrong:
        raise ValueError(f"{metric.name}: {name} is never {', '.join(sorted(wrong))}")


def rate(selector: str, window: str) -> str:
    """Per second."""
    return f"rate({selector}[{window}])"


def increase(selector: str, window: str) -> str:
    """Over the window."""
    return f"increase({selector}[{window}])"


def summed(expression: str, *by: str) -> str:
    """`sum by (…)`."""
    return _aggregate("sum", expression, by)


def largest(expression: str, *by: str) -> str:
    """`max by (…)`."""
    return _aggregate("max", expression, by)


def counted(expression: str, *by: str) -> str:
    """`count by (…)`."""
    return _aggregate("count", expression, by)


def _aggregate(how: str, expression: str, by: tuple[str, ...]) -> str:
    return f"{how} by ({', '.join(by)}) ({expression})" if by else f"{how}({expression})"


def quantile(share: float, metric: Metric, window: str, *by: str, scope: str = "", **labels: str) -> str:
    """A histogram's quantile over a window."""
    buckets = rate(series(metric, "bucket", scope=scope, **labels), window)
    return f"histogram_quantile({share:g}, {summed(buckets, 'le', *by)})"
