"""What is asked of Kravia and of document stores, and the gate before it."""

from worker.telemetry.catalogue.metric import Kind, Metric, metric
from worker.telemetry.labels import FETCHES, GATE_STATES, GATE_WHYS, RETRY_STEPS, RETRY_WHYS, STATUS_CLASSES, STEPS

# Calls end by their own time-outs, 30 s for register by default; what is set longer still lands in a bucket.
CALL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120)

CALLS = metric(
    "calls_total",
    Kind.COUNTER,
    "Calls to Kravia, by step and by class of the answer; not_sent: no byte of it left.",
    STEPS,
    STATUS_CLASSES,
    exemplars=True,
)
CALL_SECONDS = metric(
    "call_seconds",
    Kind.HISTOGRAM,
    "Duration of a call to Kravia, whatever its answer.",
    STEPS,
    buckets=CALL_BUCKETS,
    exemplars=True,
)
CALLS_IN_FLIGHT = metric(
    "calls_in_flight", Kind.GAUGE, "Calls that have a place now; those that wait at a closed gate keep theirs."
)
CALLS_IN_FLIGHT_LIMIT = metric(
    "calls_in_flight_limit",
    Kind.GAUGE,
    "Most calls at a time now: WORKER_MAX_IN_FLIGHT, halved when Kravia answers 429 or 503, slowly, or not in time.",
)
RETRIES = metric(
    "retries_total",
    Kind.COUNTER,
    "Calls that will be made again after a wait, by step and by what came of the last one.",
    RETRY_STEPS,
    RETRY_WHYS,
    exemplars=True,
)
BACKOFF_SECONDS = metric(
    "backoff_seconds_total",
    Kind.COUNTER,
    "Seconds of the waits before another attempt, counted when a wait begins and summed over events, by step.",
    RETRY_STEPS,
)
GATE = metric("gate_state", Kind.GAUGE, "1 for the state that the gate is in, 0 for the others.", GATE_STATES)
GATE_WHY = metric(
    "gate_why", Kind.GAUGE, "1 for the reason of the gate's present state (none: open), 0 for the others.", GATE_WHYS
)
GATE_CHANGES = metric("gate_changes_total", Kind.COUNTER, "Changes of the gate, by the state it went to.", GATE_STATES)
FETCHED = metric(
    "document_fetches_total",
    Kind.COUNTER,
    "Documents that events refer to, by what came of the fetch: ok, the code of a rejection, or why the store did not "
    "give it this time.",
    FETCHES,
    exemplars=True,
)
FETCH_SECONDS = metric(
    "document_fetch_seconds",
    Kind.HISTOGRAM,
    "Duration of a document's fetch, whatever came of it; waits for space and for a place are not in it.",
    buckets=CALL_BUCKETS,
    exemplars=True,
)
FETCH_BYTES = metric("document_bytes_total", Kind.COUNTER, "Bytes of documents that were read from stores.")
SPOOL_BYTES = metric(
    "document_spool_bytes",
    Kind.GAUGE,
    "Bytes of disk space that events hold for their documents now, of DOCUMENT_SPOOL_BYTES.",
)

METRICS: tuple[Metric, ...] = (
    CALLS,
    CALL_SECONDS,
    CALLS_IN_FLIGHT,
    CALLS_IN_FLIGHT_LIMIT,
    RETRIES,
    BACKOFF_SECONDS,
    GATE,
    GATE_WHY,
    GATE_CHANGES,
    FETCHED,
    FETCH_SECONDS,
    FETCH_BYTES,
    SPOOL_BYTES,
)
