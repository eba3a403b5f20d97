"""The processes of a benchmark: the simulated Kravia, the limit, the worker."""

import asyncio
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from worker.demo.launch import command, python_path
from worker.demo.process import Server, ServerError, free_port
from worker.model import TopicNames

TOKEN = "bench-token"
GROUP = "bench"
_START_TIMEOUT = 60.0
_CONTROL_TIMEOUT = aiohttp.ClientTimeout(total=60.0)


async def _until_it_answers(server: Server, url: str) -> None:
    """Return when a GET of `url` is answered with 200. Raises ServerError when the server ends, or after a minute."""
    try:
        async with asyncio.timeout(_START_TIMEOUT), aiohttp.ClientSession(timeout=_CONTROL_TIMEOUT) as session:
            while True:
                if (ended := server.exit_message()) is not None:
                    raise ServerError(ended)
                try:
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass  # it does not listen yet
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise ServerError(f"{server.name} was not ready within {_START_TIMEOUT:g} s; {server.tail()}") from None


class Kravia:
    """The simulated Kravia, steered over its control API. `async with Kravia(directory) as kravia`."""

    def __init__(self, directory: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = ["--port", str(port), "--token", TOKEN]
        self.server = Server(
            "the simulated Kravia",
            [sys.executable, "-m", "worker.demo.simulator", *options],
            directory / "kravia.log",
            python_path(os.environ),
        )

    async def __aenter__(self) -> Self:
        self.server.start()
        await _until_it_answers(self.server, f"{self.url}/_sim/stats")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.stop()

    async def begin(self, latency: float) -> None:
        """Forget everything; each call takes `latency` seconds from now on."""
        await self._control("POST", "settings", {"latency": latency})
        await self._control("POST", "reset", {})

    async def check(self, count: int) -> None:
        """Raises RuntimeError unless exactly `count` invoices are registered, attached and started, once each."""
        stats = await self._control("GET", "stats", None)
        done = {name: stats[name] for name in ("invoices", "identities", "documents", "started")}
        if set(done.values()) != {count} or stats["registered_twice"] or stats["started_twice"]:
            raise RuntimeError(f"a round of {count} events left {stats}")

    async def registered(self) -> dict[str, float]:
        """When each identity's register was carried out, in seconds since the epoch."""
        ledger = await self._control("GET", "ledger", None)
        return {identity: entries[0]["registered"] for identity, entries in ledger.items()}

    async def _control(self, method: str, name: str, value: object) -> Any:
        async with (
            aiohttp.ClientSession(timeout=_CONTROL_TIMEOUT, raise_for_status=True) as session,
            session.request(method, f"{self.url}/_sim/{name}", json=value) as answer,
        ):
            return await answer.json()


class Limit:
    """`tests.bench.limit` in a process of its own; it ends with its stdin."""

    def __init__(self, kravia_url: str, concurrency: int) -> None:
        self._arguments = ("-m", "tests.bench.limit", kravia_url, TOKEN, str(concurrency))
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, **python_path(os.environ)},
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await self._process.wait()

    @property
    def pid(self) -> int:
        assert self._process is not None, "entered"
        return self._process.pid

    async def prepare(self, tag: str, count: int) -> None:
        """Make the bytes of `count` events."""
        await self._ask(f"prepare {tag} {count}")

    async def go(self) -> float:
        """Make all calls: the seconds that it took."""
        return float(await self._ask("go"))

    async def _ask(self, line: str) -> str:
        assert self._process is not None, "entered"
        assert self._process.stdin is not None, "piped"
        assert self._process.stdout is not None, "piped"
        self._process.stdin.write(f"{line}\n".encode())
        answer = await self._process.stdout.readline()
        if not answer:
            raise ServerError("the limit's process ended; what it said is above")
        return answer.decode()


class Worker:
    """`worker run` with its defaults, everything on, as a process of its own."""

    def __init__(self, directory: Path, bootstrap: str, kravia_url: str, topics: TopicNames, concurrency: int) -> None:
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        names = {f"TOPIC_{field.upper()}": getattr(topics, field) for field in TopicNames.__dataclass_fields__}
        settings = names | {
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA_GROUP_ID": GROUP,
            "KRAVIA_BASE_URL": kravia_url,
            "KRAVIA_TOKEN": TOKEN,
            "WORKER_HTTP_HOST": "127.0.0.1",
            "WORKER_HTTP_PORT": str(port),
            "WORKER_MAX_IN_FLIGHT": str(concurrency),
        }
        self.server = Server(
            "the worker", command(directory, settings), directory / "worker.log", python_path(os.environ)
        )

    async def __aenter__(self) -> Self:
        self.server.start()
        await _until_it_answers(self.server, f"{self._url}/readyz")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.stop(timeout=60.0)
