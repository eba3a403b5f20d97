"""Alerts about what producers see: outcomes that fail, outcomes that come late, events that do not end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from helm.monitoring.alert import CRITICAL, WARNING, Alert, Group, Pace
from helm.monitoring.objectives import AGE, BURNS, SUCCESS, Burn, Objective
from helm.monitoring.promql import WORKERS, increase, largest, rate, series, summed
from worker.telemetry import catalogue as c

_FEW = 5
"""So many bad records in the long window at the least: one of three is no trend."""


def service(pace: Pace) -> list[Group]:
    """The rule groups of `service.yaml`."""
    return [
        Group("invoice-worker-success", tuple(_success(burn, pace) for burn in BURNS)),
        Group("invoice-worker-age", (*(_age(burn, pace) for burn in BURNS), _oldest_event(pace))),
        Group("invoice-worker-dead-letters", (_dead_letters(pace), _rejected(pace))),
        Group("invoice-worker-documents", (_documents(pace),)),
    ]


def _success(burn: Burn, pace: Pace) -> Alert:
    failed, settled = series(c.SETTLED, outcome="failed"), series(c.SETTLED)

    def ratio(window: str) -> str:
        return f"{summed(rate(failed, window), *WORKERS)} / {summed(rate(settled, window), *WORKERS)}"

    many = f"{summed(increase(failed, pace.span(burn.long)), *WORKERS)} > {_FEW}"
    return _burning(
        f"InvoiceWorkerFailedBurn{burn.name}",
        burn,
        SUCCESS,
        ratio,
        many,
        pace,
        "of records end as failed",
        "@percent@ % of records do not end as failed",
        "failed-burn",
    )


def _age(burn: Burn, pace: Pace) -> Alert:
    # A bucket can't be made shorter as a window can: the shortest stands for it in a fast run.
    objective = AGE if pace.factor == 1.0 else replace(AGE, limit=5)
    in_time = series(c.EVENT_AGE, "bucket", le="@limit@.0")
    all_ = series(c.EVENT_AGE, "count")

    def ratio(window: str) -> str:
        return f"1 - {summed(rate(in_time, window), *WORKERS)} / {summed(rate(all_, window), *WORKERS)}"

    long = pace.span(burn.long)
    many = f"{summed(increase(all_, long), *WORKERS)} - {summed(increase(in_time, long), *WORKERS)} > {_FEW}"
    return _burning(
        f"InvoiceWorkerAgeBurn{burn.name}",
        burn,
        objective,
        ratio,
        many,
        pace,
        "of outcomes come too late",
        "@percent@ % of events have their outcome within @limit@ s",
        "age-burn",
    )


def _burning(
    name: str,
    burn: Burn,
    objective: Objective,
    ratio: Callable[[str], str],
    many: str,
    pace: Pace,
    what: str,
    promise: str,
    page: str,
) -> Alert:
    bound = f"{burn.factor:g} * (1 - @goal@)"
    long, short = pace.span(burn.long), pace.span(burn.short)
    return Alert(
        name,
        f"({ratio(long)}) > {bound}\nand ({ratio(short)}) > {bound}\nand {many}",
        burn.severity,
        f"{{{{ $value | humanizePercentage }}}} {what}",
        f"Objective: {promise}. Over {long}, and still over {short}, the error budget burns at {burn.factor:g} "
        "times the rate that would last for 30 days.",
        page,
        labels={"slo": page.removesuffix("-burn")},
        objective=objective,
    )


def _oldest_event(pace: Pace) -> Alert:
    oldest = largest(series(c.OLDEST), *WORKERS, "partition")
    doubt = largest(series(c.OLDEST_DOUBT), *WORKERS, "partition")
    return Alert(
        "InvoiceWorkerOldestEvent",
        f"{oldest} > @threshold@\nunless on (namespace, job, partition) {doubt} > 0",
        CRITICAL,
        "An event in partition {{ $labels.partition }} has been under way for {{ $value | humanizeDuration }}",
        "Nothing retries for so long while the gate is open (WORKER_RETRY_ELAPSED, 15 minutes), and no doubt holds it "
        "up. Later events of its invoice wait for it.",
        "oldest-event",
        lasting=timedelta(minutes=5),
        threshold=pace.seconds(timedelta(minutes=30)),
    )


def _dead_letters(pace: Pace) -> Alert:
    failed = increase(series(c.SETTLED, outcome="failed"), pace.span(timedelta(minutes=15)))
    return Alert(
        "InvoiceWorkerDeadLetters",
        f"{summed(failed, *WORKERS, 'reason')} > @threshold@",
        WARNING,
        "Dead letters, reason {{ $labels.reason }}",
        "About {{ $value | humanize }} records failed with this reason within 15 minutes. Each waits for an operator.",
        "dead-letters",
        threshold=0,
    )


def _rejected(pace: Pace) -> Alert:
    window = pace.span(timedelta(minutes=30))
    rejected = summed(rate(series(c.SETTLED, outcome="rejected"), window), *WORKERS)
    many = summed(increase(series(c.SETTLED, outcome="rejected"), window), *WORKERS)
    return Alert(
        "InvoiceWorkerManyRejected",
        f"({rejected} / {summed(rate(series(c.SETTLED), window), *WORKERS)}) > @threshold@\nand {many} > 10",
        WARNING,
        "{{ $value | humanizePercentage }} of records are rejected",
        "More than a share of @threshold@ of what came within 30 minutes is refused for what it holds: a producer's "
        "new release, as a rule.",
        "many-rejected",
        lasting=timedelta(minutes=10),
        threshold=0.2,
    )


def _documents(pace: Pace) -> Alert:
    window = pace.span(timedelta(minutes=10))
    bad = series(c.FETCHED, result="~timeout|dns|tls|connect|lost|throttled|server_error|status|spool")
    ratio = f"{summed(rate(bad, window), *WORKERS)} / {summed(rate(series(c.FETCHED), window), *WORKERS)}"
    return Alert(
        "InvoiceWorkerDocumentsUnreachable",
        f"({ratio}) > @threshold@\nand {summed(increase(bad, window), *WORKERS)} > {_FEW}",
        WARNING,
        "{{ $value | humanizePercentage }} of the fetches of documents fail",
        "Documents that events refer to are not given by their stores, or do not fit on the disk. Nothing is "
        "registered for those events yet: they are tried again, and end as failed, reason document_unreachable, after "
        "WORKER_RETRY_ELAPSED or WORKER_RETRY_ATTEMPTS.",
        "documents-unreachable",
        lasting=timedelta(minutes=5),
        threshold=0.5,
    )
