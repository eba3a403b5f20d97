"""The embedded Kafka broker of the demo and of the tests: noida-db as a child process, from pip alone.

It speaks Kafka's protocol well enough to run the worker (topics, groups, transactions, fencing, read_committed), yet it
is not Kafka: it does not evict a dead member, does not time out a transaction, and loses up to a second of acknowledged
records when it is killed itself. Nothing about Kafka counts as shown on it alone (docs/explanation/measurements.md).
"""

import asyncio
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from worker.demo.process import Server, ServerError, Watched, free_port, port_is_free

_START_TIMEOUT = 30.0


async def wait_until_it_answers(
    bootstrap: str, server: Watched, timeout: float = _START_TIMEOUT, *, brokers: int = 1
) -> None:
    """Return when the broker at `bootstrap` (host:port) knows of `brokers` brokers and finds coordinators.

    Raises ServerError when `server` ends first or nothing answered for `timeout` seconds.
    """
    try:
        async with asyncio.timeout(timeout):
            while not await _answers(bootstrap, brokers):
                if (ended := server.exit_message()) is not None:
                    raise ServerError(ended)
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise ServerError(
            f"{server.name} did not answer on {bootstrap} within {timeout:g} s; its output ends with:\n{server.tail()}"
        ) from None


async def _answers(bootstrap: str, brokers: int) -> bool:
    host, port = bootstrap.rsplit(":", 1)
    try:  # a cheap look first: aiokafka logs every failed bootstrap as an error
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
        if len(cluster["brokers"]) < brokers:
            return False
        # Kafka makes the coordinators' topics when first asked, and refuses until they are there.
        await admin.find_coordinator("warm-up", coordinator_type=0)
        await admin.find_coordinator("warm-up", coordinator_type=1)
    except (KafkaError, OSError):  # it listens and is not ready yet: asked again
        return False
    finally:
        await admin.close()
    return True


class EmbeddedBroker:
    """One noida-db process on 127.0.0.1. Its records live in `data_dir` and outlive it.

    `async with EmbeddedBroker(path) as broker: broker.bootstrap`. Start it in the thread that runs the event loop.
    """

    kind: Literal["embedded"] = "embedded"

    def __init__(self, data_dir: Path, *, port: int | None = None):
        self.data_dir = data_dir
        self.port = free_port() if port is None else port
        self._server = Server(
            "the embedded broker (noida-db)",
            [
                str(_binary()),
                *("start", "--data-dir", str(data_dir), "--host", "127.0.0.1"),
                *("--only", "kafka", "--kafka-port", str(self.port)),
            ],
            data_dir / "broker.log",
        )

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def version(self) -> str:
        return f"noida-db {version('noida-db')}"

    @property
    def pid(self) -> int:
        return self._server.pid

    async def start(self) -> str:
        """Start it and return its bootstrap address when it answers. Raises ServerError."""
        if not port_is_free(self.port):  # noida-db would end; yet who has the port answers first
            raise ServerError(f"the embedded broker cannot listen on {self.bootstrap}: something else does; stop it")
        self._server.start()
        try:
            await wait_until_it_answers(self.bootstrap, self._server)
        except BaseException:  # whatever it was, also a cancellation: leave no process behind
            self.kill()
            raise
        return self.bootstrap

    async def stop(self) -> None:
        """End it in good order: its records are on disk afterwards."""
        await self._server.stop()

    def kill(self) -> None:
        """kill -9."""
        self._server.kill()

    async def restart(self) -> None:
        """Stop, then start again on the same port with the same records."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _binary() -> Path:
    """The native binary in the wheel. The package's own command is a wrapper that would outlive a kill of it."""
    try:
        version("noida-db")
    except PackageNotFoundError:
        raise ServerError(
            "the embedded broker needs the package noida-db: pip install 'kravia-invoice-worker[demo]', or make install"
        ) from None
    binary = Path(str(files("noida_db"))) / ("noida-db.exe" if sys.platform == "win32" else "noida-db")
    if not binary.is_file():
        raise ServerError(f"noida-db is installed without its binary ({binary}): no wheel for this platform")
    binary.chmod(0o755)  # as the package's own command does: installers may drop the bit
    return binary
