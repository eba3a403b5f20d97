"""The metric catalogue: every metric that the worker exports, as code.

The instruments (`worker.telemetry.metrics`), `docs/reference/metrics.md`, dashboards and alerts are all held to this
list. Base units, closed label sets, no ids: a label's values are listed here, but for `topic` and `partition`, whose
values are known once the configuration is read and partitions are assigned. A value that is not listed counts as
`other`, so that no mistake elsewhere can create series without bound. A new metric goes into the module of its
concern and that module's `METRICS`, and is named here.
"""

from worker.telemetry.catalogue import calls, doubts, events, kafka, process
from worker.telemetry.catalogue.calls import (
    BACKOFF_SECONDS,
    CALL_SECONDS,
    CALLS,
    CALLS_IN_FLIGHT,
    CALLS_IN_FLIGHT_LIMIT,
    FETCH_BYTES,
    FETCH_SECONDS,
    FETCHED,
    GATE,
    GATE_CHANGES,
    GATE_WHY,
    RETRIES,
    SPOOL_BYTES,
)
from worker.telemetry.catalogue.doubts import (
    DOUBLES,
    DOUBTS,
    DOUBTS_NOW,
    INVOICES_AT_RISK,
    LEDGER,
    MONEY_AT_RISK,
    OLDEST_DOUBT,
    OPEN_INTENTS,
    SWEEP,
    SWEEP_ROWS,
    SWEEP_SECONDS,
)
from worker.telemetry.catalogue.events import (
    CONSUMED,
    EVENT_AGE,
    EVENTS,
    IN_FLIGHT_BYTES,
    IN_FLIGHT_BYTES_LIMIT,
    IN_FLIGHT_EVENTS,
    IN_FLIGHT_EVENTS_LIMIT,
    OLDEST,
    SETTLED,
    WARNED,
    WINDOW,
)
from worker.telemetry.catalogue.kafka import (
    COMMIT_FAILURES,
    COMMIT_RECORDS,
    COMMIT_SECONDS,
    FETCH_AGE,
    LAG,
    LOST,
    MEMBER,
    OLDEST_FACT,
    OWNED,
    OWNERSHIP_CHANGES,
    REBALANCES,
    RESTORE_RECORDS,
    RESTORE_SECONDS,
    SERVED,
    TRIMS,
)
from worker.telemetry.catalogue.metric import PREFIX, Kind, Metric
from worker.telemetry.catalogue.process import (
    BUILD,
    OBSERVING,
)

CATALOGUE: tuple[Metric, ...] = (*events.METRICS, *calls.METRICS, *doubts.METRICS, *kafka.METRICS, *process.METRICS)

__all__ = [
    "BACKOFF_SECONDS",
    "BUILD",
    "CALLS",
    "CALLS_IN_FLIGHT",
    "CALLS_IN_FLIGHT_LIMIT",
    "CALL_SECONDS",
    "CATALOGUE",
    "COMMIT_FAILURES",
    "COMMIT_RECORDS",
    "COMMIT_SECONDS",
    "CONSUMED",
    "DOUBLES",
    "DOUBTS",
    "DOUBTS_NOW",
    "EVENTS",
    "EVENT_AGE",
    "FETCHED",
    "FETCH_AGE",
    "FETCH_BYTES",
    "FETCH_SECONDS",
    "GATE",
    "GATE_CHANGES",
    "GATE_WHY",
    "INVOICES_AT_RISK",
    "IN_FLIGHT_BYTES",
    "IN_FLIGHT_BYTES_LIMIT",
    "IN_FLIGHT_EVENTS",
    "IN_FLIGHT_EVENTS_LIMIT",
    "LAG",
    "LEDGER",
    "LOST",
    "MEMBER",
    "MONEY_AT_RISK",
    "OBSERVING",
    "OLDEST",
    "OLDEST_DOUBT",
    "OLDEST_FACT",
    "OPEN_INTENTS",
    "OWNED",
    "OWNERSHIP_CHANGES",
    "PREFIX",
    "REBALANCES",
    "RESTORE_RECORDS",
    "RESTORE_SECONDS",
    "RETRIES",
    "SERVED",
    "SETTLED",
    "SPOOL_BYTES",
    "SWEEP",
    "SWEEP_ROWS",
    "SWEEP_SECONDS",
    "TRIMS",
    "WARNED",
    "WINDOW",
    "Kind",
    "Metric",
]
