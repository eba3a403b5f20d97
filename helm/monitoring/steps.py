"""The second dashboard: where events are, and how each call to Kravia fares."""

from helm.monitoring.board import Dashboard, Row
from helm.monitoring.overview import STEPS_UID
from helm.monitoring.panel import SCOPE, WINDOW, Panel, Query, Unit
from helm.monitoring.promql import rate, series, summed
from helm.monitoring.shown import highest, quantiles, share, speed, total
from worker.telemetry import catalogue as c


def _where() -> Row:
    return Row(
        "Where events are",
        [
            Panel(
                "Events by state",
                "Unfinished events. `queued` are read ahead, `gate` wait for a closed gate, `doubt` are reconciled.",
                Unit.NUMBER,
                [total(c.EVENTS, "state")],
                stacked=True,
            ),
            Panel(
                "Register calls without a known answer",
                "What a kill now would leave in doubt.",
                Unit.NUMBER,
                [total(c.OPEN_INTENTS, "partition")],
                stacked=True,
            ),
            Panel(
                "Bytes in flight",
                "Bytes of the records under way, and the limit of all processes together.",
                Unit.BYTES,
                [
                    Query(total(c.IN_FLIGHT_BYTES).expression, "under way"),
                    Query(total(c.IN_FLIGHT_BYTES_LIMIT).expression, "limit"),
                ],
            ),
        ],
    )


def _calls() -> Row:
    wrong = summed(rate(series(c.CALLS, scope=SCOPE, status_class="!2xx"), WINDOW), "step")
    every = summed(rate(series(c.CALLS, scope=SCOPE), WINDOW))
    return Row(
        "Calls to Kravia",
        [
            Panel(
                "Calls by step and answer",
                "not_sent: no byte of it left. timeout, lost: it may have been carried out.",
                Unit.PER_SECOND,
                [speed(c.CALLS, "step", "status_class")],
            ),
            Panel(
                "Duration of calls", "By step, whatever the answer.", Unit.SECONDS, quantiles(c.CALL_SECONDS, "step")
            ),
            Panel(
                "Share of calls not answered with 2xx",
                "By step, of all calls.",
                Unit.SHARE,
                [Query(share(wrong, every), "{{step}}")],
            ),
            Panel(
                "Calls at a time",
                "Of all processes. The limit falls when Kravia answers 429 or 503, slowly or not in time, and rises "
                "again by one for each round of answers that are well.",
                Unit.NUMBER,
                [
                    Query(total(c.CALLS_IN_FLIGHT).expression, "calls"),
                    Query(total(c.CALLS_IN_FLIGHT_LIMIT).expression, "limit"),
                ],
            ),
            Panel(
                "Retries by step and cause",
                "Calls that will be made again after a wait.",
                Unit.PER_SECOND,
                [speed(c.RETRIES, "step", "why")],
            ),
            Panel(
                "Time in back-off",
                "Seconds of waits that begin, per second: about how many events wait at a time.",
                Unit.NUMBER,
                [speed(c.BACKOFF_SECONDS, "step")],
            ),
        ],
    )


def _gate() -> Row:
    return Row(
        "Gate",
        [
            Panel(
                "Processes by the gate's state",
                "half_open: one register at a time. closed: no calls but a probe.",
                Unit.NUMBER,
                [total(c.GATE, "state")],
                stacked=True,
                page="gate-closed",
            ),
            Panel(
                "Why gates are not open",
                "Processes by the reason of their gate's state; none: open.",
                Unit.NUMBER,
                [total(c.GATE_WHY, "why")],
                stacked=True,
                page="token-rejected",
            ),
            Panel(
                "Changes of the gate",
                "By the state it went to.",
                Unit.PER_SECOND,
                [speed(c.GATE_CHANGES, "state")],
            ),
        ],
    )


def _documents() -> Row:
    return Row(
        "Documents by reference",
        [
            Panel(
                "Fetches by result",
                "ok, why a document is refused, or why its store did not give it this time.",
                Unit.PER_SECOND,
                [speed(c.FETCHED, "result")],
                page="documents-unreachable",
            ),
            Panel(
                "Duration of fetches",
                "Without waits for space. Empty where no event refers to a document.",
                Unit.SECONDS,
                quantiles(c.FETCH_SECONDS),
            ),
            Panel("Bytes fetched", "From all stores.", Unit.BYTES_PER_SECOND, [speed(c.FETCH_BYTES)]),
            Panel(
                "Spool",
                "Disk space that events hold for their documents, by process; the limit is DOCUMENT_SPOOL_BYTES.",
                Unit.BYTES,
                [highest(c.SPOOL_BYTES, "instance")],
            ),
        ],
    )


def steps() -> Dashboard:
    """Where does the time go, and which call fails?"""
    return Dashboard(
        STEPS_UID,
        "Invoice worker: steps",
        "Where events are on their way through register, attach and start, and how Kravia and document stores answer.",
        [_where(), _calls(), _gate(), _documents()],
    )
