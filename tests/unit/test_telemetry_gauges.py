"""Gauges that are asked for at each scrape: unfinished events, doubts, the ledger, money at risk."""

from decimal import Decimal

import pytest

from tests.unit.scraped import samples, value
from worker.at_risk import Exposure, Risk, stake
from worker.model import Step
from worker.standing import State as LedgerState
from worker.telemetry import catalogue as c
from worker.telemetry.labels import State
from worker.telemetry.metrics import PartitionGauges, PrometheusObserver


@pytest.mark.parametrize(
    ("waiting", "state"), [("register", State.REGISTERING), (Step.START, State.STARTING), ("gate", State.GATE)]
)
def test_a_step_is_a_state(waiting: str, state: State):
    assert State.of(waiting) is state


def test_gauges_are_read_at_each_scrape():
    observer = PrometheusObserver()
    now: list[PartitionGauges] = []
    observer.gauges(lambda: now)
    assert value(observer, "in_flight_events") == 0
    now.append(PartitionGauges(3, {State.QUEUED: 5, State.BACKOFF: 2}, 12.5, 1, 4096))
    assert value(observer, "events", partition="3", state="backoff") == 2
    assert value(observer, "events", partition="3", state="gate") == 0
    assert value(observer, "oldest_unfinished_seconds", partition="3") == 12.5
    assert value(observer, "open_intents", partition="3") == 1
    assert value(observer, "in_flight_events") == 2
    assert value(observer, "in_flight_bytes") == 4096
    assert value(observer, "owned_partitions") == 1
    now.clear()
    assert (c.PREFIX + "events", frozenset({("partition", "3"), ("state", "backoff")})) not in samples(observer)


def test_doubts_and_what_the_ledger_holds_are_gauges():
    observer = PrometheusObserver()
    assert value(observer, "possible_double_registers") == 0
    ledgers = [{LedgerState.IN_DOUBT: 3, LedgerState.SCHEDULED: 10}, {LedgerState.SCHEDULED: 5}]
    observer.gauges(
        lambda: [
            PartitionGauges(0, doubts=2, oldest_doubt_seconds=61.5, ledger=ledgers[0], possible_doubles=1),
            PartitionGauges(7, ledger=ledgers[1], possible_doubles=1),
        ]
    )
    assert value(observer, "doubts", partition="0", state="reconciling") == 2
    assert value(observer, "doubts", partition="0", state="given_up") == 3
    assert value(observer, "doubts", partition="7", state="given_up") == 0
    assert value(observer, "oldest_doubt_seconds", partition="0") == 61.5
    assert value(observer, "ledger_identities", state="scheduled") == 15
    assert value(observer, "ledger_identities", state="discarded") == 0
    assert value(observer, "possible_double_registers") == 2


def test_money_at_risk_is_summed_over_the_partitions():
    observer, first, second = PrometheusObserver(), Exposure(), Exposure()
    first.add(stake(Risk.IN_DOUBT, Decimal("2500.10"), "NOK"))
    second.add(stake(Risk.IN_DOUBT, Decimal("0.20"), "NOK"))
    second.add(stake(Risk.DEAD, Decimal(7), "JPY"))
    observer.gauges(lambda: [PartitionGauges(0, exposure=first), PartitionGauges(1, exposure=second)])
    assert value(observer, "money_at_risk", state="in_doubt", currency="NOK") == 2500.3
    assert value(observer, "invoices_at_risk", state="in_doubt", currency="NOK") == 2
    assert value(observer, "money_at_risk", state="dead", currency="other") == 7
    assert value(observer, "invoices_at_risk", state="behind_gate", currency="SEK") == 0
