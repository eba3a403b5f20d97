"""A whole run: workers, Kafka, Kravia, and what goes wrong, from one seed; then the checker."""

import asyncio
import random
from collections import Counter

from tests.simulation.chaos import Chaos, Weather
from tests.simulation.checker import check, quiet
from tests.simulation.clerk import Clerk
from tests.simulation.clock import SimClock
from tests.simulation.documents import SimDocuments
from tests.simulation.kafka import Broker
from tests.simulation.kafka_group import Group, GroupTimes
from tests.simulation.kafka_log import Txn, TxnState
from tests.simulation.kravia import ApiTimes, SimKravia
from tests.simulation.kravia_server import KraviaServer, Rows, SearchHabit
from tests.simulation.loop import SimLoop
from tests.simulation.member import Member, Surroundings
from tests.simulation.person import Person
from tests.simulation.pod import Pod
from tests.simulation.process import Condition, Process
from tests.simulation.samples import CONTENTS, Sample, draw
from tests.simulation.trace import Trace
from tests.simulation.wire import Wire
from worker.doubt import DoubtPolicy
from worker.model import Partition, TopicNames
from worker.ownership import OwnershipConfig

TOPICS = TopicNames()
GROUP = "invoice-worker"
API = ApiTimes()
TIMES = GroupTimes()
CLOCK_ERROR = 1.0
DRAIN_TIMEOUT = 12.0
FAULTS_END = 90.0
"""Virtual seconds of bad weather at the most."""
PATIENCE = 400.0
"""Virtual seconds after which, in good weather, everything must be settled."""
LOOK = 3.0
"""Virtual seconds between two looks of a person at the outcomes."""
AFTERMATH = API.timeout + API.late + 5.0
"""Virtual seconds to wait for what is still on its way when all is settled."""


class World:
    """Everything that exists in a run."""

    def __init__(self, seed: int, *, trace: bool = False) -> None:
        rng = self.random = random.Random(seed)
        self.loop = SimLoop(rng)
        self.trace = Trace(trace, self.loop.time)
        self.chaos = Chaos(rng, Weather.draw(rng))
        self.chaos.strike = self._strike
        self.outside = self.loop.outside.context
        partitions = rng.choice((1, 2, 2))
        counts = dict.fromkeys((TOPICS.requests, TOPICS.replays, TOPICS.journal, TOPICS.ledger), partitions)
        outputs = {TOPICS.outcomes: rng.choice((1, partitions)), TOPICS.dead_letters: 1}
        self.broker = Broker(self.loop, rng, self.trace, counts | outputs)
        inputs = dict.fromkeys(TOPICS.inputs, partitions)
        self.group = Group(self.loop, self.outside, rng, self.broker.coordinator, GROUP, inputs, TIMES, self.trace)
        habit = SearchHabit(
            lag=rng.choice((0.0, 3.0, 6.0)),
            disorder=rng.choice((0.0, 2.0)),
            rows=rng.choice((Rows.FULL, Rows.FULL, Rows.PARTIAL, Rows.BARE)),
            details_tell=rng.random() < 0.8,
            zone=rng.choice((0.0, 3600.0, 7200.0)),
        )
        self.kravia = KraviaServer(habit)
        # Of their own: whether a person decides and what clocks do shifts no other draw of the seed.
        self.clocks = random.Random(f"clocks {seed}")
        self.stores = random.Random(f"stores {seed}")
        self.person = Person(
            random.Random(f"person {seed}"),
            self.chaos.weather,
            self.broker,
            self.kravia,
            TOPICS,
            self.loop.call_later,
            self.trace,
            late=API.late,
        )
        self.clerk = Clerk(
            random.Random(f"clerk {seed}"),
            self.chaos.weather,
            self.broker,
            TOPICS,
            self.loop.call_later,
            self.trace,
        )
        self.counts: Counter[str] = Counter()
        owning = OwnershipConfig(
            TOPICS,
            GROUP,
            partitions,
            intent_validity=3.0,
            settle_interval=0.05,
            commit_timeout=4.0,
            transaction_timeout=20.0,
            takeover_timeout=15.0,
        )
        self.around = Surroundings(
            self.broker,
            self.group,
            Wire(self.loop, self.outside, self.chaos, self.trace),
            self.chaos,
            rng,
            owning,
            outputs[TOPICS.outcomes],
            outputs[TOPICS.dead_letters],
            doubts=DoubtPolicy(
                intent_validity=3.0,
                register_timeout=API.timeout,
                late_processing=API.late,
                search_delay=6.0,
                clock_error=CLOCK_ERROR,
                disorder=2.0,
                witness_timeout=60.0,
                sweep_interval=2.0,
                quarantine=rng.random() < 0.2,
            ),
            window=rng.choice((3, 100)),
            drain_timeout=DRAIN_TIMEOUT,
            counts=self.counts,
            trace=self.trace,
        )
        self.pods = [Pod(f"pod-{index}") for index in range(rng.choice((1, 2, 2, 3)))]
        self.faults_end = rng.uniform(20.0, FAULTS_END)
        self.samples = draw(rng, TOPICS, partitions, until=self.faults_end / 2)
        self.written = 0
        self.violations: list[str] = []

    # A run

    async def run(self) -> None:
        """From the first record to the last check."""
        self.trace.add(f"world: {self.chaos.weather}; {len(self.pods)} pods, {len(self.samples)} records")
        later = self.loop.call_later
        for sample in self.samples:
            later(sample.at, self._write, sample)
        for pod in self.pods:
            later(self.random.choice((0.0, 0.0, 10.0)) * self.random.random(), self._start, pod)
        for _ in range(self.chaos.weather.evictions):
            later(self.faults_end * self.random.random(), self._evict)
        for _ in range(self.chaos.weather.stops):
            later(self.faults_end * self.random.random(), self._stop)
        later(LOOK, self._look)
        await asyncio.sleep(self.faults_end)
        self._end_faults()
        deadline = self.loop.time() + PATIENCE
        while self.written < len(self.samples) or not quiet(self.broker, TOPICS, GROUP) or self._person_acts():
            if self.loop.time() > deadline:
                self.violations.append(f"stuck: not everything is settled {PATIENCE:.0f} s after the last fault")
                break
            await asyncio.sleep(1.0)
        await asyncio.sleep(AFTERMATH)
        self.violations += check(self.broker, self.kravia, TOPICS)
        self.violations += self.group.stale
        self.violations += [f"unexpected: {text}" for text in self.loop.unexpected]
        for pod in self.pods:
            if pod.member is not None:
                self.violations += [f"broken: {text}" for text in pod.member.partitions.broken]

    def _look(self) -> None:
        self.person.look()
        self.clerk.look()
        self.loop.call_later(LOOK, self._look)

    def _person_acts(self) -> bool:
        self.person.look()
        self.clerk.look()
        return self.person.busy > 0 or self.clerk.busy > 0

    def _write(self, sample: Sample) -> None:
        self.written += 1
        record = sample.record
        if not sample.aborted:
            self.broker.append(record)
            return
        log, now = self.broker.logs[Partition(record.topic, record.partition)], self.broker.coordinator.now_ms()
        txn = Txn(0)
        log.append([record], txn, now)
        txn.state = TxnState.ABORTED
        log.mark(f"upstream-{self.written}", 0, txn, now)

    def _end_faults(self) -> None:
        self.trace.add("world: from here on everything works")
        self.chaos.end()
        for pod in self.pods:
            if pod.process is not None and pod.process.condition is Condition.FROZEN:
                self._thaw(pod.process, pod.process.stops)

    # Processes

    def _start(self, pod: Pod) -> None:
        pod.incarnations += 1
        process = pod.process = self.loop.process(f"{pod.name}.{pod.incarnations}")
        process.on_strike = lambda struck: self.chaos.hit(struck, f"callback {struck.steps}")
        if self.random.random() < 0.5:
            process.strike_at = int(10 ** self.random.uniform(0.5, 3.5))
        error = CLOCK_ERROR * (self.random.random() - 0.5)
        self.trace.add(f"world: {process.name} starts")
        pod.clock = SimClock(self.loop, error)
        process.context.run(self._build, pod, process, pod.clock)

    def _build(self, pod: Pod, process: Process, clock: SimClock) -> None:
        api = SimKravia(self.kravia, self.loop, self.outside, self.chaos, API, self.trace)
        documents = SimDocuments(CONTENTS, self.stores, self.chaos, self.trace)
        pod.member = Member(self.around, process, clock, api, documents)
        main = self.loop.create_task(pod.member.run(), name=f"main {process.name}")
        main.add_done_callback(lambda done: self._left(pod, process), context=self.outside)

    def _left(self, pod: Pod, process: Process) -> None:
        """An orderly stop has ended: the pod is restarted."""
        self.trace.add(f"world: {process.name} has stopped")
        self.loop.crash(process)
        self.group.silent(process)
        self._restart(pod)

    def _restart(self, pod: Pod) -> None:
        self.loop.call_later(0.2 + self.chaos.span(), self._start, pod, context=self.outside)

    def _strike(self, process: Process, where: str, crash: bool) -> None:
        if process.condition is not Condition.RUNNING:
            return
        if crash:
            self.trace.add(f"world: {process.name} CRASHES at {where}")
            self.counts["crash"] += 1
            self.loop.crash(process)
            self._restart(self._pod(process))
        else:
            span, pod = self.chaos.span(), self._pod(process)
            pod.freeze(self.loop.time(), self.clocks.random(), self.chaos.weather)
            self.trace.add(f"world: {process.name} FREEZES for {span:.1f} s {pod.clocks} at {where}")
            self.counts["freeze"] += 1
            self.loop.freeze(process)
            self.loop.call_later(span, self._thaw, process, process.stops, context=self.outside)
        self.group.silent(process)

    def _thaw(self, process: Process, stops: int) -> None:
        if process.condition is Condition.FROZEN and process.stops == stops:
            self.trace.add(f"world: {process.name} goes on")
            self._pod(process).thaw(self.loop.time())
            self.loop.thaw(process)

    def _pod(self, process: Process) -> Pod:
        return next(pod for pod in self.pods if pod.process is process)

    def _evict(self) -> None:
        process = self.random.choice(self.pods).process
        if process is not None:
            self.group.evict(process)

    def _stop(self) -> None:
        pod = self.random.choice(self.pods)
        if pod.process is not None and pod.member is not None and pod.process.condition is Condition.RUNNING:
            self.trace.add(f"world: {pod.process.name} is told to stop")
            pod.process.context.run(pod.member.stop)
