"""The fourth dashboard: Kafka as the worker sees it, and the worker's processes."""

from helm.monitoring.board import Dashboard, Row
from helm.monitoring.overview import KAFKA_UID
from helm.monitoring.panel import SCOPE, WINDOW, Panel, Query, Unit
from helm.monitoring.promql import rate, summed
from helm.monitoring.shown import grown, highest, now, quantiles, quantiles_since_start, speed, total
from worker.telemetry import catalogue as c

PROCESS = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "python_gc_collections_total",
)
"""Metrics of the Prometheus client itself that are shown; they are not in the catalogue."""


def _process(name: str) -> str:
    assert name in PROCESS, name
    return f"{name}{{{SCOPE}}}"


def _intake() -> Row:
    return Row(
        "Intake",
        [
            Panel("Lag", "By topic and partition.", Unit.NUMBER, [total(c.LAG, "topic", "partition")]),
            Panel(
                "Records taken", "By topic and partition.", Unit.PER_SECOND, [speed(c.CONSUMED, "topic", "partition")]
            ),
            Panel(
                "Read-ahead window",
                "Most unsettled records of a partition; one whose unfinished events are as many is not fetched for.",
                Unit.NUMBER,
                [
                    Query(highest(c.WINDOW).expression, "window"),
                    Query(total(c.EVENTS, "partition").expression, "unfinished {{partition}}"),
                ],
            ),
            Panel(
                "Answer of the brokers",
                "Seconds since a fetch was answered. More than a few: no broker is reached.",
                Unit.SECONDS,
                [highest(c.FETCH_AGE, "instance")],
                page="kafka-unreachable",
            ),
        ],
    )


def _ownership() -> Row:
    return Row(
        "Group and ownership",
        [
            Panel(
                "Owned partitions",
                "By process.",
                Unit.NUMBER,
                [total(c.OWNED, "instance")],
                stacked=True,
                width=6,
                page="nothing-owned",
            ),
            Panel(
                "Assigned and not served",
                "1: being taken over, lost or refused. /readyz of the process says which.",
                Unit.NUMBER,
                [Query(f"1 - max by (instance, partition) ({now(c.SERVED)})", "{{instance}} {{partition}}")],
                width=6,
                page="partition-stuck",
            ),
            Panel(
                "Lost partitions",
                "Lost and not flowing again yet, by why. Empty of all but zeros when all is well.",
                Unit.NUMBER,
                [total(c.LOST, "why")],
                stacked=True,
                width=6,
            ),
            Panel(
                "Group members",
                "Processes that are members now.",
                Unit.NUMBER,
                [total(c.MEMBER)],
                width=6,
                page="not-in-group",
            ),
            Panel(
                "Rebalances",
                "Within each interval, by process.",
                Unit.NUMBER,
                [grown(c.REBALANCES, "instance")],
                width=6,
            ),
            Panel(
                "Changes of ownership",
                "started, restored and closed are in order; the others say why a partition was lost.",
                Unit.NUMBER,
                [grown(c.OWNERSHIP_CHANGES, "change")],
                page="ownership-lost",
            ),
            Panel(
                "Duration of restores",
                "Time to read ledger and journal after a take-over, of all since the processes started: most are over "
                "before the first scrape. Events of the partition wait.",
                Unit.SECONDS,
                quantiles_since_start(c.RESTORE_SECONDS),
                page="restore-slow",
            ),
            Panel(
                "Records read by restores",
                "Within each interval. Much of `journal`: it is not trimmed.",
                Unit.NUMBER,
                [grown(c.RESTORE_RECORDS, "source")],
            ),
        ],
    )


def _commits() -> Row:
    records = summed(rate(now(c.COMMIT_RECORDS), WINDOW))
    commits = speed(c.COMMIT_SECONDS, part="count").expression
    return Row(
        "Commits and journal",
        [
            Panel(
                "Duration of commits",
                "A settlement's transaction, from its begin to its commit.",
                Unit.SECONDS,
                quantiles(c.COMMIT_SECONDS),
            ),
            Panel(
                "Records in a commit",
                "Records settled by one transaction.",
                Unit.NUMBER,
                [Query(f"{records} / clamp_min({commits}, 1e-9)", "records")],
            ),
            Panel(
                "Failed commits",
                "Within each interval, by cause. Each ends an ownership; nothing is lost.",
                Unit.NUMBER,
                [grown(c.COMMIT_FAILURES, "why")],
                page="commit-failures",
            ),
            Panel(
                "Trims of the journal", "By result.", Unit.PER_SECOND, [speed(c.TRIMS, "result")], page="trim-failing"
            ),
            Panel(
                "Oldest unsettled fact",
                "By partition. The journal is kept from there on.",
                Unit.SECONDS,
                [highest(c.OLDEST_FACT, "partition")],
                page="oldest-fact",
            ),
        ],
    )


def _processes() -> Row:
    return Row(
        "Processes",
        [
            Panel(
                "CPU",
                "Cores used. The worker has one event loop: at 1 it is the bottleneck, add processes.",
                Unit.CORES,
                [Query(f"rate({_process('process_cpu_seconds_total')}[{WINDOW}])", "{{instance}}")],
                width=6,
            ),
            Panel(
                "Memory",
                "Resident bytes.",
                Unit.BYTES,
                [Query(_process("process_resident_memory_bytes"), "{{instance}}")],
                width=6,
            ),
            Panel(
                "Open files",
                "Share of the limit.",
                Unit.SHARE,
                [Query(f"{_process('process_open_fds')} / {_process('process_max_fds')}", "{{instance}}")],
                width=6,
            ),
            Panel(
                "Collections of garbage",
                "By generation.",
                Unit.PER_SECOND,
                [Query(f"rate({_process('python_gc_collections_total')}[{WINDOW}])", "{{instance}} {{generation}}")],
                width=6,
            ),
            Panel(
                "Up since",
                "Age of each process.",
                Unit.SECONDS,
                [Query(f"time() - {_process('process_start_time_seconds')}", "{{instance}}")],
                "stat",
                height=5,
                page="absent",
            ),
            Panel(
                "Versions",
                "Processes by version.",
                Unit.NUMBER,
                [total(c.BUILD, "version")],
                "stat",
                height=5,
            ),
            Panel(
                "Observing",
                "Processes that bill nothing (worker run --observe).",
                Unit.NUMBER,
                [total(c.OBSERVING)],
                "stat",
                (("green", None), ("yellow", 1.0)),
                height=5,
                page="observing",
            ),
        ],
    )


def kafka() -> Dashboard:
    """Does the ground hold?"""
    return Dashboard(
        KAFKA_UID,
        "Invoice worker: Kafka and processes",
        "Intake, ownership, commits and journal as the worker sees them, and its processes.",
        [_intake(), _ownership(), _commits(), _processes()],
    )
