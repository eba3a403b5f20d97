"""Doubts, possible double bills, the journal."""

from collections.abc import Iterator

from tests.ops.alerts.case import Case, sample

JOB = {"job": "worker"}
PARTITION = {**JOB, "partition": "3"}


def cases() -> Iterator[Case]:
    """Each alert of `money.yaml`, firing and silent."""
    double = "InvoiceWorkerPossibleDoubleRegister"
    yield Case(double, "one", dict([sample("possible_double_registers", "0x5 1x5")]), 6, (JOB,))
    yield Case(double, "none", dict([sample("possible_double_registers", "0x10")]), 10)

    old = "InvoiceWorkerDoubtOld"
    yield Case(old, "for an hour", dict([sample("oldest_doubt_seconds", "0+60x70", partition="3")]), 60, (PARTITION,))
    yield Case(old, "for forty minutes", dict([sample("oldest_doubt_seconds", "0+60x40 0x30", partition="3")]), 60)

    person = "InvoiceWorkerDoubtLeftToPerson"
    yield Case(person, "one", dict([sample("doubts", "0x5 1x40", partition="3", state="given_up")]), 30, (JOB,))
    yield Case(person, "reconciling", dict([sample("doubts", "0x5 1x40", partition="3", state="reconciling")]), 30)
    yield Case(person, "decided soon", dict([sample("doubts", "0x5 1x5 0x40", partition="3", state="given_up")]), 30)

    sweeps = "InvoiceWorkerSweepsFailing"
    failing = dict([sample("sweeps_total", "0+6x60", result="search_failed")])
    complete = dict([sample("sweeps_total", "0+1x60", result="complete")])
    yield Case(sweeps, "none completes", failing, 45, (JOB,))
    yield Case(sweeps, "some complete", failing | complete, 45)
    yield Case(sweeps, "no doubt", dict([sample("sweeps_total", "7x60", result="search_failed")]), 45)

    money = "InvoiceWorkerMoneyWaits"
    dead = dict([sample("invoices_at_risk", "0x6 2x290", state="dead", currency="NOK")])
    yield Case(money, "two days", dead, 1800, ({**JOB, "state": "dead"},), 10)
    # 20 hours, and 20 more after two without any.
    cleared = dict([sample("invoices_at_risk", "2x120 0x12 1x120", state="dead", currency="NOK")])
    yield Case(money, "cleared in between", cleared, 2500, step=10)
    behind = dict([sample("invoices_at_risk", "9x290", state="behind_gate", currency="NOK")])
    yield Case(money, "the gate's alert tells", behind, 1800, step=10)

    fact = "InvoiceWorkerOldestFact"
    yield Case(
        fact, "an hour", dict([sample("oldest_unsettled_fact_seconds", "0+60x90", partition="3")]), 70, (PARTITION,)
    )
    yield Case(fact, "settled", dict([sample("oldest_unsettled_fact_seconds", "0+60x50 0x40", partition="3")]), 70)

    trim = "InvoiceWorkerTrimFailing"
    failing = dict([sample("journal_trims_total", "0+2x60", result="failed")])
    yield Case(trim, "every time", failing, 50, (JOB,))
    yield Case(trim, "now and then", failing | dict([sample("journal_trims_total", "0+9x60", result="ok")]), 50)
