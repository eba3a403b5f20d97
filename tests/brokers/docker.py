"""Apache Kafka in Docker, through testcontainers: one KRaft node in the project's own image."""

from collections.abc import Mapping

from docker.errors import DockerException
from testcontainers.core.container import DockerContainer

from tests.brokers.base import KAFKA_VERSION, Kind
from tests.brokers.properties import common_properties
from worker.demo.broker import wait_until_it_answers
from worker.demo.process import ServerError, free_port

IMAGE = f"apache/kafka:{KAFKA_VERSION}"
_PORT = 9092
_PULL_AND_START_TIMEOUT = 180.0


def engine_answers() -> bool:
    """Whether a Docker engine can be reached from here."""
    try:
        DockerContainer("").get_docker_client().client.ping()
    except DockerException:
        return False
    return True


class DockerKafka:
    """One container, its port published on a fixed port of 127.0.0.1. Its data lives as long as the container does."""

    kind: Kind = "apache"
    version = f"Apache Kafka {KAFKA_VERSION} (Docker, 1 KRaft node)"
    name = version

    def __init__(self, *, properties: Mapping[str, str] | None = None):
        self._port = free_port()
        try:
            self._container = DockerContainer(IMAGE).with_bind_ports(_PORT, self._port)
        except DockerException as error:
            raise ServerError(
                f"no Docker engine answers ({error}): start one, name it in DOCKER_HOST, or use --broker=apache"
            ) from error
        for name, value in self._server_properties(properties or {}).items():
            # The image's rule: upper case, a dot becomes an underscore, KAFKA_ in front.
            self._container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
        self._created = False

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> str:
        try:
            if self._created:
                self._container.get_wrapped_container().start()
            else:
                self._container.start()
                self._created = True
        except DockerException as error:
            raise ServerError(f"{self.name} could not be started: {error}") from error
        await wait_until_it_answers(self.bootstrap, self, _PULL_AND_START_TIMEOUT)
        return self.bootstrap

    async def stop(self) -> None:
        self._container.get_wrapped_container().stop(timeout=15)

    def kill(self) -> None:
        self._container.get_wrapped_container().kill()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def remove(self) -> None:
        """Stop the container and delete it with its data."""
        self._container.stop()

    def exit_message(self) -> str | None:
        status = self._container.status
        return None if status in {"created", "running"} else f"{self.name} is {status}; it ends with:\n{self.tail()}"

    def tail(self) -> str:
        return b"".join(self._container.get_logs())[-1500:].decode(errors="replace").strip()

    def _server_properties(self, overrides: Mapping[str, str]) -> dict[str, str]:
        return {
            **common_properties(1),
            "node.id": "1",
            "controller.quorum.voters": "1@localhost:9093",
            # Clients come by the published port; the advertised address must be the one that they can reach.
            "listeners": f"PLAINTEXT://0.0.0.0:{_PORT},CONTROLLER://localhost:9093",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self._port}",
            **overrides,
        }
