"""Alerts about what the worker stands on: Kravia behind its gate, Kafka, and the worker itself."""

from datetime import timedelta

from helm.monitoring.alert import CRITICAL, WARNING, Alert, Group, Pace
from helm.monitoring.promql import LOSSES, POD, WORKERS, counted, increase, largest, series, summed
from worker.telemetry import catalogue as c


def runtime(pace: Pace) -> list[Group]:
    """The rule groups of `runtime.yaml`."""
    return [
        Group("invoice-worker-gate", (_gate(), _token())),
        Group(
            "invoice-worker-kafka", (_kafka(pace), _member(), _stuck(), _commits(pace), _losses(pace), _restore(pace))
        ),
        Group("invoice-worker-process", (_absent(), _nothing_owned(), _observing())),
    ]


def _gate() -> Alert:
    return Alert(
        "InvoiceWorkerGateClosed",
        f"{largest(series(c.GATE, state='closed'), *POD)} == 1",
        CRITICAL,
        "{{ $labels.instance }} makes no calls: its gate is closed",
        "Kravia is sick, or refuses us. Nothing is lost and nothing fails meanwhile, but no invoice is billed. "
        "invoice_worker_gate_why and /readyz name the reason.",
        "gate-closed",
        lasting=timedelta(minutes=10),
    )


def _token() -> Alert:
    closed = largest(series(c.GATE, state="closed"), *POD)
    return Alert(
        "InvoiceWorkerTokenRejected",
        f"{largest(series(c.GATE_WHY, why='unauthorized'), *POD)} == 1\nand {closed} == 1",
        CRITICAL,
        "Kravia rejects the token of {{ $labels.instance }}",
        "It answers 401. It does not mend itself: a new token is needed.",
        "token-rejected",
        lasting=timedelta(minutes=1),
    )


def _kafka(pace: Pace) -> Alert:
    # Partitions that are lost are not fetched: there is no fetch to wait for.
    lost = series(c.LOST, why="~timeout|unclear|broken|not_member")
    return Alert(
        "InvoiceWorkerKafkaUnreachable",
        f"{largest(series(c.FETCH_AGE), *POD)} > @threshold@\n"
        f"or {summed(lost, *POD)} >= {counted(series(c.SERVED), *POD)}",
        CRITICAL,
        "No broker answers {{ $labels.instance }}",
        "A fetch has not been answered for more than @threshold@ s (an idle topic is answered every half second), or "
        "every partition of the process was lost since brokers did not answer.",
        "kafka-unreachable",
        lasting=timedelta(minutes=2),
        threshold=pace.seconds(timedelta(minutes=1)),
    )


def _member() -> Alert:
    return Alert(
        "InvoiceWorkerNotInGroup",
        f"{largest(series(c.MEMBER), *POD)} == 0",
        CRITICAL,
        "{{ $labels.instance }} is not a member of the consumer group",
        "It joins, or the group rebalances without end: nothing is consumed by it.",
        "not-in-group",
        lasting=timedelta(minutes=5),
    )


def _stuck() -> Alert:
    return Alert(
        "InvoiceWorkerPartitionStuck",
        f"min by ({', '.join(POD)}, partition) ({series(c.SERVED)}) == 0",
        CRITICAL,
        "Partition {{ $labels.partition }} is not served by {{ $labels.instance }}, whose it is",
        "It is being taken over for too long, it is lost again and again, or its records are out of range. /readyz of "
        "that process says which.",
        "partition-stuck",
        lasting=timedelta(minutes=5),
    )


def _commits(pace: Pace) -> Alert:
    failed = increase(series(c.COMMIT_FAILURES, why="!fenced"), pace.span(timedelta(minutes=15)))
    return Alert(
        "InvoiceWorkerCommitFailures",
        f"{summed(failed, *WORKERS, 'why')} > @threshold@",
        WARNING,
        "Settlements can't be committed: {{ $labels.why }}",
        "About {{ $value | humanize }} transactions failed within 15 minutes. Each ends an ownership, which starts "
        "over; nothing is lost.",
        "commit-failures",
        threshold=2,
    )


def _losses(pace: Pace) -> Alert:
    lost = series(c.OWNERSHIP_CHANGES, change=LOSSES)
    return Alert(
        "InvoiceWorkerOwnershipLost",
        f"{summed(increase(lost, pace.span(timedelta(minutes=15))), *WORKERS, 'change')} > @threshold@",
        WARNING,
        "Partitions are lost again and again: {{ $labels.change }}",
        "About {{ $value | humanize }} times within 15 minutes. `fenced`: two processes take the same partitions from "
        "each other.",
        "ownership-lost",
        lasting=timedelta(minutes=5),
        threshold=5,
    )


def _restore(pace: Pace) -> Alert:
    window = pace.span(timedelta(hours=1))
    all_ = summed(increase(series(c.RESTORE_SECONDS, "count"), window), *POD)
    quick = summed(increase(series(c.RESTORE_SECONDS, "bucket", le="@threshold@.0"), window), *POD)
    return Alert(
        "InvoiceWorkerRestoreSlow",
        f"{all_} - {quick} > 0.5",
        WARNING,
        "Take-overs on {{ $labels.instance }} take long",
        "Longer than @threshold@ s. Ledger or journal have grown, or the brokers are slow. Until a partition is "
        "restored its events wait.",
        "restore-slow",
        threshold=120 if pace.factor == 1.0 else 60,
        choices=tuple(int(bound) for bound in c.RESTORE_SECONDS.buckets if bound >= 1 and bound == int(bound)),
    )


def _absent() -> Alert:
    return Alert(
        "InvoiceWorkerAbsent",
        f"absent({series(c.BUILD)})",
        CRITICAL,
        "No worker is scraped",
        "Every process is down, or Prometheus does not find them. No other alert can tell anything meanwhile.",
        "absent",
        lasting=timedelta(minutes=5),
    )


def _nothing_owned() -> Alert:
    return Alert(
        "InvoiceWorkerNothingOwned",
        f"{summed(series(c.OWNED), *WORKERS)} == 0",
        CRITICAL,
        "Workers run, and none owns a partition",
        "All stand by, or none gets through its take-over: no event is handled.",
        "nothing-owned",
        lasting=timedelta(minutes=10),
    )


def _observing() -> Alert:
    return Alert(
        "InvoiceWorkerObserving",
        f"{largest(series(c.OBSERVING), *POD)} == 1",
        WARNING,
        "{{ $labels.instance }} has been observing for a day",
        "It bills nothing. Look whether it was meant to go live.",
        "observing",
        lasting=timedelta(days=1),
    )
