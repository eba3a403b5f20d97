"""Who is killed and frozen, when, and who is started again."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.brokers.apache import ApacheKafka
from tests.chaos.terms import (
    BROKER_DOWN,
    BROKER_EVERY,
    KILLED_RATHER_THAN_FROZEN,
    WORKER_DOWN,
    WORKER_FROZEN,
    WORKER_LIVES,
)
from tests.integration.worker_process import WorkerProcess
from worker.demo.process import ServerError

_WHOLE_TIMEOUT = 120.0
_LOOK = 0.2
_RESTART_AFTER = 1.0


class Troubles:
    """Makes trouble until `calm`; starts workers again that ended by themselves, as any platform would, until then
    and after. The same seed draws the same troubles; when exactly they come is the machine's business.
    """

    def __init__(self, cluster: ApacheKafka, workers: list[WorkerProcess], seed: int, say: Callable[[str], None]):
        self.done: Counter[str] = Counter()
        """Troubles by kind."""
        self.ended: Counter[int] = Counter()
        """Workers that ended by themselves, by exit status."""
        self._cluster = cluster
        self._workers = workers
        self._seed = seed
        self._say = say
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin."""
        self._tasks = [asyncio.create_task(self._brokers(random.Random(self._seed)))]
        for number, worker in enumerate(self._workers, 1):
            rng = random.Random(self._seed * 1000 + number)
            self._tasks.append(asyncio.create_task(self._worker(worker, rng)))

    async def calm(self) -> None:
        """No more trouble: returns when every broker and every worker is back."""
        self._over.set()
        await asyncio.wait(self._tasks)
        self.check()
        self._tasks = [asyncio.create_task(self._tend(worker)) for worker in self._workers]

    async def stop(self) -> None:
        """Look after nobody any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def check(self) -> None:
        """Raises what went wrong in here: a broker that did not come back, say."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    # Brokers

    async def _brokers(self, rng: random.Random) -> None:
        """Kill one, start it again, wait until every replica is in sync: never two at once."""
        clock = asyncio.get_running_loop().time
        pause = BROKER_EVERY / 2
        while not await self._calm_within(pause):
            killed = clock()
            number = rng.randrange(len(self._cluster.nodes))
            self._count(f"broker {number + 1}", "kill -9", "brokers killed")
            self._cluster.nodes[number].kill()
            await asyncio.sleep(BROKER_DOWN)
            self._cluster.nodes[number].start()
            await self._whole()
            pause = max(0.0, killed + BROKER_EVERY - clock())

    async def _whole(self) -> None:
        try:
            async with asyncio.timeout(_WHOLE_TIMEOUT):
                await self._cluster.wait()
                while not await self._in_sync():  # noqa: ASYNC110 -- a cluster is asked, it does not tell
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            raise ServerError(f"the cluster was not whole again within {_WHOLE_TIMEOUT:g} s") from None

    async def _in_sync(self) -> bool:
        """Whether every partition of every topic, Kafka's own included, has all its replicas in sync."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._cluster.bootstrap, request_timeout_ms=5_000)
        try:
            await admin.start()
            described = await admin.describe_topics(await admin.list_topics())
        except (KafkaError, OSError):  # in the middle of an election: asked again
            return False
        finally:
            await admin.close()
        partitions = [partition for topic in described for partition in topic["partitions"]]
        return all(len(partition["isr"]) == len(partition["replicas"]) for partition in partitions)

    # Workers

    async def _worker(self, worker: WorkerProcess, rng: random.Random) -> None:
        while not await self._left_alone(worker, rng.uniform(*WORKER_LIVES)):
            down, frozen = rng.uniform(*WORKER_DOWN), rng.uniform(*WORKER_FROZEN)
            if rng.random() < KILLED_RATHER_THAN_FROZEN:
                self._count(worker.name, "kill -9", "workers killed")
                worker.kill()
                await asyncio.sleep(down)
                worker.start()
            else:
                self._count(worker.name, f"SIGSTOP for {frozen:.0f} s", "workers frozen")
                await worker.freeze()
                await asyncio.sleep(frozen)
                worker.thaw()

    async def _left_alone(self, worker: WorkerProcess, seconds: float) -> bool:
        """Leave it alone for so long, or until it is calm, but for its restart when it ends. Whether it is calm."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not await self._calm_within(_LOOK) and asyncio.get_running_loop().time() < deadline:
            await self._revive(worker)
        await self._revive(worker)
        return self._over.is_set()

    async def _tend(self, worker: WorkerProcess) -> None:
        while True:
            await self._revive(worker)
            await asyncio.sleep(_LOOK)

    async def _revive(self, worker: WorkerProcess) -> None:
        if (status := worker.status) is not None:
            self.ended[status] += 1
            self._say(f"{worker.name} ended by itself with status {status}: started again")
            await asyncio.sleep(_RESTART_AFTER)
            worker.start()

    async def _calm_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._over.wait()
        except TimeoutError:
            return self._over.is_set()

    def _count(self, who: str, what: str, kind: str) -> None:
        self.done[kind] += 1
        self._say(f"{who}: {what}")
