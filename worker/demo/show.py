"""The course of the demo: start everything, send, watch, kill the worker midway, and judge."""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.outcomes import outcome_id
from worker.demo.broker import EmbeddedBroker
from worker.demo.kravia_process import KraviaProcess
from worker.demo.options import Options
from worker.demo.process import ServerError, free_port
from worker.demo.producer import produce
from worker.demo.results import Results
from worker.demo.samples import Sample, samples
from worker.demo.scoreboard import Scoreboard, Verdict
from worker.demo.view import Snapshot, View
from worker.demo.worker_process import WorkerProcess, settings
from worker.kafka.security import Connection
from worker.kafka.topic_state import Unavailable
from worker.kafka.topics import create_topics
from worker.model import Coordinates, TopicNames

TOKEN = "demo-token"
_LATENCY = 0.02
_TICK = 0.2
_RATE_TICKS = 15
_KILL_AT = 0.4
_STOP_TIMEOUT = 60.0
_INTERRUPT_TIMEOUT = 5.0
_LOOK_INTERVAL = 0.4


class Show:
    """One demo. After `run`: the verdict, and whether every event had its outcome in time."""

    def __init__(self, options: Options, directory: Path, view: View) -> None:
        """`directory` holds everything that is written, logs included."""
        self.board = Scoreboard(outcome_id)
        self.verdict: Verdict | None = None
        self.in_time = True
        self._options = options
        self._directory = directory
        self._view = view
        self._topics = TopicNames()
        self._phase = "starting"
        self._begin = time.monotonic()
        self._settled: deque[int] = deque([0], maxlen=_RATE_TICKS + 1)
        self._worker: WorkerProcess | None = None
        self._kravia: KraviaProcess | None = None

    async def run(self) -> None:
        """Play it, and end whatever was started.

        Raises ServerError when a process could not be started or ended by itself, KafkaError when the broker failed
        the producer or the reader, TimeoutError when what was committed can't be read to its end.
        """
        await _alongside(self._play(), self._paint())
        self._view.show(self._snapshot())

    async def _play(self) -> None:
        async with AsyncExitStack() as started:
            broker = await started.enter_async_context(EmbeddedBroker(self._directory / "broker"))
            self._view.note(f"broker: {broker.version} on {broker.bootstrap}")
            await self._make_topics(broker.bootstrap)
            kravia = self._kravia = KraviaProcess(self._directory, TOKEN, seed=self._options.seed, latency=_LATENCY)
            started.push_async_callback(kravia.stop)
            await kravia.start()
            self._view.note(f"simulated Kravia on {kravia.url}, with faults")
            values = settings(broker.bootstrap, kravia.url, TOKEN, self._topics, free_port())
            worker = self._worker = WorkerProcess(self._directory / "worker", values)
            started.push_async_callback(worker.stop, _INTERRUPT_TIMEOUT)
            await worker.start()
            self._view.note("worker is ready (python -m worker run)")
            results = await started.enter_async_context(
                Results(broker.bootstrap, self._topics, self._options.partitions, self.board)
            )
            self._phase = "running"
            await _alongside(
                self._until_settled(worker),
                self._send(broker.bootstrap),
                results.follow(_LOOK_INTERVAL),
                worker.watch(_TICK),
                kravia.watch(_TICK),
            )
            self._phase = "judging"
            await worker.stop(_STOP_TIMEOUT)
            await results.look()
            self.verdict = self.board.verdict(await kravia.registrations())
            self._phase = "done"

    async def _make_topics(self, bootstrap: str) -> None:
        connection = Connection(bootstrap, "demo", 30.0, {"security_protocol": "PLAINTEXT"})
        made = await create_topics(connection, self._topics, partitions=self._options.partitions, replication=1)
        if isinstance(made, Unavailable):
            raise ServerError(f"the topics could not be made: {made.detail}")
        if made.failed:
            raise ServerError(
                "the topics could not be made: " + "; ".join(f"{name}: {why}" for name, why in made.failed)
            )

    async def _send(self, bootstrap: str) -> None:
        wanted = self._options
        interval = 1 / wanted.rate if wanted.rate else 0.0
        made = samples(wanted.events, wanted.partitions, wanted.seed, datetime.now(UTC), interval)
        await produce(bootstrap, self._topics.requests, made, wanted.rate, self._sent)
        self._view.note(f"producer: all {wanted.events} events are sent")

    def _sent(self, coordinates: Coordinates, _sample: Sample) -> None:
        self.board.sent(coordinates)

    async def _until_settled(self, worker: WorkerProcess) -> None:
        """Return when every event has its outcome, or the time is up; kill the worker midway."""
        to_kill = self._options.kill_worker
        deadline = time.monotonic() + self._options.timeout
        while self.board.settled_count < self._options.events:
            if time.monotonic() >= deadline:
                self.in_time = False
                return
            worker.check()
            if to_kill and self.board.settled_count >= self._options.events * _KILL_AT:
                to_kill = False
                worker.kill()
                self._view.note("worker killed with kill -9")
                await worker.start()
                self._view.note("worker restarted, and ready again")
            await asyncio.sleep(_TICK / 4)

    async def _paint(self) -> None:
        while True:
            self._settled.append(self.board.settled_count)
            self._view.show(self._snapshot())
            await asyncio.sleep(_TICK)

    def _snapshot(self) -> Snapshot:
        scrapes = self._worker.scrapes if self._worker is not None else None
        states = scrapes.sum_by("events", "state") if scrapes else {}
        gate = next(iter(scrapes.sum_by("gate_state", "state")), ("",)) if scrapes else ("",)
        return Snapshot(
            elapsed=time.monotonic() - self._begin,
            phase=self._phase,
            total=self._options.events,
            sent=self.board.sent_count,
            settled=self.board.settled_count,
            per_second=(self._settled[-1] - self._settled[0]) / (_RATE_TICKS * _TICK),
            outcomes=self.board.by_outcome(),
            dead_letters=self.board.dead_letters,
            states=_by_one(states),
            calls=self._kravia.calls if self._kravia else {},
            retries=scrapes.sum_by("retries_total", "step", "why") if scrapes else {},
            resolved=_by_one(scrapes.sum_by("doubts_resolved_total", "resolution")) if scrapes else {},
            gate=gate[0],
        )


def _by_one(sums: Mapping[tuple[str, ...], int]) -> dict[str, int]:
    return {label: count for (label,), count in sums.items()}


async def _alongside(main: Coroutine[Any, Any, None], *others: Coroutine[Any, Any, None]) -> None:
    """Run `main` to its end, the others meanwhile. The first error of any is raised; none outlives the call."""
    first = asyncio.ensure_future(main)
    running = {first, *map(asyncio.ensure_future, others)}
    waiting = set(running)
    try:
        while not first.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
