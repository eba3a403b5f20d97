"""Gauges of the intake, asked for at each scrape: membership, lag, which partitions are served, and the limits."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from worker.model import Partition
from worker.telemetry import catalogue as c
from worker.telemetry.instruments import family


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may take on at the most: events, bytes of records, and records for each partition."""

    events: int = 0
    size: int = 0
    window: int = 0
    observing: bool = False


@dataclass(frozen=True, slots=True)
class IntakeGauges:
    """How the intake stands now.

    `served`: each assigned partition, and whether its records flow; `lost`: how many are lost, by why; `lags`: offsets
    behind the end, by input partition; `facts`: age in seconds of the oldest unsettled fact, by owned partition;
    `calls`: how many have a place, of `calls_limit`.
    """

    member: bool = False
    fetch_age_seconds: float = 0.0
    served: Mapping[int, bool] = field(default_factory=dict)
    lost: Mapping[str, int] = field(default_factory=dict)
    lags: Mapping[Partition, int] = field(default_factory=dict)
    facts: Mapping[int, float] = field(default_factory=dict)
    calls: int = 0
    calls_limit: int = 0


IntakeSource = Callable[[], IntakeGauges]


class IntakeCollector(Collector):
    """Reads its source at each scrape."""

    def __init__(self) -> None:
        self.source: IntakeSource = IntakeGauges
        self.limits = Limits()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now, limits = self.source(), self.limits
        yield family(c.MEMBER, {(): now.member})
        yield family(c.FETCH_AGE, {(): now.fetch_age_seconds})
        yield family(c.SERVED, {(str(partition),): served for partition, served in now.served.items()})
        yield family(c.LOST, {(why,): now.lost.get(why, 0) for why in c.LOST.labels[0].values})
        yield family(c.LAG, {(partition.topic, str(partition.number)): lag for partition, lag in now.lags.items()})
        yield family(c.OLDEST_FACT, {(str(partition),): age for partition, age in now.facts.items()})
        yield family(c.CALLS_IN_FLIGHT, {(): now.calls})
        yield family(c.CALLS_IN_FLIGHT_LIMIT, {(): now.calls_limit})
        yield family(c.IN_FLIGHT_EVENTS_LIMIT, {(): limits.events})
        yield family(c.IN_FLIGHT_BYTES_LIMIT, {(): limits.size})
        yield family(c.WINDOW, {(): limits.window})
        yield family(c.OBSERVING, {(): limits.observing})
