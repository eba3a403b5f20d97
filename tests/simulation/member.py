"""One worker process in the simulation: what `worker/composition.py` builds, on the fakes."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass

from tests.simulation.chaos import Chaos
from tests.simulation.clock import SimClock
from tests.simulation.documents import SimDocuments
from tests.simulation.kafka import Broker, SimProducer
from tests.simulation.kafka_consumer import SimConsumer
from tests.simulation.kafka_group import Group
from tests.simulation.kafka_reader import SimAdmin, SimReader
from tests.simulation.kravia import SimKravia
from tests.simulation.process import Process
from tests.simulation.trace import Trace
from tests.simulation.wire import Wire
from worker.doubt import DoubtPolicy
from worker.flow import Budget, Creditors
from worker.gate import Gate, GatePolicy
from worker.lane import Lane, LaneConfig
from worker.model import Partition
from worker.ownership import Ownership, OwnershipConfig, take_over
from worker.ownership.config import Ports
from worker.ownership.trim import Trimmer
from worker.partitions import Partitions
from worker.pipeline import Pipeline
from worker.ports import Lost, Observer
from worker.receipts import Desk
from worker.reconcile import Reconciler
from worker.retry import RetryPolicy
from worker.sweep import SweepPolicy
from worker.tools import Tools

RETRIES = RetryPolicy(attempts=6, elapsed=120.0, base=0.2, cap=5.0, not_visible_elapsed=10.0)
GATE = GatePolicy(failures=5, probe_interval=0.5, probe_max=5.0)
SWEEPS = SweepPolicy(page=3, pages=20)
TRIM_INTERVAL = 2.0


class SimFaults:
    """`ports.Faults`: every named step is a moment for a strike."""

    def __init__(self, process: Process, chaos: Chaos) -> None:
        self._process = process
        self._chaos = chaos

    def hit(self, step: str) -> None:
        self._chaos.moment(self._process, step)


class SimObserver(Observer):
    """Counts what happened, over all processes: for statistics and the trace."""

    def __init__(self, name: str, counts: Counter[str], trace: Trace) -> None:
        self._name = name
        self._counts = counts
        self._trace = trace

    def settled(self, partition: int, outcome: str, reason: str, age_seconds: float) -> None:
        self._counts[f"{outcome} {reason}".strip()] += 1
        self._trace.add(f"{self._name}: partition {partition} settled {outcome} {reason}")

    def called(self, step: str, status_class: str, seconds: float) -> None:
        self._counts[f"call {step} {status_class}"] += 1

    def resolved(self, kind: str) -> None:
        self._counts[f"doubt {kind}"] += 1
        self._trace.add(f"{self._name}: doubt {kind}")

    def ownership(self, partition: int, what: str) -> None:
        self._counts[f"ownership {what}"] += 1
        self._trace.add(f"{self._name}: partition {partition} ownership {what}")

    def gate(self, state: str, why: str) -> None:
        self._trace.add(f"{self._name}: the gate is {state}: {why}")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every process of a run shares."""

    broker: Broker
    group: Group
    wire: Wire
    chaos: Chaos
    random: random.Random
    owning: OwnershipConfig
    outcome_partitions: int
    dead_letter_partitions: int
    doubts: DoubtPolicy
    window: int
    drain_timeout: float
    counts: Counter[str]
    trace: Trace


class Member:
    """One incarnation of a worker. Build and run it in its process's context."""

    def __init__(
        self, around: Surroundings, process: Process, clock: SimClock, api: SimKravia, documents: SimDocuments
    ) -> None:
        owning, topics = around.owning, around.owning.topics
        faults = SimFaults(process, around.chaos)
        observer = SimObserver(process.name, around.counts, around.trace)
        admin = SimAdmin(around.broker, around.wire)
        self.gate = Gate(GATE, lambda: api.search(clock.now(), skip=0, top=1), clock, observer)
        budget = Budget(8, 1_000_000)
        self._reconciler = Reconciler(api, self.gate, around.doubts, SWEEPS, clock, observer)
        tools = Tools(
            api,
            documents,
            self.gate,
            Creditors(self.gate, clock, share=around.window // 2),
            self._reconciler,
            budget,
            RETRIES,
            clock,
            faults,
            observer,
            jitter=around.random.random,
        )
        ports = Ports(
            lambda name: SimProducer(around.broker, around.wire, name, owning.transaction_timeout),
            SimReader(around.broker, around.wire, around.random),
            admin,
            clock,
            faults,
            observer,
        )
        desk = Desk(owning.group, "simulated", topics, around.outcome_partitions, around.dead_letter_partitions)
        lanes = LaneConfig(topics, desk, owning.partitions, around.window)
        pipeline = Pipeline(tools)
        self.consumer = SimConsumer(
            around.broker, around.group, around.wire, admin, process, around.random, around.trace
        )

        def take(number: int) -> Awaitable[Ownership | Lost]:
            around.group.takes_over(process, number)
            return take_over(owning, ports, number)

        def make_lane(own: Ownership) -> Lane:
            return Lane(lanes, own, pipeline, budget, clock, observer)

        self.partitions = Partitions(
            topics,
            self.consumer,
            take,
            make_lane,
            observer,
            drain_timeout=around.drain_timeout,
            jitter=around.random.random,
        )
        self.consumer.sink = self.partitions
        self.consumer.behind = self._behind
        self._trimmer = Trimmer(
            topics.journal,
            lambda: [lane.own for lane in self.partitions.lanes()],
            admin,
            faults,
            observer,
            TRIM_INTERVAL,
        )
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`, as `worker/app.py` does it."""
        loop = asyncio.get_running_loop()
        tasks = self.consumer.start()
        helpers = [
            loop.create_task(self.gate.run(), name="gate"),
            loop.create_task(self._reconciler.run(), name="reconcile"),
            loop.create_task(self._trimmer.run(), name="trim"),
        ]
        stopping = loop.create_task(self._stop.wait(), name="signal")
        await asyncio.wait([*tasks, *helpers, stopping], return_when=asyncio.FIRST_COMPLETED)
        await self.partitions.close()
        await self.consumer.stop()
        for task in (*helpers, stopping):
            task.cancel()
        await asyncio.gather(*helpers, stopping, return_exceptions=True)

    def _behind(self, partition: Partition, position: int) -> bool:
        return any(
            lane.own.partition == partition.number and lane.position(partition.topic) < position
            for lane in self.partitions.lanes()
        )

    def stop(self) -> None:
        """SIGTERM."""
        self._stop.set()
