"""A run from the first broker's start to the report."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, cast

from aiokafka.errors import KafkaError

from tests.brokers import topics
from tests.brokers.apache import ApacheKafka
from tests.brokers.clients import Clients
from tests.chaos.books import Books, entries, origin_of, whole_topic
from tests.chaos.feed import Feed
from tests.chaos.kravia import Kravia
from tests.chaos.report import Report, logged
from tests.chaos.terms import PARTITIONS, SETTINGS, Options
from tests.chaos.troubles import Troubles
from tests.integration.harness import Scene
from tests.integration.worker_process import WorkerProcess, all_ready
from worker.demo.simulator import Simulator
from worker.model import Coordinates

_READY_TIMEOUT = 120.0
_SAY_EVERY = 10.0
_LOOK_EVERY = 2.0
_LOOK_TIMEOUT = 20.0
_STOP_TIMEOUT = 60.0


class World:
    """Made by `world`, which also ends it."""

    def __init__(
        self, options: Options, directory: Path, cluster: ApacheKafka, kravia: Kravia, scene: Scene, feed: Feed
    ) -> None:
        self._options = options
        self._directory = directory
        self._kravia = kravia
        self._scene = scene
        self._feed = feed
        self._began = time.monotonic()
        self._troubles = Troubles(cluster, scene.workers, options.seed, self._say)
        self._reading = asyncio.Lock()
        self._seen: set[Coordinates] = set()
        self.report = Report(options.seed, cluster.version, options.workers)

    async def run(self) -> Report:
        """Trouble, calm, books."""
        await self._phase("trouble", self._trouble)
        await self._phase("until all was settled", self._settle)
        await self._phase("books", self._close)
        return self.report

    async def _phase(self, name: str, act: Callable[[], Awaitable[None]]) -> None:
        began = time.monotonic()
        self._say(name)
        await act()
        self.report.seconds[name] = time.monotonic() - began

    async def _trouble(self) -> None:
        self._troubles.start()
        async with self._watched():
            await self._feed.burst_by_burst(self._options.events, self._options.trouble)
        await self._kravia.behave()

    async def _settle(self) -> None:
        """All that was sent in trouble first: what is in doubt of it needs a witness, so the trickle goes on."""
        async with self._watched():
            trickle = asyncio.create_task(self._feed.trickle())
            try:
                async with asyncio.timeout(self._options.patience):
                    await self._troubles.calm()
                    self._say("calm")
                    await self._settled(await self._inputs())
                    await _end(trickle)
                    await self._feed.stop()
                    await self._settled(await self._inputs())
            except TimeoutError:
                self._say("time is up")
            finally:
                await _end(trickle)

    async def _inputs(self) -> set[Coordinates]:
        consumer = await self._scene.clients.consumer()
        return {origin_of(record) for record in await whole_topic(consumer, self._scene.topics.requests)}

    async def _settled(self, wanted: set[Coordinates]) -> None:
        while not wanted <= await self._outcomes():  # noqa: ASYNC110 -- a topic is read, it does not tell
            await asyncio.sleep(_LOOK_EVERY)

    async def _outcomes(self) -> set[Coordinates]:
        """What has an outcome by now; of the last look, where an election keeps this one from an answer."""
        async with self._reading:
            try:
                async with asyncio.timeout(_LOOK_TIMEOUT):
                    self._seen = set(await self._scene.read_outcomes())
            except (KafkaError, TimeoutError):
                self._say("the outcomes could not be read")
            return self._seen

    async def _close(self) -> None:
        """Stop the workers and check everything."""
        await self._troubles.stop()
        report, scene = self.report, self._scene
        stopped = await asyncio.gather(*(_stop(worker) for worker in scene.workers))
        report.violations += filter(None, stopped)
        consumer = await scene.clients.consumer()
        await scene.results.read()
        books = Books(
            await whole_topic(consumer, scene.topics.requests),
            scene.results.outcomes,
            scene.results.dead_letters,
            await self._kravia.invoices(),
            entries(await whole_topic(consumer, scene.topics.ledger)),
        )
        report.missing = books.missing
        report.violations += books.violations()
        stats = await self._kravia.stats()
        report.events, report.unclear_sends = len(books.inputs), self._feed.unclear
        report.outcomes = dict(scene.tally(outcome for found in books.outcomes.values() for outcome in found))
        report.dead_letters = sum(map(len, books.dead_letters.values()))
        report.invoices, report.started_twice = stats["invoices"], stats["started_twice"]
        report.calls = stats["calls"]
        report.registers_per_identity_max = books.most_registers
        report.possible_double_registers = len(books.possible_doubles)
        report.troubles = dict(self._troubles.done)
        report.workers_ended_by_themselves = {str(status): n for status, n in self._troubles.ended.items()}
        report.ownerships_lost, report.doubts = logged(self._directory)

    # Telling

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        """A line every ten seconds; at the end what went wrong with the troubles is raised."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            await _end(watching)
        self._troubles.check()

    async def _watch(self) -> None:
        while True:
            stats = await self._kravia.stats()
            settled = len(await self._outcomes())
            self._say(f"{self._feed.given} sent, {stats['invoices']} registered, {settled} settled")
            await asyncio.sleep(_SAY_EVERY)

    def _say(self, what: str) -> None:
        sys.stderr.write(f"{time.monotonic() - self._began:6.1f} s  {what}\n")


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _stop(worker: WorkerProcess) -> str | None:
    """End a worker in good order; what was wrong with that."""
    if not worker.running:
        return f"{worker.name} did not run at the end: status {worker.status}"
    worker.thaw()
    try:
        status = await worker.stop(_STOP_TIMEOUT)
    except AssertionError:
        return f"{worker.name} did not end within {_STOP_TIMEOUT:g} s of its SIGTERM"
    return f"{worker.name} ended with status {status} on SIGTERM" if status else None


@asynccontextmanager
async def world(options: Options, directory: Path) -> AsyncIterator[World]:
    """Everything started and every worker ready; whatever happens, no process outlives it."""
    names = topics.unique_names()
    async with AsyncExitStack() as stack:
        cluster = ApacheKafka(directory / "brokers", nodes=3)
        stack.callback(cluster.kill)
        await cluster.start()
        await topics.create(cluster.bootstrap, names, partitions=PARTITIONS, replication=3)
        kravia = Kravia(directory, options.seed)
        stack.push_async_callback(kravia.stop)
        await kravia.start()
        clients = Clients(cluster.bootstrap, stack)
        # A simulator in this process, it thinks; of that, who starts workers only asks where it is and its token.
        scene = Scene(cluster, clients, names, "chaos", cast("Simulator", kravia), directory, PARTITIONS)
        stack.push_async_callback(scene.close)
        workers = [scene.worker(f"worker-{n}", static=False, **SETTINGS) for n in range(1, options.workers + 1)]
        for worker in workers:
            worker.start()
        await all_ready(*workers, timeout=_READY_TIMEOUT)
        feed = Feed(cluster.bootstrap, names.requests, options.seed)
        await feed.start()
        stack.push_async_callback(feed.stop)
        yield World(options, directory, cluster, kravia, scene, feed)
