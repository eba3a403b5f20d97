"""Registers that may have been carried out, what the ledger holds, and the money behind it."""

from worker.telemetry.catalogue.metric import Kind, Metric, metric
from worker.telemetry.labels import CURRENCY, DOUBT_STATES, LEDGER_STATES, PARTITION, RESOLUTIONS, RISKS, SWEEPS

# Many pages, each a call.
SWEEP_BUCKETS = (0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)

OPEN_INTENTS = metric(
    "open_intents",
    Kind.GAUGE,
    "Register calls that were announced in the journal and whose answer is not known yet. What is open when the "
    "process is killed will be in doubt.",
    PARTITION,
)
DOUBTS_NOW = metric(
    "doubts",
    Kind.GAUGE,
    "Registers of which it is not known whether they were carried out: being reconciled, or given up and left to a "
    "person.",
    PARTITION,
    DOUBT_STATES,
)
OLDEST_DOUBT = metric(
    "oldest_doubt_seconds", Kind.GAUGE, "Age of the oldest doubt being reconciled, 0 where there is none.", PARTITION
)
DOUBTS = metric(
    "doubts_resolved_total",
    Kind.COUNTER,
    "Doubtful registers that were reconciled: found and adopted, certainly not registered, or why one was given up.",
    RESOLUTIONS,
    exemplars=True,
)
SWEEP = metric("sweeps_total", Kind.COUNTER, "Sweeps of Kravia's search for doubtful registers, by result.", SWEEPS)
SWEEP_ROWS = metric("sweep_rows_total", Kind.COUNTER, "Rows that those sweeps read.")
SWEEP_SECONDS = metric("sweep_seconds", Kind.HISTOGRAM, "Duration of a sweep.", buckets=SWEEP_BUCKETS)
LEDGER = metric("ledger_identities", Kind.GAUGE, "Identities in the owned ledgers, by state.", LEDGER_STATES)
DOUBLES = metric(
    "possible_double_registers",
    Kind.GAUGE,
    "Identities with more than one register call that may have been carried out, less those that a person resolved. "
    "Counted from the ledger, so that a restart keeps it. Above 0 somebody must look.",
)
_RISKS = (
    "in_doubt (may be registered or not: being reconciled, or left to a person), dead (not registered, or registered "
    "and not started, and in the dead letters), behind_gate (waits for a closed gate). Each counts once."
)
MONEY_AT_RISK = metric(
    "money_at_risk",
    Kind.GAUGE,
    f"Sum of the amounts of invoices at risk, in the currency's units: {_RISKS}",
    RISKS,
    CURRENCY,
)
INVOICES_AT_RISK = metric("invoices_at_risk", Kind.GAUGE, f"Invoices at risk: {_RISKS}", RISKS, CURRENCY)

METRICS: tuple[Metric, ...] = (
    OPEN_INTENTS,
    DOUBTS_NOW,
    OLDEST_DOUBT,
    DOUBTS,
    SWEEP,
    SWEEP_ROWS,
    SWEEP_SECONDS,
    LEDGER,
    DOUBLES,
    MONEY_AT_RISK,
    INVOICES_AT_RISK,
)
