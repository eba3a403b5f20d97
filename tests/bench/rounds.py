"""Alternating rounds of the limit and the worker. Only pairs say anything: a machine's speed drifts within seconds."""

import statistics
import time
from dataclasses import dataclass

from tests.bench.contenders import Kravia, Limit, Worker
from tests.bench.cpu import cpu_seconds
from tests.bench.kafka import Ends
from tests.bench.load import messages


@dataclass(frozen=True, slots=True)
class Round:
    """One side's round."""

    events: int
    seconds: float
    cpu_seconds: float
    """Of the process that makes the calls."""

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU per event."""
        return self.cpu_seconds / self.events * 1000


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of several values, and how far they lie apart."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Pairs:
    """All rounds at one latency (seconds per call), the limit's and the worker's in turn."""

    latency: float
    limit: list[Round]
    worker: list[Round]

    @property
    def rate_ratio(self) -> Spread:
        """Worker / limit, events per second: 1 would be a worker that costs nothing."""
        return Spread.of([ours.rate / bare.rate for bare, ours in zip(self.limit, self.worker, strict=True)])

    @property
    def cpu_ratio(self) -> Spread:
        """Limit / worker, CPU per event: 1 would be a worker that costs nothing."""
        return Spread.of([bare.cpu_ms / ours.cpu_ms for bare, ours in zip(self.limit, self.worker, strict=True)])


@dataclass(frozen=True, slots=True)
class Bench:
    """Both sides, running, and what they run against."""

    kravia: Kravia
    limit: Limit
    worker: Worker
    ends: Ends
    partitions: int
    concurrency: int

    async def pairs(self, latency: float, rounds: int, seconds: float) -> Pairs:
        """`rounds` pairs of about `seconds` each, as many events in every round, behind a warm-up of both sides."""
        tag = f"r{time.time_ns():x}"
        # At the latency the concurrency bounds the rate; without one the warm-up tells what the machine can do.
        warm = await self._limit(f"{tag}-wl", 4 * self.concurrency, latency)
        count = max(self.concurrency, int(warm.rate * seconds))
        await self._worker(f"{tag}-ww", 4 * self.concurrency, latency)
        bare, ours = [], []
        for number in range(rounds):
            bare.append(await self._limit(f"{tag}-l{number}", count, latency))
            ours.append(await self._worker(f"{tag}-w{number}", count, latency))
        return Pairs(latency, bare, ours)

    async def _limit(self, tag: str, count: int, latency: float) -> Round:
        await self.kravia.begin(latency)
        await self.limit.prepare(tag, count)
        before = cpu_seconds(self.limit.pid)
        seconds = await self.limit.go()
        used = cpu_seconds(self.limit.pid) - before
        await self.kravia.check(count)
        return Round(count, seconds, used)

    async def _worker(self, tag: str, count: int, latency: float) -> Round:
        await self.kravia.begin(latency)
        batches = self.ends.batches(messages(tag, count, self.partitions))
        before, began = cpu_seconds(self.worker.server.pid), time.monotonic()
        await self.ends.send(batches)
        await self.ends.outcomes(count)
        seconds, used = time.monotonic() - began, cpu_seconds(self.worker.server.pid) - before
        await self.kravia.check(count)
        return Round(count, seconds, used)
