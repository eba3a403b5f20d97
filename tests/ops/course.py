"""What happens to the demo's worker while Prometheus watches: the troubles that alerts are for, one by one."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import TopicPartition

from helm.monitoring.alert import Pace
from schemas.identity import identity, partition_for
from tests.brokers.base import Broker
from tests.brokers.clients import Clients
from tests.brokers.waiting import equals, until
from tests.ops.prometheus import Prometheus
from worker.demo.kravia_process import FAULTS, KraviaProcess
from worker.demo.launch import python_path
from worker.demo.process import free_port
from worker.demo.producer import produce
from worker.demo.samples import Kind, Sample, samples
from worker.demo.scrape import parse
from worker.demo.simulator_faults import Fault
from worker.demo.worker_process import WorkerProcess, settings
from worker.kafka.security import Connection
from worker.kafka.topics import create_topics
from worker.model import TopicNames

PACE = Pace(60.0)
"""A minute of the shipped rules is a second here."""
_PARTITIONS = 4
_TOKEN = "demo-token"
_PATIENCE = 120.0
"""Seconds that a state is waited for."""
_ENDLESS = 4_000
"""Events: more than are ever sent before a trouble's alerts fired."""
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
"""Of the event whose document can't be fetched."""
_EXAMPLE = Path(__file__).parents[2] / "schemas" / "examples" / "invoice-requested.reference.json"


class Course:
    """`async with Course(directory, broker) as course: await course.run()`; then `prometheus` knows what was seen."""

    def __init__(self, directory: Path, broker: Broker) -> None:
        """`broker` runs, and is nobody else's: it is stopped and started."""
        self._broker = broker
        self._directory = directory
        self._topics = TopicNames()
        self._seed = 0
        self._stack = AsyncExitStack()
        self.metrics = ""
        """The worker's /metrics at the end, as text."""
        self.before_kafka_left: Mapping[str, Mapping[str, Any]] = {}
        """The alerts that had fired by then, as Prometheus.fired."""

    async def __aenter__(self) -> "Course":
        enter = self._stack.enter_async_context
        try:
            connection = Connection(self._broker.bootstrap, "ops", 30.0, {"security_protocol": "PLAINTEXT"})
            await create_topics(connection, self._topics, partitions=_PARTITIONS, replication=1)
            self._kravia = KraviaProcess(self._directory, _TOKEN, seed=1, latency=0.01)
            self._stack.push_async_callback(self._kravia.stop)
            await self._kravia.start()
            port = free_port()
            self._metrics_url = f"http://127.0.0.1:{port}/metrics"
            self._values = values = settings(self._broker.bootstrap, self._kravia.url, _TOKEN, self._topics, port) | {
                # Few attempts: an event that fails must not take a quarter of an hour to do so.
                "WORKER_RETRY_ATTEMPTS": "2",
                "WORKER_GATE_FAILURES": "50",
                "WORKER_GATE_PROBE_MAX": "1",
                # A pause of seconds, of whichever process, is no trouble that anybody should hear of.
                "KRAVIA_REGISTER_TIMEOUT": "5",
                "WORKER_INTENT_VALIDITY": "5",
                # Leaves what was not carried out to a person, as too little traffic does elsewhere.
                "WORKER_IN_DOUBT": "quarantine",
                "DOCUMENT_ALLOW_HOSTS": "documents.invalid",
            }
            self.worker = WorkerProcess(self._directory / "worker", values)
            self._stack.push_async_callback(self.worker.stop, 5.0)
            await self.worker.start()
            self._session = await enter(aiohttp.ClientSession())
            self.prometheus = await enter(Prometheus(self._directory / "prometheus", f"127.0.0.1:{port}", PACE))
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """All troubles, one after another; each goes on until its alerts fired."""
        await self._send(160, rate=20.0)
        await self._produce([_by_reference()], rate=0.0)
        await self._left_to_person()
        await self._killed()
        await self._failing()
        await self._token_rejected()
        self.before_kafka_left = dict(self.prometheus.fired)
        await self._kafka_away()
        await self._send(40, rate=20.0)
        self.metrics = await self._metrics()

    async def why(self, position: str) -> Any:
        """What `worker why` tells of a record, `topic/partition/offset`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker", "why", position, "--json"),
            env={"PATH": os.environ["PATH"]} | python_path(os.environ) | self._values,
            stdout=asyncio.subprocess.PIPE,
            cwd=self._directory,
        )
        told, _ = await process.communicate()
        [story] = json.loads(told)
        return story

    async def _left_to_person(self) -> None:
        await self._faults(Fault(kind="reset", step="register", times=2))
        await self._send(20, rate=20.0)
        await self.prometheus.fires("InvoiceWorkerDoubtLeftToPerson", "InvoiceWorkerDeadLetters")
        await self._faults(*FAULTS)

    async def _killed(self) -> None:
        await self._settled()
        self.worker.kill()
        await self.prometheus.fires("InvoiceWorkerAbsent")
        await self.worker.start()

    async def _failing(self) -> None:
        await self._faults(Fault(kind="status", step="start", status=500, probability=0.8))
        async with self._sending(rate=20.0):
            await self.prometheus.fires(*(f"InvoiceWorkerFailedBurn{name}" for name in ("Fast", "Medium", "Slow")))
        await self._faults(*FAULTS)

    async def _token_rejected(self) -> None:
        await self._settled()
        # No lost answer now: a doubt would grow old behind the closed gate, and by chance.
        await self._faults(Fault(kind="slow", step="start", delay=6.0))
        await self._control("token", {"token": "another"})
        await self._send(60, rate=20.0)
        await self.prometheus.fires("InvoiceWorkerTokenRejected", "InvoiceWorkerGateClosed", "InvoiceWorkerOldestEvent")
        await self._control("token", {"token": _TOKEN})
        # What waited is too late, and so is what comes now: 5 s are too long here.
        async with self._sending(rate=10.0):
            await self.prometheus.fires(*(f"InvoiceWorkerAgeBurn{name}" for name in ("Fast", "Medium", "Slow")))
        await self._faults(*FAULTS)

    async def _kafka_away(self) -> None:
        await self._settled()
        await self._broker.stop()
        await self.prometheus.fires("InvoiceWorkerKafkaUnreachable")
        await self._broker.start()
        # In each partition some event's last call is under way while the brokers go: it can't be settled then.
        await self._faults(Fault(kind="slow", step="start", delay=3.0))
        sending = asyncio.create_task(self._send(_ENDLESS, rate=20.0))
        await until(self._starting, lambda partitions: len(partitions) == _PARTITIONS, _PATIENCE)
        await self._broker.stop()
        sending.cancel()
        await self.prometheus.fires("InvoiceWorkerPartitionStuck", "InvoiceWorkerNothingOwned")
        await self._broker.start()
        await asyncio.gather(sending, return_exceptions=True)  # what the producer still held can be sent only now
        await self._faults(*FAULTS)
        # The embedded broker can hang a group that was cut off while it committed (docs/explanation/measurements.md).
        self.worker.kill()
        await self.worker.start()

    async def _settled(self) -> None:
        """Return once all that was sent is settled, and Prometheus has seen so."""
        inputs = [TopicPartition(self._topics.requests, number) for number in range(_PARTITIONS)]
        async with AsyncExitStack() as stack:
            group = self._values["KAFKA_GROUP_ID"]
            consumer = await Clients(self._broker.bootstrap, stack).consumer(group_id=group)
            consumer.assign(inputs)
            ends = await consumer.end_offsets(inputs)

            async def settled() -> Mapping[TopicPartition, int]:
                return {each: await consumer.committed(each) or 0 for each in inputs}

            await equals(settled, ends, _PATIENCE)
        await self.prometheus.scraped()

    async def _starting(self) -> set[str]:
        """The partitions in which an event's start call is under way."""
        gauges = parse(await self._metrics()).items()
        return {
            series.label("partition")
            for series, value in gauges
            if series.name == "events" and series.label("state") == "starting" and value
        }

    async def _metrics(self) -> str:
        async with self._session.get(self._metrics_url) as answer:
            return await answer.text()

    @asynccontextmanager
    async def _sending(self, rate: float) -> AsyncIterator[None]:
        """Events go on coming meanwhile."""
        sending = asyncio.create_task(self._send(_ENDLESS, rate))
        try:
            yield
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, count: int, rate: float) -> None:
        self._seed += 1
        await self._produce(samples(count, _PARTITIONS, self._seed, datetime.now(UTC), 1 / rate), rate)

    async def _produce(self, records: Sequence[Sample], rate: float) -> None:
        await produce(self._broker.bootstrap, self._topics.requests, records, rate, lambda *_: None)

    async def _faults(self, *faults: Fault) -> None:
        await self._control("faults", [fault.model_dump(mode="json") for fault in faults])

    async def _control(self, name: str, value: Any) -> None:
        async with self._session.post(f"{self._kravia.url}/_sim/{name}", json=value) as answer:
            assert answer.status == 200, await answer.text()


def _by_reference() -> Sample:
    """An event whose document lies in a store that is not there, in a trace that its producer records."""
    data = json.loads(_EXAMPLE.read_text(encoding="utf-8"))
    data["attachments"][0]["url"] = "https://documents.invalid/20004.pdf"
    key = identity(data["invoice"]["creditorId"], data["invoice"]["claimType"], data["invoice"]["invoiceNo"]).encode()
    headers = (("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode()),)
    return Sample(Kind.GOOD, key, json.dumps(data).encode(), headers, partition_for(key, _PARTITIONS))
