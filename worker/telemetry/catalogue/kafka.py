"""Kafka: the group, ownership of partitions, commits, journal and restores."""

from worker.telemetry.catalogue.metric import Kind, Metric, metric
from worker.telemetry.labels import COMMIT_WHYS, LOST_WHYS, OWNERSHIP, PARTITION, RESULTS, SOURCES, TOPIC

# A commit has a time-out, 10 s by default.
COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# A ledger of two years may take minutes to read.
RESTORE_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200)

LAG = metric(
    "lag_records",
    Kind.GAUGE,
    "Offsets from the first unsettled record to the end of the partition, as the latest fetch saw it. A full window "
    "is not fetched for: the end stands still then, so page on age, never on this.",
    TOPIC,
    PARTITION,
)
OWNED = metric("owned_partitions", Kind.GAUGE, "Partitions that this process owns now.")
SERVED = metric(
    "partition_served",
    Kind.GAUGE,
    "For each assigned partition: 1 while its records flow, 0 while it is taken over, lost or refused.",
    PARTITION,
)
LOST = metric(
    "partitions_lost",
    Kind.GAUGE,
    "Assigned partitions that were lost and whose records do not flow again yet, by why they were lost the last time.",
    LOST_WHYS,
)
MEMBER = metric(
    "group_member",
    Kind.GAUGE,
    "1 while the process is a member of the group, 0 while it joins or the group rebalances.",
)
FETCH_AGE = metric(
    "fetch_age_seconds",
    Kind.GAUGE,
    "Seconds since a broker answered a fetch, of the input partition that has waited longest; 0 where none has room.",
)
REBALANCES = metric("rebalances_total", Kind.COUNTER, "Rebalances of the group that this process took part in.")
COMMIT_SECONDS = metric(
    "commit_seconds",
    Kind.HISTOGRAM,
    "Duration of a settlement's transaction, from its begin to its commit; its count is the number of commits.",
    buckets=COMMIT_BUCKETS,
    exemplars=True,
)
COMMIT_RECORDS = metric("commit_records_total", Kind.COUNTER, "Input records settled by those transactions.")
COMMIT_FAILURES = metric(
    "commit_failures_total",
    Kind.COUNTER,
    "Settlements' transactions that failed or whose end is not known; each ends its ownership, and nothing is lost.",
    COMMIT_WHYS,
)
OWNERSHIP_CHANGES = metric(
    "ownership_changes_total",
    Kind.COUNTER,
    "Ownership of partitions: started, restored, closed in order, or why it was lost.",
    OWNERSHIP,
)
RESTORE_SECONDS = metric(
    "restore_seconds",
    Kind.HISTOGRAM,
    "Time to read a partition's ledger and journal after it was taken over.",
    buckets=RESTORE_BUCKETS,
)
RESTORE_RECORDS = metric("restore_records_total", Kind.COUNTER, "Records read by restores, by topic kind.", SOURCES)
OLDEST_FACT = metric(
    "oldest_unsettled_fact_seconds",
    Kind.GAUGE,
    "Age of the oldest fact in the journal whose event is not settled, 0 where there is none. The journal keeps it, "
    "and what came after it, until then: it must be far younger than the journal's retention.",
    PARTITION,
)
TRIMS = metric("journal_trims_total", Kind.COUNTER, "DeleteRecords calls that trim the journal, by result.", RESULTS)

METRICS: tuple[Metric, ...] = (
    LAG,
    OWNED,
    SERVED,
    LOST,
    MEMBER,
    FETCH_AGE,
    REBALANCES,
    COMMIT_SECONDS,
    COMMIT_RECORDS,
    COMMIT_FAILURES,
    OWNERSHIP_CHANGES,
    RESTORE_SECONDS,
    RESTORE_RECORDS,
    OLDEST_FACT,
    TRIMS,
)
