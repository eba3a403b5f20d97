"""The metric catalogue: every metric that the worker exports, as code.

The instruments (`metrics.py`), `docs/reference/metrics.md`, dashboards and alerts are all held to this list. Base
units, closed label sets, no ids: a label's values are listed here, but for `topic` and `partition`, whose values are
known once the configuration is read and partitions are assigned. A value that is not listed counts as `other`, so that
no mistake elsewhere can create series without bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from worker.telemetry.labels import (
    COMMIT_WHYS,
    CURRENCY,
    DOUBT_STATES,
    ENDINGS,
    FETCHES,
    GATE_STATES,
    GATE_WHYS,
    LEDGER_STATES,
    LOST_WHYS,
    OUTCOMES,
    OWNERSHIP,
    PARTITION,
    REASONS,
    RESOLUTIONS,
    RESULTS,
    RETRY_STEPS,
    RETRY_WHYS,
    RISKS,
    SOURCES,
    STATES,
    STATUS_CLASSES,
    STEPS,
    SWEEPS,
    TOPIC,
    WARNINGS,
    Label,
)

PREFIX = "invoice_worker_"


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `pairs` closes the set of combinations where not every product of the labels makes sense."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()
    pairs: tuple[tuple[str, ...], ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in self.labels)

    def combinations(self) -> Iterator[tuple[str, ...]]:
        """Every closed combination of label values, to start at 0; none where a label is known at run time only."""
        if self.pairs:
            yield from self.pairs
        elif all(label.values for label in self.labels):
            yield from product(*(label.values for label in self.labels))


# Calls end by their own time-outs, 30 s for register by default; what is set longer still lands in a bucket.
CALL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)
# An event may be retried for 900 s by default, and time behind a closed gate comes on top: up to a day.
AGE_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 14400, 86400)
# A commit has a time-out, 10 s by default.
COMMIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# A ledger of two years may take minutes to read.
RESTORE_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200)

# Many pages, each a call.
SWEEP_BUCKETS = (0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)


def _metric(
    name: str,
    kind: Kind,
    meaning: str,
    *labels: Label,
    buckets: tuple[float, ...] = (),
    pairs: tuple[tuple[str, ...], ...] = (),
) -> Metric:
    return Metric(PREFIX + name, kind, meaning, labels, buckets, pairs)


CONSUMED = _metric("consumed_total", Kind.COUNTER, "Input records taken from Kafka.", TOPIC, PARTITION)
SETTLED = _metric(
    "settled_total",
    Kind.COUNTER,
    "Input records whose outcome is committed, by outcome and by the reason of what did not end well.",
    OUTCOMES,
    REASONS,
    pairs=ENDINGS,
)
EVENT_AGE = _metric(
    "event_age_seconds",
    Kind.HISTOGRAM,
    "Age of an event when its outcome was committed: seconds since the event's own time, else its record's.",
    OUTCOMES,
    buckets=AGE_BUCKETS,
)
CALLS = _metric(
    "calls_total",
    Kind.COUNTER,
    "Calls to Kravia, by step and by class of the answer; not_sent: no byte of it left.",
    STEPS,
    STATUS_CLASSES,
)
CALL_SECONDS = _metric(
    "call_seconds",
    Kind.HISTOGRAM,
    "Duration of a call to Kravia, whatever its answer.",
    STEPS,
    buckets=CALL_BUCKETS,
)
RETRIES = _metric(
    "retries_total",
    Kind.COUNTER,
    "Calls that will be made again after a wait, by step and by what came of the last one.",
    RETRY_STEPS,
    RETRY_WHYS,
)
BACKOFF_SECONDS = _metric(
    "backoff_seconds_total",
    Kind.COUNTER,
    "Seconds of the waits before another attempt, counted when a wait begins and summed over events, by step.",
    RETRY_STEPS,
)
FETCHED = _metric(
    "document_fetches_total",
    Kind.COUNTER,
    "Documents that events refer to, by what came of the fetch: ok, the code of a rejection, or why the store did not "
    "give it this time.",
    FETCHES,
)
FETCH_SECONDS = _metric(
    "document_fetch_seconds",
    Kind.HISTOGRAM,
    "Duration of a document's fetch, whatever came of it; waits for space and for a place are not in it.",
    buckets=CALL_BUCKETS,
)
FETCH_BYTES = _metric("document_bytes_total", Kind.COUNTER, "Bytes of documents that were read from stores.")
SPOOL_BYTES = _metric(
    "document_spool_bytes",
    Kind.GAUGE,
    "Bytes of disk space that events hold for their documents now, of DOCUMENT_SPOOL_BYTES.",
)
EVENTS = _metric(
    "events",
    Kind.GAUGE,
    "Unfinished events by state: queued (not begun, or behind an earlier event of its identity), fetching "
    "(its documents), registering, attaching, starting, backoff (waiting to retry), gate (waiting for a closed gate), "
    "doubt (being reconciled), settling (waiting for its commit).",
    PARTITION,
    STATES,
)
IN_FLIGHT_EVENTS = _metric(
    "in_flight_events", Kind.GAUGE, "Events taken and not settled, in all states but queued, of this process."
)
IN_FLIGHT_BYTES = _metric("in_flight_bytes", Kind.GAUGE, "Bytes of the input records taken and not settled.")
OLDEST = _metric(
    "oldest_unfinished_seconds",
    Kind.GAUGE,
    "Age of the oldest event taken and not settled, 0 where there is none.",
    PARTITION,
)
IN_FLIGHT_EVENTS_LIMIT = _metric(
    "in_flight_events_limit",
    Kind.GAUGE,
    "Most events under way in this process (WORKER_MAX_IN_FLIGHT). Those that wait for a retry or a gate step aside.",
)
IN_FLIGHT_BYTES_LIMIT = _metric(
    "in_flight_bytes_limit",
    Kind.GAUGE,
    "Most bytes of input records under way (WORKER_MAX_IN_FLIGHT_BYTES); one that is larger goes alone.",
)
WINDOW = _metric(
    "partition_window_records",
    Kind.GAUGE,
    "Most unsettled records that are read ahead for each partition (WORKER_PARTITION_WINDOW).",
)
LAG = _metric(
    "lag_records",
    Kind.GAUGE,
    "Offsets from the first unsettled record to the end of the partition, as the latest fetch saw it. A full window "
    "is not fetched for: the end stands still then, so page on age, never on this.",
    TOPIC,
    PARTITION,
)
OLDEST_FACT = _metric(
    "oldest_unsettled_fact_seconds",
    Kind.GAUGE,
    "Age of the oldest fact in the journal whose event is not settled, 0 where there is none. The journal keeps it, "
    "and what came after it, until then: it must be far younger than the journal's retention.",
    PARTITION,
)
OPEN_INTENTS = _metric(
    "open_intents",
    Kind.GAUGE,
    "Register calls that were announced in the journal and whose answer is not known yet. What is open when the "
    "process is killed will be in doubt.",
    PARTITION,
)
DOUBTS_NOW = _metric(
    "doubts",
    Kind.GAUGE,
    "Registers of which it is not known whether they were carried out: being reconciled, or given up and left to a "
    "person.",
    PARTITION,
    DOUBT_STATES,
)
OLDEST_DOUBT = _metric(
    "oldest_doubt_seconds", Kind.GAUGE, "Age of the oldest doubt being reconciled, 0 where there is none.", PARTITION
)
LEDGER = _metric("ledger_identities", Kind.GAUGE, "Identities in the owned ledgers, by state.", LEDGER_STATES)
DOUBLES = _metric(
    "possible_double_registers",
    Kind.GAUGE,
    "Identities with more than one register call that may have been carried out, less those that a person resolved. "
    "Counted from the ledger, so that a restart keeps it. Above 0 somebody must look.",
)
_RISKS = (
    "in_doubt (may be registered or not: being reconciled, or left to a person), dead (not registered, or registered "
    "and not started, and in the dead letters), behind_gate (waits for a closed gate). Each counts once."
)
MONEY_AT_RISK = _metric(
    "money_at_risk",
    Kind.GAUGE,
    f"Sum of the amounts of invoices at risk, in the currency's units: {_RISKS}",
    RISKS,
    CURRENCY,
)
INVOICES_AT_RISK = _metric("invoices_at_risk", Kind.GAUGE, f"Invoices at risk: {_RISKS}", RISKS, CURRENCY)
OWNED = _metric("owned_partitions", Kind.GAUGE, "Partitions that this process owns now.")
SERVED = _metric(
    "partition_served",
    Kind.GAUGE,
    "For each assigned partition: 1 while its records flow, 0 while it is taken over, lost or refused.",
    PARTITION,
)
LOST = _metric(
    "partitions_lost",
    Kind.GAUGE,
    "Assigned partitions that were lost and whose records do not flow again yet, by why they were lost the last time.",
    LOST_WHYS,
)
MEMBER = _metric(
    "group_member",
    Kind.GAUGE,
    "1 while the process is a member of the group, 0 while it joins or the group rebalances.",
)
FETCH_AGE = _metric(
    "fetch_age_seconds",
    Kind.GAUGE,
    "Seconds since a broker answered a fetch, of the input partition that has waited longest; 0 where none has room.",
)
REBALANCES = _metric("rebalances_total", Kind.COUNTER, "Rebalances of the group that this process took part in.")
COMMIT_SECONDS = _metric(
    "commit_seconds",
    Kind.HISTOGRAM,
    "Duration of a settlement's transaction, from its begin to its commit; its count is the number of commits.",
    buckets=COMMIT_BUCKETS,
)
COMMIT_RECORDS = _metric("commit_records_total", Kind.COUNTER, "Input records settled by those transactions.")
COMMIT_FAILURES = _metric(
    "commit_failures_total",
    Kind.COUNTER,
    "Settlements' transactions that failed or whose end is not known; each ends its ownership, and nothing is lost.",
    COMMIT_WHYS,
)
OWNERSHIP_CHANGES = _metric(
    "ownership_changes_total",
    Kind.COUNTER,
    "Ownership of partitions: started, restored, closed in order, or why it was lost.",
    OWNERSHIP,
)
RESTORE_SECONDS = _metric(
    "restore_seconds",
    Kind.HISTOGRAM,
    "Time to read a partition's ledger and journal after it was taken over.",
    buckets=RESTORE_BUCKETS,
)
RESTORE_RECORDS = _metric("restore_records_total", Kind.COUNTER, "Records read by restores, by topic kind.", SOURCES)
DOUBTS = _metric(
    "doubts_resolved_total",
    Kind.COUNTER,
    "Doubtful registers that were reconciled: found and adopted, certainly not registered, or why one was given up.",
    RESOLUTIONS,
)
SWEEP = _metric("sweeps_total", Kind.COUNTER, "Sweeps of Kravia's search for doubtful registers, by result.", SWEEPS)
SWEEP_ROWS = _metric("sweep_rows_total", Kind.COUNTER, "Rows that those sweeps read.")
SWEEP_SECONDS = _metric("sweep_seconds", Kind.HISTOGRAM, "Duration of a sweep.", buckets=SWEEP_BUCKETS)
TRIMS = _metric("journal_trims_total", Kind.COUNTER, "DeleteRecords calls that trim the journal, by result.", RESULTS)
GATE = _metric("gate_state", Kind.GAUGE, "1 for the state that the gate is in, 0 for the others.", GATE_STATES)
GATE_WHY = _metric(
    "gate_why", Kind.GAUGE, "1 for the reason of the gate's present state (none: open), 0 for the others.", GATE_WHYS
)
GATE_CHANGES = _metric("gate_changes_total", Kind.COUNTER, "Changes of the gate, by the state it went to.", GATE_STATES)
WARNED = _metric("warnings_total", Kind.COUNTER, "Odd things that did not end an event, by code.", WARNINGS)
OBSERVING = _metric("observing", Kind.GAUGE, "1 in observe mode, which bills nothing; else 0.")
BUILD = _metric("build_info", Kind.GAUGE, "Always 1; the label names the worker's version.", Label("version"))

CATALOGUE: tuple[Metric, ...] = (
    CONSUMED,
    SETTLED,
    EVENT_AGE,
    CALLS,
    CALL_SECONDS,
    RETRIES,
    BACKOFF_SECONDS,
    FETCHED,
    FETCH_SECONDS,
    FETCH_BYTES,
    SPOOL_BYTES,
    EVENTS,
    IN_FLIGHT_EVENTS,
    IN_FLIGHT_BYTES,
    IN_FLIGHT_EVENTS_LIMIT,
    IN_FLIGHT_BYTES_LIMIT,
    WINDOW,
    LAG,
    OLDEST,
    OLDEST_FACT,
    OPEN_INTENTS,
    DOUBTS_NOW,
    OLDEST_DOUBT,
    LEDGER,
    DOUBLES,
    MONEY_AT_RISK,
    INVOICES_AT_RISK,
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
    DOUBTS,
    SWEEP,
    SWEEP_ROWS,
    SWEEP_SECONDS,
    TRIMS,
    GATE,
    GATE_WHY,
    GATE_CHANGES,
    WARNED,
    OBSERVING,
    BUILD,
)
