"""`docs/reference/metrics.md`, made from the catalogue: `python -m worker.telemetry.reference` prints it."""

import sys

from worker.telemetry.catalogue import CATALOGUE, Metric
from worker.telemetry.exemplars import MOST
from worker.telemetry.labels import WARNING_MEANINGS, WARNINGS

_HEAD = """# Metrics

Made from `worker/telemetry/catalogue` by `python -m worker.telemetry.reference > docs/reference/metrics.md`; a test
holds the two together. Served at `/metrics` as OpenMetrics or as Prometheus text, whichever the scraper asks for,
beside the usual `process_*` and `python_gc_*`.

Base units; no ids in labels. Every series whose label values are listed starts at 0, so that `rate()` sees the first
event. A value that is not listed counts as `other`: that it moves is a fault of the worker worth a report.

"Exemplars: yes" says that, in OpenMetrics only, each series (of a histogram: each bucket) names an event: the first
that it counted since the former scrape; of a commit, the one that waited longest.

| label | |
| --- | --- |
| `topic`, `partition`, `offset` | its record: `worker why TOPIC/PARTITION/OFFSET` tells the rest |
| `trace_id`, `span_id` | its trace, if recorded: ours with `WORKER_TRACING=on`, else the producer's (`traceparent`) |

OpenMetrics allows {most} characters for all names and values of an exemplar. What does not fit is left out: first
`span_id`, then `topic`, which is one of the two inputs. How to see them:
[trace events](../how-to/trace.md#from-a-graph-to-one-event).
"""


def render() -> str:
    """The page: Markdown, one section for each metric."""
    return "\n".join([_HEAD.replace("{most}", str(MOST)), *(_section(metric) for metric in CATALOGUE)])


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
    if metric.exemplars:
        lines += ["", "Exemplars: yes."]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(render())
