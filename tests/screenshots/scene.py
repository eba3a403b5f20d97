"""The demo's pieces, brought into states that an operator may meet. Sample data only."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import aiohttp

from worker.demo.broker import EmbeddedBroker
from worker.demo.kravia_process import KraviaProcess
from worker.demo.process import ServerError, free_port
from worker.demo.producer import produce
from worker.demo.samples import Kind, Sample, samples
from worker.demo.simulator_faults import Fault
from worker.demo.worker_process import WorkerProcess, settings
from worker.kafka.security import Connection
from worker.kafka.topics import create_topics
from worker.model import TopicNames

_PARTITIONS = 6
_TOKEN = "demo-token"
_PAUSED = "10812"
_PATIENCE = 120.0
_USUAL = {
    # What a deployment has, where the demo is quicker.
    "KAFKA_GROUP_ID": "kravia-invoice-worker",
    "WORKER_INTENT_VALIDITY": "5",
    "KRAVIA_REGISTER_TIMEOUT": "30",
    "KRAVIA_LATE_PROCESSING": "300",
    "KRAVIA_SEARCH_DELAY": "120",
    "KRAVIA_SEARCH_DISORDER": "60",
    "WORKER_WITNESS_TIMEOUT": "1800",
    "WORKER_SWEEP_INTERVAL": "10",
    "WORKER_RETRY_BASE": "20",
    "WORKER_RETRY_CAP": "60",
    "WORKER_GATE_FAILURES": "100",
    "WORKER_GATE_PROBE_INTERVAL": "30",
}
_HASTY = {
    # Leaves to a person within seconds what else takes half an hour.
    "KAFKA_GROUP_ID": "kravia-invoice-worker",
    "WORKER_IN_DOUBT": "quarantine",
    "WORKER_RETRY_ATTEMPTS": "1",
    "WORKER_GATE_FAILURES": "100",
}

Report = Mapping[str, Any]
Reached = Callable[[Report], bool]


class Scene:
    """`async with Scene(directory) as scene:`, then `healthy`, `trouble`, `gate_closed`, in this order."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = AsyncExitStack()
        self._topics = TopicNames()
        self._worker: WorkerProcess | None = None
        self._port = free_port()
        self._seed = 0
        self._sending: asyncio.Task[None] | None = None
        self.url = f"http://127.0.0.1:{self._port}/status"

    async def __aenter__(self) -> Self:
        try:
            self._broker = EmbeddedBroker(self._directory / "broker")
            self._stack.callback(self._broker.kill)
            await self._broker.start()
            connection = Connection(self._broker.bootstrap, "screenshots", 30.0, {"security_protocol": "PLAINTEXT"})
            await create_topics(connection, self._topics, partitions=_PARTITIONS, replication=1)
            self._kravia = KraviaProcess(self._directory, _TOKEN, seed=1, latency=0.02)
            self._stack.push_async_callback(self._kravia.stop)
            await self._kravia.start()
            self._session = await self._stack.enter_async_context(aiohttp.ClientSession())
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._quiet()
        if self._worker is not None:
            await self._worker.stop(5.0)
        await self._stack.aclose()

    async def healthy(self) -> None:
        """Events come and are settled; the rates are known."""
        await self._faults()
        await self._start(_USUAL)
        self._send(2000, rate=25.0)
        await self._until(lambda report: all(_settles(partition) for partition in report["partitions"]))

    async def trouble(self) -> None:
        """Invoices left to a person, dead letters, doubts, retries, a paused creditor, a backlog; the gate is open."""
        await self._quiet()
        await self._start(_HASTY)
        lost, failing = [sample.key.decode() for sample in self._good(40)[:5]], 2
        await self._faults(
            *(Fault(kind="reset", step="register", identity=identity) for identity in lost[failing:]),
            *(Fault(kind="status", step="start", status=500, identity=identity) for identity in lost[:failing]),
        )
        self._send(40, rate=40.0)
        await self._until(lambda report: _left(report) == len(lost) - failing and not _under_way(report))
        await self._quiet()
        await self._start(_USUAL)
        await self._faults()
        self._send(20, rate=40.0)
        await self._until(lambda report: report["gate"]["state"] == "open" and not _under_way(report))
        coming = self._good(900)
        paused = [key for sample in coming if (key := sample.key.decode()).startswith(f"{_PAUSED}/")]
        await self._faults(
            *(Fault(kind="status", step="register", status=403, identity=identity) for identity in paused),
            Fault(kind="reset", step="register", times=2),
            Fault(kind="status", step="start", status=500, probability=0.2, times=12),
            Fault(kind="status", step="attach", status=503, probability=0.2, times=6),
            Fault(kind="slow", step="register", delay=5.0),
        )
        self._send(900, rate=60.0)
        await self._until(lambda report: sum(map(_behind, report["partitions"])) > 400 and _doubts(report) > 1)

    async def gate_closed(self) -> None:
        """Then the token is taken back."""
        await self._control("token", {"token": "another"})
        await self._until(lambda report: report["gate"]["state"] == "closed")
        await asyncio.sleep(10.0)  # so that its probe is answered, and ages are seen

    async def _start(self, values: Mapping[str, str]) -> None:
        if self._worker is not None:
            await self._worker.stop(20.0)
        base = settings(self._broker.bootstrap, self._kravia.url, _TOKEN, self._topics, self._port)
        self._worker = WorkerProcess(self._directory / "worker", {**base, **values})
        await self._worker.start()

    def _good(self, count: int) -> Sequence[Sample]:
        return [sample for sample in self._coming(count, 0.0) if sample.kind is Kind.GOOD]

    def _coming(self, count: int, interval: float) -> list[Sample]:
        return samples(count, _PARTITIONS, self._seed + 1, datetime.now(UTC), interval)

    def _send(self, count: int, rate: float) -> None:
        coming = self._coming(count, 1 / rate)
        self._seed += 1
        self._sending = asyncio.create_task(
            produce(self._broker.bootstrap, self._topics.requests, coming, rate, lambda *_: None)
        )

    async def _quiet(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._sending = None

    async def _until(self, reached: Reached) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while not reached(await self._report()):  # noqa: ASYNC110 - a process is asked, it does not tell
                    await asyncio.sleep(0.5)
        except TimeoutError:
            raise ServerError(f"not within {_PATIENCE:g} s; the worker says: {await self._report()}") from None

    async def _report(self) -> Report:
        async with self._session.get(self.url) as answer:
            report: Report = await answer.json()
            return report

    async def _faults(self, *faults: Fault) -> None:
        await self._control("faults", [fault.model_dump(mode="json") for fault in faults])

    async def _control(self, name: str, value: Any) -> None:
        async with self._session.post(f"{self._kravia.url}/_sim/{name}", json=value) as answer:
            if answer.status != 200:
                raise ServerError(await answer.text())


def _settles(partition: Report) -> bool:
    backlog = partition["backlog"]
    return backlog is not None and bool(backlog["settled_per_second"]) and bool(backlog["arriving_per_second"])


def _behind(partition: Report) -> int:
    return int((partition["backlog"] or {"behind": 0})["behind"])


def _doubts(report: Report) -> int:
    return sum(len(partition["doubts"]) for partition in report["partitions"])


def _left(report: Report) -> int:
    return sum(partition["ledger"]["in_doubt"] for partition in report["partitions"])


def _under_way(report: Report) -> bool:
    return any(partition["unfinished"] for partition in report["partitions"])
