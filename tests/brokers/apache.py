"""Apache Kafka from its jars: KRaft nodes on 127.0.0.1, each broker and controller, as child processes."""

import asyncio
import base64
import uuid
from collections.abc import Mapping
from pathlib import Path

from tests.brokers.base import KAFKA_VERSION, Kind
from tests.brokers.jars import java, kafka_jars
from tests.brokers.properties import common_properties
from worker.demo.broker import wait_until_it_answers
from worker.demo.process import Server, ServerError, free_port

_LOGGING = Path(__file__).with_name("log4j2.properties")
_START_TIMEOUT = 90.0
"""Generous: three nodes on two busy cores took 12 s."""


class ApacheKafka:
    """A cluster of one or three nodes. Its data lives under `data_dir` and outlives the processes.

    `properties` override server.properties of every node, e.g. {"transaction.max.timeout.ms": "10000"}.
    """

    kind: Kind = "apache"

    def __init__(self, data_dir: Path, *, nodes: int = 1, properties: Mapping[str, str] | None = None):
        self.data_dir = data_dir
        self._properties = dict(properties or {})
        self._cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        self._ports = [(free_port(), free_port()) for _ in range(nodes)]
        self._formatted = False
        self._java = java()
        self._classpath = f"{kafka_jars()}/*"
        self.nodes = [
            Server(
                f"Apache Kafka {KAFKA_VERSION}, node {number}",
                [*self._jvm("512m"), "kafka.Kafka", str(self._file(number))],
                data_dir / f"node-{number}.log",
            )
            for number in range(1, nodes + 1)
        ]

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port, _ in self._ports)

    @property
    def version(self) -> str:
        return f"Apache Kafka {KAFKA_VERSION} (jars, {len(self.nodes)} KRaft node{'s' * (len(self.nodes) > 1)})"

    async def start(self) -> str:
        """Format the storage at the first start, start every node, wait until the cluster is whole and answers."""
        if not self._formatted:
            await asyncio.gather(*(self._format(number) for number in range(1, len(self.nodes) + 1)))
            self._formatted = True
        try:
            for node in self.nodes:
                node.start()
            await self.wait()
        except BaseException:  # whatever it was, also a cancellation: leave no process behind
            self.kill()
            raise
        return self.bootstrap

    async def wait(self) -> None:
        """Return when every running node knows of every running node and both coordinators answer."""
        running = [(node, port) for node, (port, _) in zip(self.nodes, self._ports, strict=True) if node.running]
        for node, port in running:
            await wait_until_it_answers(f"127.0.0.1:{port}", node, _START_TIMEOUT, brokers=len(running))

    async def stop(self) -> None:
        await asyncio.gather(*(node.stop() for node in self.nodes))

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def _jvm(self, heap: str) -> list[str]:
        return [self._java, f"-Xmx{heap}", f"-Dlog4j2.configurationFile={_LOGGING}", "-cp", self._classpath]

    def _file(self, number: int) -> Path:
        return self.data_dir / f"node-{number}.properties"

    def _format_options(self) -> list[str]:
        """More words for the storage's formatting, where a subclass has users to make."""
        return []

    async def _format(self, number: int) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        lines = (f"{name}={value}" for name, value in self._server_properties(number).items())
        self._file(number).write_text("\n".join(lines) + "\n")
        process = await asyncio.create_subprocess_exec(
            *self._jvm("128m"),
            # With "=": one id in 64 begins with "-".
            *("kafka.tools.StorageTool", "format", f"--cluster-id={self._cluster}", "-c", str(self._file(number))),
            *self._format_options(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise ServerError(f"Kafka's storage could not be formatted:\n{output.decode(errors='replace')[-2000:]}")

    def _server_properties(self, number: int) -> dict[str, str]:
        port, controller = self._ports[number - 1]
        return {
            **common_properties(len(self._ports)),
            "node.id": str(number),
            "controller.quorum.voters": ",".join(
                f"{node}@127.0.0.1:{ports[1]}" for node, ports in enumerate(self._ports, start=1)
            ),
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "log.dirs": str(self.data_dir / f"node-{number}"),
            **self._properties,
        }
