"""The worker of the demo: a real process, killed and started again, watched through its own metrics."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from worker.demo.launch import command, python_path
from worker.demo.process import Server, ServerError
from worker.demo.scrape import Scrapes, parse
from worker.model import TopicNames

_START_TIMEOUT = 60.0
_SCRAPE_TIMEOUT = aiohttp.ClientTimeout(total=2.0)


def settings(bootstrap: str, kravia_url: str, token: str, topics: TopicNames, port: int) -> dict[str, str]:
    """The worker's settings in the demo; what is not here has its default."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_GROUP_ID": "demo",
        # The embedded broker does not evict a killed member; a static one takes its own place at once.
        "KAFKA_GROUP_INSTANCE_ID": "demo-1",
        "KAFKA_CLIENT_ID": "demo-1",
        "KRAVIA_BASE_URL": kravia_url,
        "KRAVIA_TOKEN": token,
        "TOPIC_REQUESTS": topics.requests,
        "TOPIC_REPLAYS": topics.replays,
        "TOPIC_JOURNAL": topics.journal,
        "TOPIC_LEDGER": topics.ledger,
        "TOPIC_OUTCOMES": topics.outcomes,
        "TOPIC_DEAD_LETTERS": topics.dead_letters,
        "WORKER_HTTP_HOST": "127.0.0.1",
        "WORKER_HTTP_PORT": str(port),
        "WORKER_LOG_FORMAT": "json",
        # Short waits: a demo has no quarter of an hour.
        # The waits of a doubt are minutes by default; the simulated API is known, so here they are seconds.
        "WORKER_INTENT_VALIDITY": "2",
        "KRAVIA_REGISTER_TIMEOUT": "2",
        "KRAVIA_LATE_PROCESSING": "1",
        "KRAVIA_SEARCH_DELAY": "1",
        "KRAVIA_SEARCH_DISORDER": "0.5",
        "WORKER_CLOCK_ERROR": "0.1",
        "WORKER_SWEEP_INTERVAL": "0.5",
        "WORKER_WITNESS_TIMEOUT": "10",
        "WORKER_RETRY_BASE": "0.2",
        "WORKER_RETRY_CAP": "5",
        "WORKER_GATE_PROBE_INTERVAL": "0.2",
    }


class WorkerProcess:
    """`python -m worker run` with its own settings and nothing of this machine's."""

    def __init__(self, directory: Path, values: Mapping[str, str]) -> None:
        """`directory` is its current directory and holds its log; `values` come from `settings`."""
        self.scrapes = Scrapes()
        self._url = f"http://127.0.0.1:{values['WORKER_HTTP_PORT']}"
        directory.mkdir(parents=True, exist_ok=True)
        self._server = Server(
            "the worker", command(directory, values), directory / "worker.log", python_path(os.environ)
        )

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises ServerError when it ends, or is not ready within a minute."""
        self._server.start()
        try:
            async with asyncio.timeout(_START_TIMEOUT), aiohttp.ClientSession(timeout=_SCRAPE_TIMEOUT) as session:
                while not await _answers(session, f"{self._url}/readyz"):
                    self.check()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise ServerError(
                f"the worker was not ready within {_START_TIMEOUT:g} s; its log: {self.log_end()}"
            ) from None

    def check(self) -> None:
        """Raises ServerError when it has ended by itself."""
        if (ended := self._server.exit_message()) is not None:
            raise ServerError(ended)

    def kill(self) -> None:
        """kill -9."""
        self._server.kill()
        self.scrapes.restarted()

    async def stop(self, timeout: float) -> None:
        """SIGTERM: it drains and leaves; SIGKILL after `timeout` seconds."""
        await self._server.stop(timeout)
        self.scrapes.restarted()

    async def watch(self, interval: float) -> None:
        """Scrape its metrics every `interval` seconds, until cancelled; one that is just down is asked again."""
        async with aiohttp.ClientSession(timeout=_SCRAPE_TIMEOUT) as session:
            while True:
                await self._scrape(session)
                await asyncio.sleep(interval)

    async def _scrape(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.get(f"{self._url}/metrics") as answer:
                if answer.status == 200:
                    self.scrapes.take(parse(await answer.text()))
        except (aiohttp.ClientError, TimeoutError):  # it was killed or is busy: the next scrape tells
            return

    def log_end(self, size: int = 2000) -> str:
        """The end of its log."""
        log = self._server.log
        return log.read_bytes()[-size:].decode(errors="replace") if log.exists() else ""


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):  # it does not listen yet
        return False
