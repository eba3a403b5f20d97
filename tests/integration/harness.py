"""Everything around real workers in a test: topics, a simulated Kravia, a producer, and readers of what came of it.

`scene` (a fixture, tests/integration/conftest.py) holds it together:

    worker = scene.worker()
    await worker.run()
    [sent] = await scene.send(event(1))
    outcome = await scene.outcome(sent)
    assert outcome.ending == "scheduled"
    await scene.close_books([sent])        # stops the workers: one outcome each, nobody registered twice
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer

from tests.brokers.base import Broker
from tests.brokers.clients import Clients
from tests.brokers.waiting import equals, until
from tests.integration.events import Draft
from tests.integration.results import DeadLetter, Outcome, Results
from tests.integration.worker_process import WorkerProcess
from worker.demo.simulator import Simulator
from worker.demo.simulator_ledger import Invoice
from worker.model import Coordinates, TopicNames

SETTLE_TIMEOUT = 90.0
"""Seconds. Long: it is only waited for in vain, and a doubt's waits come on top of a busy machine's."""
SESSION_TIMEOUT = 6.0
"""Seconds. Of members that are evicted; a static one that starts again takes its own place at once."""
AFTER_THE_TAKE_OVERS = 5
"""Each of the 4 partitions' take-overs commits once, at whatever time; once the worker is ready, the next commit is
the first event's."""

SHORT_DOUBTS = {
    "WORKER_INTENT_VALIDITY": "5",
    "KRAVIA_REGISTER_TIMEOUT": "4",
    "KRAVIA_LATE_PROCESSING": "0.5",
    "KRAVIA_SEARCH_DELAY": "0.2",
    "KRAVIA_SEARCH_DISORDER": "0.1",
    "WORKER_CLOCK_ERROR": "0.1",
    "WORKER_SWEEP_INTERVAL": "0.2",
    "WORKER_WITNESS_TIMEOUT": "2",
}
"""A doubt's waits, minutes by default, as seconds: the simulated Kravia is known. For tests that leave doubts.

Validity and time-out are what a stalled process may take: what it runs into makes a doubt that no test meant.
"""


class Scene:
    """One test's world."""

    def __init__(
        self,
        broker: Broker,
        clients: Clients,
        topics: TopicNames,
        group: str,
        kravia: Simulator,
        directory: Path,
        partitions: int = 4,
    ) -> None:
        self.broker = broker
        self.topics = topics
        self.group = group
        self.kravia = kravia
        self.partitions = partitions
        self.results = Results(clients, topics, partitions)
        self.workers: list[WorkerProcess] = []
        self.clients = clients
        self._directory = directory
        self._producer: AIOKafkaProducer | None = None

    # Workers

    def worker(self, name: str = "worker-1", *, static: bool | None = None, **values: str) -> WorkerProcess:
        """A worker, not started yet; `values` are settings by variable.

        `static` membership: None means on the embedded broker only, which does not evict a dead member.
        """
        if static is None:
            static = self.broker.kind == "embedded"
        settings = self.settings(name) | ({"KAFKA_GROUP_INSTANCE_ID": name} if static else {}) | values
        worker = WorkerProcess(name, self._directory / f"{len(self.workers)}-{name}", settings)
        self.workers.append(worker)
        return worker

    def settings(self, name: str) -> dict[str, str]:
        """What a worker of this scene needs; short waits, and what is not here has its default."""
        topics = {f"TOPIC_{field.upper()}": topic for field, topic in self._topics_by_field().items()}
        return topics | {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap,
            "KAFKA_GROUP_ID": self.group,
            "KAFKA_CLIENT_ID": name,
            "KAFKA_SESSION_TIMEOUT": f"{SESSION_TIMEOUT:g}",
            "KAFKA_HEARTBEAT_INTERVAL": "1",
            "KRAVIA_BASE_URL": self.kravia.url,
            "KRAVIA_TOKEN": self.kravia.settings.token,
            "WORKER_HTTP_HOST": "127.0.0.1",
            "WORKER_HTTP_PORT": "0",
            "WORKER_LOG_FORMAT": "json",
            # Time for a process, a broker or Kravia (the test) that stands still: too late is a doubt, or an ownership.
            "WORKER_INTENT_VALIDITY": "15",
            "WORKER_COMMIT_TIMEOUT": "15",
            "WORKER_RETRY_BASE": "0.05",
            "WORKER_RETRY_CAP": "0.5",
            "WORKER_GATE_PROBE_INTERVAL": "0.1",
            "WORKER_GATE_PROBE_MAX": "0.5",
        }

    def _topics_by_field(self) -> dict[str, str]:
        names = ("requests", "replays", "journal", "ledger", "outcomes", "dead_letters")
        return {name: getattr(self.topics, name) for name in names}

    # Input

    async def producer(self) -> AIOKafkaProducer:
        """The upstream producer, started."""
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.broker.bootstrap, enable_idempotence=True, max_request_size=2**28
            )
            await producer.start()
            self._producer = producer
        return self._producer

    async def send(self, *drafts: Draft, topic: str | None = None) -> list[Coordinates]:
        """Write records, each to the partition that its identity leads to unless it names another."""
        producer = await self.producer()
        futures = [
            await producer.send(
                topic or self.topics.requests,
                value=draft.value,
                key=draft.key,
                partition=draft.partition_of(self.partitions),
                headers=list(draft.headers),
            )
            for draft in drafts
        ]
        return [Coordinates(sent.topic, sent.partition, sent.offset) for sent in await asyncio.gather(*futures)]

    # What came of it

    async def settled(self, sent: Iterable[Coordinates], timeout: float = SETTLE_TIMEOUT) -> dict[Coordinates, Outcome]:
        """Wait until each has an outcome that is committed; the first one of each."""
        wanted = set(sent)

        async def missing() -> set[Coordinates]:
            self._all_well()
            await self.results.read()
            return wanted - self.results.outcomes.keys()

        try:
            await until(missing, lambda left: not left, timeout)
        except AssertionError as error:
            logs = "\n".join(f"{worker.name}:\n{worker.log_end()}" for worker in self.workers)
            raise AssertionError(f"{error}\n{logs}") from None
        return {origin: self.results.outcomes[origin][0] for origin in wanted}

    async def read_outcomes(self) -> dict[Coordinates, list[Outcome]]:
        """What is committed now."""
        await self.results.read()
        return dict(self.results.outcomes)

    async def outcome(self, sent: Coordinates, timeout: float = SETTLE_TIMEOUT) -> Outcome:
        """Wait for one record's outcome."""
        return (await self.settled([sent], timeout))[sent]

    async def dead_letter(self, sent: Coordinates) -> DeadLetter:
        """The dead letter of a record that is settled. AssertionError unless there is exactly one."""

        async def letters() -> list[DeadLetter]:
            await self.results.read()
            return self.results.dead_letters.get(sent, [])

        [found] = await until(letters, bool)
        return found

    def registers(self, identity: str) -> int:
        """How often Kravia's own ledger has this invoice."""
        return len(self.kravia.ledger.by_identity.get(identity, []))

    def invoice(self, identity: str) -> Invoice:
        """The invoice in Kravia's ledger. AssertionError unless there is exactly one."""
        [found] = self.kravia.ledger.by_identity[identity]
        return found

    async def close_books(self, sent: Sequence[Coordinates]) -> dict[Coordinates, Outcome]:
        """Stop the workers and read everything: each record has exactly one outcome (and a dead letter exactly when it
        did not end well), nothing else has one, and nobody was registered twice. Returns the outcomes.
        """
        await self.settled(sent)
        await self.stop()
        await self.results.read()
        outcomes = {origin: len(found) for origin, found in self.results.outcomes.items()}
        assert outcomes == dict.fromkeys(sent, 1)
        ill = {origin: 1 for origin, [found] in self.results.outcomes.items() if found.ended_ill}

        async def letters() -> dict[Coordinates, int]:
            await self.results.read()
            return {origin: len(found) for origin, found in self.results.dead_letters.items()}

        # Each partition gets its commit marker by itself: a dead letter may show later than its outcome.
        await equals(letters, ill)
        assert self.kravia.ledger.registered_twice == []
        return {origin: found for origin, [found] in self.results.outcomes.items()}

    def tally(self, outcomes: Iterable[Outcome]) -> Counter[str]:
        """How many outcomes of each ending."""
        return Counter(outcome.ending for outcome in outcomes)

    def _all_well(self) -> None:
        """Who waits for an outcome wants to know at once that a worker refused to run."""
        for worker in self.workers:
            assert worker.status is None or worker.status <= 0, worker.log_end()

    async def stop(self) -> None:
        """End every worker that still runs, in good order."""
        running = [worker for worker in self.workers if worker.running]
        statuses = await asyncio.gather(*(worker.stop() for worker in running))
        assert all(status == 0 for status in statuses), [worker.log_end() for worker in running]

    async def close(self) -> None:
        """The end of the test, however it ended."""
        for worker in self.workers:
            worker.kill()
        if self._producer is not None:
            await self._producer.stop()
