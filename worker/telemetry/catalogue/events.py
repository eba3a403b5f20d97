"""Events: taken, under way, settled; and how much is taken on at the most."""

from worker.telemetry.catalogue.metric import Kind, Metric, metric
from worker.telemetry.labels import ENDINGS, OUTCOMES, PARTITION, REASONS, STATES, TOPIC, WARNINGS

# An event may be retried for 900 s by default, and time behind a closed gate comes on top: up to a day.
AGE_BUCKETS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 14400, 86400)

CONSUMED = metric("consumed_total", Kind.COUNTER, "Input records taken from Kafka.", TOPIC, PARTITION)
SETTLED = metric(
    "settled_total",
    Kind.COUNTER,
    "Input records whose outcome is committed, by outcome and by the reason of what did not end well.",
    OUTCOMES,
    REASONS,
    pairs=ENDINGS,
    exemplars=True,
)
EVENT_AGE = metric(
    "event_age_seconds",
    Kind.HISTOGRAM,
    "Age of an event when its outcome was committed: seconds since the event's own time, else its record's.",
    OUTCOMES,
    buckets=AGE_BUCKETS,
    exemplars=True,
)
EVENTS = metric(
    "events",
    Kind.GAUGE,
    "Unfinished events by state: queued (not begun, or behind an earlier event of its identity), fetching "
    "(its documents), registering, attaching, starting, backoff (waiting to retry), gate (waiting for the gate, "
    "or for its turn to call), "
    "doubt (being reconciled), settling (waiting for its commit).",
    PARTITION,
    STATES,
)
IN_FLIGHT_EVENTS = metric(
    "in_flight_events", Kind.GAUGE, "Events taken and not settled, in all states but queued, of this process."
)
IN_FLIGHT_BYTES = metric("in_flight_bytes", Kind.GAUGE, "Bytes of the input records taken and not settled.")
IN_FLIGHT_EVENTS_LIMIT = metric(
    "in_flight_events_limit",
    Kind.GAUGE,
    "Most events under way in this process (WORKER_MAX_IN_FLIGHT). Those that wait for a retry or a gate step aside.",
)
IN_FLIGHT_BYTES_LIMIT = metric(
    "in_flight_bytes_limit",
    Kind.GAUGE,
    "Most bytes of input records under way (WORKER_MAX_IN_FLIGHT_BYTES); one that is larger goes alone.",
)
WINDOW = metric(
    "partition_window_records",
    Kind.GAUGE,
    "Most unsettled records that are read ahead for each partition (WORKER_PARTITION_WINDOW).",
)
OLDEST = metric(
    "oldest_unfinished_seconds",
    Kind.GAUGE,
    "Age of the oldest event taken and not settled, 0 where there is none.",
    PARTITION,
)
WARNED = metric(
    "warnings_total", Kind.COUNTER, "Odd things that did not end an event, by code.", WARNINGS, exemplars=True
)

METRICS: tuple[Metric, ...] = (
    CONSUMED,
    SETTLED,
    EVENT_AGE,
    EVENTS,
    IN_FLIGHT_EVENTS,
    IN_FLIGHT_BYTES,
    IN_FLIGHT_EVENTS_LIMIT,
    IN_FLIGHT_BYTES_LIMIT,
    WINDOW,
    OLDEST,
    WARNED,
)
