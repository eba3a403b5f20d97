"""The third dashboard: what did not end well, what is not known, and the money behind it."""

from helm.monitoring.board import Dashboard, Row
from helm.monitoring.overview import DOUBLES, LETTERS_UID
from helm.monitoring.panel import Panel, Unit
from helm.monitoring.shown import grown, highest, quantiles, speed, total
from worker.telemetry import catalogue as c


def _endings() -> Row:
    return Row(
        "Dead letters",
        [
            Panel(
                "Failed by reason",
                "Records within each interval; each waits for an operator: worker dead-letters.",
                Unit.NUMBER,
                [grown(c.SETTLED, "reason", outcome="failed")],
                stacked=True,
                page="dead-letters",
            ),
            Panel(
                "Rejected by reason",
                "Records within each interval; what their producers must correct.",
                Unit.NUMBER,
                [grown(c.SETTLED, "reason", outcome="rejected")],
                stacked=True,
                page="many-rejected",
            ),
            Panel(
                "Warnings by code",
                "Odd things that ended no event, rules of the contract that only warn among them.",
                Unit.PER_SECOND,
                [speed(c.WARNED, "code")],
            ),
        ],
    )


def _doubts() -> Row:
    return Row(
        "Doubts",
        [
            DOUBLES,
            Panel(
                "Doubts by state",
                "reconciling: looked for in Kravia's search. given_up: left to a person.",
                Unit.NUMBER,
                [total(c.DOUBTS_NOW, "state")],
                page="doubt-left-to-person",
            ),
            Panel(
                "Oldest doubt being reconciled",
                "By partition.",
                Unit.SECONDS,
                [highest(c.OLDEST_DOUBT, "partition")],
                page="doubt-old",
            ),
            Panel(
                "How doubts end",
                "adopted: found at Kravia. not_registered: registered again. The others are left to a person.",
                Unit.NUMBER,
                [grown(c.DOUBTS, "resolution")],
                stacked=True,
            ),
            Panel(
                "Sweeps by result",
                "Other than complete proves nothing.",
                Unit.PER_SECOND,
                [speed(c.SWEEP, "result")],
                page="sweeps-failing",
            ),
            Panel("Duration of sweeps", "All pages of one sweep.", Unit.SECONDS, quantiles(c.SWEEP_SECONDS)),
            Panel("Rows swept", "Rows that the sweeps read.", Unit.PER_SECOND, [speed(c.SWEEP_ROWS)]),
            Panel(
                "Ledger",
                "Invoices in the owned ledgers, by how they stand.",
                Unit.NUMBER,
                [total(c.LEDGER, "state")],
            ),
        ],
    )


def _money() -> Row:
    return Row(
        "Money",
        [
            Panel(
                "Money at risk",
                "Amounts that wait, in each currency's own units. in_doubt: billed or not. dead: in the dead letters. "
                "behind_gate: waits for Kravia. Sum no two currencies; of `other`, look at the count.",
                Unit.NUMBER,
                [total(c.MONEY_AT_RISK, "state", "currency")],
                width=12,
                page="money-waits",
            ),
            Panel(
                "Invoices at risk",
                "How many invoices those amounts are of; each counts once.",
                Unit.NUMBER,
                [total(c.INVOICES_AT_RISK, "state", "currency")],
                stacked=True,
                width=12,
                page="money-waits",
            ),
        ],
    )


def letters() -> Dashboard:
    """What needs a person?"""
    return Dashboard(
        LETTERS_UID,
        "Invoice worker: dead letters and money",
        "What did not end well and why, what is in doubt, and how much money waits.",
        [_endings(), _money(), _doubts()],
    )
