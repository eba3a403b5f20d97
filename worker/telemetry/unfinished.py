"""Gauges of what is unfinished in each owned partition, asked for at each scrape: they can't drift from the truth."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from worker.at_risk import Exposure, Risk
from worker.standing import State as LedgerState
from worker.telemetry import catalogue as c
from worker.telemetry.instruments import family
from worker.telemetry.labels import CURRENCY, State


@dataclass(frozen=True, slots=True)
class PartitionGauges:
    """What is unfinished in one partition now.

    `oldest_unfinished_seconds` is 0 where nothing is; `open_intents` counts register calls announced in the journal
    whose answer is not known; `size` is in bytes and counts every unfinished event's input record.
    """

    partition: int
    events: Mapping[State, int] = field(default_factory=dict)
    oldest_unfinished_seconds: float = 0.0
    open_intents: int = 0
    size: int = 0
    doubts: int = 0
    oldest_doubt_seconds: float = 0.0
    ledger: Mapping[LedgerState, int] = field(default_factory=dict)
    possible_doubles: int = 0
    exposure: Exposure = field(default_factory=Exposure)


GaugeSource = Callable[[], Iterable[PartitionGauges]]


class UnfinishedCollector(Collector):
    """Gauges that are read from their source at each scrape."""

    def __init__(self) -> None:
        self.source: GaugeSource = tuple

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now = list(self.source())
        events, oldest, intents = (family(metric) for metric in (c.EVENTS, c.OLDEST, c.OPEN_INTENTS))
        for one in now:
            partition = str(one.partition)
            for state in State:
                events.add_metric([partition, state], one.events.get(state, 0))
            oldest.add_metric([partition], one.oldest_unfinished_seconds)
            intents.add_metric([partition], one.open_intents)
        yield from (events, oldest, intents)
        yield from _doubts(now)
        yield from _at_risk(now)
        yield family(c.OWNED, {(): len(now)})
        under_way = sum(count for one in now for state, count in one.events.items() if state is not State.QUEUED)
        yield family(c.IN_FLIGHT_EVENTS, {(): under_way})
        yield family(c.IN_FLIGHT_BYTES, {(): sum(one.size for one in now)})


def _doubts(now: Sequence[PartitionGauges]) -> Iterator[GaugeMetricFamily]:
    doubts, oldest, ledger = (family(metric) for metric in (c.DOUBTS_NOW, c.OLDEST_DOUBT, c.LEDGER))
    for one in now:
        doubts.add_metric([str(one.partition), "reconciling"], one.doubts)
        doubts.add_metric([str(one.partition), "given_up"], one.ledger.get(LedgerState.IN_DOUBT, 0))
        oldest.add_metric([str(one.partition)], one.oldest_doubt_seconds)
    for state in LedgerState:
        ledger.add_metric([state], sum(one.ledger.get(state, 0) for one in now))
    yield from (doubts, oldest, ledger)
    yield family(c.DOUBLES, {(): sum(one.possible_doubles for one in now)})


def _at_risk(now: Sequence[PartitionGauges]) -> Iterator[GaugeMetricFamily]:
    total = Exposure()
    for one in now:
        total.merge(one.exposure)
    money, invoices = family(c.MONEY_AT_RISK), family(c.INVOICES_AT_RISK)
    for risk in Risk:
        for currency in CURRENCY.values:
            # A float only here: the sum itself is exact.
            money.add_metric([risk, currency], float(total.sums.get((risk, currency), 0)))
            invoices.add_metric([risk, currency], total.counts.get((risk, currency), 0))
    yield from (money, invoices)
