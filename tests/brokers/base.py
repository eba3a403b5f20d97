"""What every test broker offers, whichever it is."""

from typing import Literal, Protocol

KAFKA_VERSION = "4.3.1"
"""The Apache Kafka that the tests run on, from its jars or in Docker."""

Kind = Literal["embedded", "apache"]


class Broker(Protocol):
    """A running broker or cluster. Start it in the thread that runs the event loop (worker/demo/process.py)."""

    @property
    def kind(self) -> Kind: ...

    @property
    def bootstrap(self) -> str:
        """`host:port`, separated by commas; the same after every restart."""

    @property
    def version(self) -> str:
        """Name and version, for people."""

    async def start(self) -> str:
        """Start it, wait until it answers, return `bootstrap`. Raises worker.demo.process.ServerError."""

    async def stop(self) -> None:
        """End it in good order; what it holds stays."""

    def kill(self) -> None:
        """kill -9 of all of it; what it holds stays, as far as it was written."""

    async def restart(self) -> None:
        """Stop and start."""
