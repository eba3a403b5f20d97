"""The first dashboard: objectives, the golden signals, and what must be 0."""

from dataclasses import replace
from typing import Final

from helm.monitoring.board import Dashboard, Row
from helm.monitoring.panel import SCOPE, WINDOW, Panel, Query, Unit
from helm.monitoring.promql import increase, largest, rate, series, summed
from helm.monitoring.shown import highest, now, quantiles, share, speed, total
from worker.telemetry import catalogue as c

UID: Final = "invoice-worker"
STEPS_UID: Final = "invoice-worker-steps"
LETTERS_UID: Final = "invoice-worker-letters"
KAFKA_UID: Final = "invoice-worker-kafka"
ZERO: Final = (("green", None), ("red", 1.0))
DOUBLES: Final = Panel(
    "Possible double bills",
    "Invoices with more than one register call that may have been carried out. Must be 0.",
    Unit.NUMBER,
    [total(c.DOUBLES)],
    "stat",
    ZERO,
    page="possible-double-register",
)
"""The first thing to look at, so on two dashboards."""


def _failed(window: str) -> str:
    settled = summed(increase(series(c.SETTLED, scope=SCOPE), window))
    return share(summed(increase(series(c.SETTLED, scope=SCOPE, outcome="failed"), window)), settled)


def _late(window: str) -> str:
    all_ = summed(increase(series(c.EVENT_AGE, "count", scope=SCOPE), window))
    in_time = summed(increase(series(c.EVENT_AGE, "bucket", scope=SCOPE, le="$age_limit.0"), window))
    return share(f"({all_} - {in_time})", all_)


def _objective(title: str, goal: str, bad: str, what: str, page: str) -> tuple[Panel, Panel]:
    """How good it was, and what is left of the budget. `goal`: a constant of the dashboard."""
    share_panel = Panel(
        title,
        f"{what} Objective: at least ${goal}. Over the time range shown.",
        Unit.SHARE,
        [Query(f"1 - {bad}")],
        "stat",
        (("text", None),),
        width=4,
        height=5,
        page=page,
    )
    budget = Panel(
        f"Error budget left: {title.lower()}",
        "What is left of the error budget of the time range shown. Red: spent.",
        Unit.SHARE,
        [Query(f"clamp_min(1 - ({bad}) / (1 - ${goal}), 0)")],
        "stat",
        (("red", None), ("yellow", 0.1), ("green", 0.5)),
        width=4,
        height=5,
        page=page,
    )
    return share_panel, budget


def _objectives() -> Row:
    closed = Query(largest(now(c.GATE, state="closed")))
    return Row(
        "Objectives",
        [
            *_objective(
                "Did not fail", "goal_success", _failed("$__range"), "Share of records not failed.", "failed-burn"
            ),
            *_objective(
                "In time",
                "goal_age",
                _late("$__range"),
                "Share of events with their outcome within $age_limit s.",
                "age-burn",
            ),
            replace(DOUBLES, width=4, height=5, see=LETTERS_UID),
            Panel(
                "Gate closed",
                "1 while a process makes no calls because Kravia is sick or refuses us.",
                Unit.NUMBER,
                [closed],
                "stat",
                ZERO,
                width=4,
                height=5,
                see=STEPS_UID,
                page="gate-closed",
            ),
            Panel(
                "Error budget burn rate",
                "How many times faster than allowed the budget of 30 days is spent. 14.4 for an hour pages.",
                Unit.NUMBER,
                [
                    Query(f"({_failed('1h')}) / (1 - $goal_success)", "failed, 1 h"),
                    Query(f"({_failed('5m')}) / (1 - $goal_success)", "failed, 5 min"),
                    Query(f"({_late('1h')}) / (1 - $goal_age)", "late, 1 h"),
                    Query(f"({_late('5m')}) / (1 - $goal_age)", "late, 5 min"),
                ],
                width=24,
                height=6,
            ),
        ],
    )


def _signals() -> Row:
    by_reason = summed(rate(series(c.SETTLED, scope=SCOPE, outcome="failed"), WINDOW), "reason")
    whole = summed(rate(series(c.SETTLED, scope=SCOPE), WINDOW))
    return Row(
        "Golden signals",
        [
            Panel(
                "Event age",
                "From the event's own time to its committed outcome. What producers feel; alerts look at this.",
                Unit.SECONDS,
                quantiles(c.EVENT_AGE),
            ),
            Panel(
                "Throughput",
                "Records taken, and records settled by outcome.",
                Unit.PER_SECOND,
                [speed(c.SETTLED, "outcome"), Query(speed(c.CONSUMED).expression, "taken")],
            ),
            Panel(
                "Dead-letter ratio by reason",
                "Share of the settled records that ended as failed. Each is a dead letter for an operator.",
                Unit.SHARE,
                [Query(share(by_reason, whole), "{{reason}}")],
                see=LETTERS_UID,
                page="dead-letters",
            ),
            Panel(
                "Lag",
                "Unsettled offsets, as the latest fetch saw them. It stands still while windows are full: look at age.",
                Unit.NUMBER,
                [total(c.LAG, "topic")],
                see=KAFKA_UID,
            ),
            Panel(
                "In flight",
                "Events under way and the limit of all processes together. At the limit, Kravia is the bottleneck.",
                Unit.NUMBER,
                [
                    Query(total(c.IN_FLIGHT_EVENTS).expression, "under way"),
                    Query(total(c.IN_FLIGHT_EVENTS_LIMIT).expression, "limit"),
                ],
                see=STEPS_UID,
            ),
            Panel(
                "Oldest unfinished event",
                "By partition. A doubt holds it up for minutes.",
                Unit.SECONDS,
                [highest(c.OLDEST, "partition")],
                see=STEPS_UID,
                page="oldest-event",
            ),
            Panel(
                "Invoices that wait",
                "In doubt, dead or behind a closed gate; with the money on the dashboard of dead letters.",
                Unit.NUMBER,
                [total(c.INVOICES_AT_RISK, "state")],
                stacked=True,
                see=LETTERS_UID,
                page="money-waits",
            ),
        ],
    )


def overview() -> Dashboard:
    """Is it well?"""
    return Dashboard(
        UID,
        "Invoice worker: overview",
        "Whether invoices are billed in time and without failures. The other dashboards are in the menu at the top.",
        [_objectives(), _signals()],
    )
