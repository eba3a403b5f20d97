"""The gate, Kafka, the process."""

from collections.abc import Iterator

from tests.ops.alerts.case import Case, sample

JOB = {"job": "worker"}
POD = {**JOB, "instance": "a:8080"}


def cases() -> Iterator[Case]:
    """Each alert of `runtime.yaml`, firing and silent."""
    gate, token = "InvoiceWorkerGateClosed", "InvoiceWorkerTokenRejected"
    closed = dict([sample("gate_state", "0x5 1x40", state="closed")])
    unauthorized = dict([sample("gate_why", "0x5 1x40", why="unauthorized")])
    yield Case(gate, "for a while", closed, 20, (POD,))
    yield Case(gate, "for a moment", dict([sample("gate_state", "0x5 1x5 0x40", state="closed")]), 20)
    yield Case(token, "closed for it", closed | unauthorized, 8, (POD,))
    yield Case(token, "closed for something else", closed | dict([sample("gate_why", "1x40", why="failures")]), 8)
    yield Case(token, "a new token is tried", unauthorized | dict([sample("gate_state", "0x40", state="closed")]), 8)

    kafka = "InvoiceWorkerKafkaUnreachable"
    yield Case(kafka, "no answer", dict([sample("fetch_age_seconds", "0.5x5 30+60x40")]), 12, (POD,))
    yield Case(kafka, "answers", dict([sample("fetch_age_seconds", "0.5x40")]), 12)
    yield Case(kafka, "a short failover", dict([sample("fetch_age_seconds", "0.5x5 70 0.5x40")]), 12)
    served = [sample("partition_served", "0x40", partition=number) for number in "34"]
    yield Case(kafka, "all lost", dict([*served, sample("partitions_lost", "2x40", why="timeout")]), 12, (POD,))
    yield Case(kafka, "one lost", dict([*served, sample("partitions_lost", "1x40", why="timeout")]), 12)
    yield Case(kafka, "all fenced", dict([*served, sample("partitions_lost", "2x40", why="fenced")]), 12)
    member = "InvoiceWorkerNotInGroup"
    yield Case(member, "for long", dict([sample("group_member", "1x5 0x40")]), 12, (POD,))
    yield Case(member, "a rebalance", dict([sample("group_member", "1x5 0 0 1x40")]), 12)

    stuck = "InvoiceWorkerPartitionStuck"
    one = dict(
        [sample("partition_served", "1x5 0x40", partition="3"), sample("partition_served", "1x45", partition="4")]
    )
    yield Case(stuck, "one of two", one, 12, ({**POD, "partition": "3"},))
    yield Case(stuck, "a take over", dict([sample("partition_served", "0x2 1x40", partition="3")]), 12)

    commits = "InvoiceWorkerCommitFailures"
    failing = dict([sample("commit_failures_total", "0+1x40", why="timeout")])
    yield Case(commits, "time outs", failing, 20, ({**JOB, "why": "timeout"},))
    yield Case(commits, "one", dict([sample("commit_failures_total", "0x5 1x40", why="timeout")]), 12)
    yield Case(commits, "fenced by a successor", dict([sample("commit_failures_total", "0+1x40", why="fenced")]), 20)
    lost = "InvoiceWorkerOwnershipLost"
    fights = dict([sample("ownership_changes_total", "0+1x40", change="fenced")])
    yield Case(lost, "a fight", fights, 20, ({**JOB, "change": "fenced"},))
    yield Case(lost, "a deployment", dict([sample("ownership_changes_total", "0x5 4x40", change="fenced")]), 20)
    yield Case(lost, "closed in order", dict([sample("ownership_changes_total", "0+1x40", change="closed")]), 20)

    restore = "InvoiceWorkerRestoreSlow"
    counts = sample("restore_seconds_count", "0x5 2x60")
    yield Case(
        restore, "one of two", dict([counts, sample("restore_seconds_bucket", "0x5 1x60", le="120.0")]), 20, (POD,)
    )
    yield Case(restore, "both quick", dict([counts, sample("restore_seconds_bucket", "0x5 2x60", le="120.0")]), 20)

    absent, build = "InvoiceWorkerAbsent", dict([sample("build_info", "1x40", version="0.1.0")])
    yield Case(absent, "nobody", {"up": "0x40"}, 10, ({},))
    yield Case(absent, "somebody", build, 10)
    owned = "InvoiceWorkerNothingOwned"
    yield Case(owned, "nobody", dict([sample("owned_partitions", "0x40")]), 15, (JOB,))
    yield Case(
        owned,
        "a standby",
        dict([sample("owned_partitions", "0x40")])
        | {'invoice_worker_owned_partitions{job="worker",instance="b:8080"}': "4x40"},
        15,
    )
    observing = "InvoiceWorkerObserving"
    yield Case(observing, "two days", dict([sample("observing", "1x290")]), 1500, (POD,), 10)
    yield Case(observing, "an hour", dict([sample("observing", "1x6 0x290")]), 1500, step=10)
