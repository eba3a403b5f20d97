"""Alerts about money: doubts, possible double bills, and the journal that both are known from."""

from datetime import timedelta
from typing import Final

from helm.monitoring.alert import CRITICAL, WARNING, Alert, Group, Pace
from helm.monitoring.promql import WORKERS, increase, largest, series, summed
from worker.telemetry import catalogue as c


def money(pace: Pace) -> list[Group]:
    """The rule groups of `money.yaml`."""
    return [
        Group("invoice-worker-doubt", (_double(), _old_doubt(pace), _given_up(), _sweeps(pace))),
        Group(MONEY_GROUP, (_waiting(pace),)),
        Group("invoice-worker-journal", (_oldest_fact(pace), _trim(pace))),
    ]


def _double() -> Alert:
    return Alert(
        "InvoiceWorkerPossibleDoubleRegister",
        f"{summed(series(c.DOUBLES), *WORKERS)} > 0",
        CRITICAL,
        "{{ $value }} invoices may be billed twice",
        "The ledger holds identities with more than one register call that may have been carried out. The worker never "
        "makes the second one: journal or ledger were changed, or it has a fault.",
        "possible-double-register",
    )


def _old_doubt(pace: Pace) -> Alert:
    return Alert(
        "InvoiceWorkerDoubtOld",
        f"{largest(series(c.OLDEST_DOUBT), *WORKERS, 'partition')} > @threshold@",
        WARNING,
        "A doubt in partition {{ $labels.partition }} has been open for {{ $value | humanizeDuration }}",
        "With the default waits a doubt is resolved, or left to a person, within 40 minutes of open gate.",
        "doubt-old",
        lasting=timedelta(minutes=5),
        threshold=pace.seconds(timedelta(minutes=45)),
    )


def _given_up() -> Alert:
    return Alert(
        "InvoiceWorkerDoubtLeftToPerson",
        f"{summed(series(c.DOUBTS_NOW, state='given_up'), *WORKERS)} > 0",
        WARNING,
        "{{ $value }} invoices wait for a person's verdict",
        "It is not known whether they were registered, and the worker will not find out. Until somebody decides, they "
        "are not sent again.",
        "doubt-left-to-person",
        lasting=timedelta(minutes=15),
    )


def _sweeps(pace: Pace) -> Alert:
    window = pace.span(timedelta(minutes=30))
    bad = summed(increase(series(c.SWEEP, result="!complete"), window), *WORKERS)
    good = summed(increase(series(c.SWEEP, result="complete"), window), *WORKERS)
    return Alert(
        "InvoiceWorkerSweepsFailing",
        f"{bad} > 0\nunless {good} > 0",
        WARNING,
        "No sweep of Kravia's search succeeds",
        "Doubts are open and nothing is found out about them: after the witness time-out all are left to a person.",
        "sweeps-failing",
        lasting=timedelta(minutes=10),
    )


MONEY_GROUP: Final = "invoice-worker-money"


def _waiting(pace: Pace) -> Alert:
    # Counted, since amounts of several currencies have no bound in common. A take-over, while which a ledger is read
    # and counts nothing, must not begin the day anew: so the most of a quarter of an hour.
    at_risk = summed(series(c.INVOICES_AT_RISK, state="~dead|in_doubt"), *WORKERS, "state")
    window = f"{pace.span(timedelta(minutes=15))}:{pace.span(timedelta(minutes=1))}"
    return Alert(
        "InvoiceWorkerMoneyWaits",
        f"max_over_time({at_risk}[{window}]) > @threshold@",
        WARNING,
        "{{ $value }} invoices wait for a person: {{ $labels.state }}",
        "For a whole day there were invoices that are not billed, or may not be, until somebody acts: dead (in the "
        "dead letters) or in_doubt (registered or not). invoice_worker_money_at_risk has the amounts.",
        "money-waits",
        lasting=timedelta(days=1),
        threshold=0,
    )


def money_limit() -> Alert:
    """The alert for limits of money, which are the site's: without any there is none. `@limits@` is a vector by
    currency."""
    at_risk = summed(series(c.MONEY_AT_RISK, state="~dead|in_doubt"), *WORKERS, "currency")
    return Alert(
        "InvoiceWorkerMoneyAtRisk",
        f"{at_risk}\n> on (currency) group_left () (@limits@)",
        WARNING,
        "{{ $value | humanize }} {{ $labels.currency }} are at risk",
        "Invoices of so much money are not billed, or may not be, until somebody acts: they are in the dead letters or "
        "in doubt. The limit is the site's (alerts.moneyLimits).",
        "money-waits",
        lasting=timedelta(minutes=15),
    )


def _oldest_fact(pace: Pace) -> Alert:
    return Alert(
        "InvoiceWorkerOldestFact",
        f"{largest(series(c.OLDEST_FACT), *WORKERS, 'partition')} > @threshold@",
        WARNING,
        "Partition {{ $labels.partition }} holds a fact {{ $value | humanizeDuration }} old of an event that is not "
        "settled",
        "The journal can't be trimmed past it, and each take-over reads all of it. Were it to reach the journal's "
        "retention, what was done for that invoice would be forgotten.",
        "oldest-fact",
        lasting=timedelta(minutes=5),
        threshold=pace.seconds(timedelta(minutes=60)),
    )


def _trim(pace: Pace) -> Alert:
    window = pace.span(timedelta(minutes=30))
    failed = summed(increase(series(c.TRIMS, result="failed"), window), *WORKERS)
    good = summed(increase(series(c.TRIMS, result="ok"), window), *WORKERS)
    return Alert(
        "InvoiceWorkerTrimFailing",
        f"{failed} > 0\nunless {good} > 0",
        WARNING,
        "The journal is not trimmed",
        "Every DeleteRecords call of 30 minutes failed. The journal grows, and so does the time of a take-over.",
        "trim-failing",
        lasting=timedelta(minutes=15),
    )
