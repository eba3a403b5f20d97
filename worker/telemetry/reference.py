"""`docs/reference/metrics.md`, made from the catalogue: `python -m worker.telemetry.reference` prints it."""

import sys

from worker.telemetry.catalogue import CATALOGUE, Metric
from worker.telemetry.labels import WARNING_MEANINGS, WARNINGS

_HEAD = """# Metrics

Made from `worker/telemetry/catalogue.py` by `python -m worker.telemetry.reference > docs/reference/metrics.md`; a test
holds the two together. Served at `/metrics` as OpenMetrics or as Prometheus text, whichever the scraper asks for,
beside the usual `process_*` and `python_gc_*`.

Base units; no ids in labels. Every series whose label values are listed starts at 0, so that `rate()` sees the first
event. A value that is not listed counts as `other`: that it moves is a fault of the worker worth a report.
"""


def render() -> str:
    """The page: Markdown, one section for each metric."""
    return "\n".join([_HEAD, *(_section(metric) for metric in CATALOGUE)])


def _section(metric: Metric) -> str:
    lines = [f"## `{metric.name}`", "", f"{metric.kind.capitalize()}. {metric.meaning}"]
    if metric.labels:
        lines.append("")
    for label in metric.labels:
        values = ", ".join(f"`{value}`" for value in label.values) or "known at run time"
        lines.append(f"- `{label.name}`: {values}")
    if WARNINGS in metric.labels:
        lines += ["", *(f"- `{code}`: {meaning}." for code, meaning in WARNING_MEANINGS.items())]
    if metric.pairs:
        pairs = ", ".join("`" + "`/`".join(pair) + "`" for pair in metric.pairs)
        lines += ["", f"Only these go together: {pairs}."]
    if metric.buckets:
        lines += ["", "Buckets: " + ", ".join(f"{bound:g}" for bound in metric.buckets) + "."]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(render())
