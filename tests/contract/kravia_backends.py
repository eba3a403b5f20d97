"""What the contract suite of `ports.KraviaApi` runs on.

A backend is an API and the judge of what it did. To run the suite on another one, write a `Backend` and add it to
`BACKENDS`; faults are told as `simulator_faults.Fault`, of which it needs the kinds that `test_kravia_api` uses.
"""

import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Protocol

from pydantic import SecretStr

from tests.contract.simulated_kravia import InSimulation
from tests.unit.fakes_ahead import LONG
from worker.demo.simulator import Simulator
from worker.demo.simulator_faults import Fault
from worker.demo.simulator_settings import SimulatorSettings
from worker.kravia import FileEncoding, FixedToken, KraviaClient, KraviaConfig
from worker.ports import KraviaApi


class Backend(Protocol):
    """An API under test, and what it really did."""

    @property
    def api(self) -> KraviaApi: ...

    def misbehave(self, *faults: Fault) -> None: ...

    def met(self) -> int:
        """How many calls met one of the faults."""

    def revoke_token(self) -> None: ...

    def registered(self, identity: str) -> int:
        """How often this identity was registered."""

    def body(self, invoice_id: str) -> bytes:
        """The register body, byte for byte."""

    def documents(self, invoice_id: str) -> list[str]:
        """SHA-256 of each document."""

    def started(self, invoice_id: str) -> list[str]:
        """The messages of each start."""


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def boottime(self) -> float:
        return time.monotonic()

    def monotonic(self) -> float:
        return time.monotonic()


class OverHttp:
    """The real client against the simulated server, over loopback."""

    def __init__(self, simulator: Simulator, api: KraviaClient) -> None:
        self.api = api
        self._simulator = simulator

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, encoding: FileEncoding) -> "AsyncIterator[OverHttp]":
        async with Simulator(SimulatorSettings(token="good")) as simulator:
            config = KraviaConfig(
                base_url=simulator.url,
                file_encoding=encoding,
                register_timeout=LONG / 2,
                attach_timeout=LONG / 2,
                start_timeout=LONG / 2,
                query_timeout=LONG / 2,
                read_timeout=2 * LONG,
            )
            async with KraviaClient(config, FixedToken(SecretStr("good")), clock=Clock()) as api:
                yield cls(simulator, api)

    def misbehave(self, *faults: Fault) -> None:
        self._simulator.faults(*faults)

    def met(self) -> int:
        return self._simulator.script.met

    def revoke_token(self) -> None:
        self._simulator.settings.token = "another"

    def registered(self, identity: str) -> int:
        return len(self._simulator.ledger.by_identity.get(identity, []))

    def body(self, invoice_id: str) -> bytes:
        return self._simulator.ledger.by_id[invoice_id].body

    def documents(self, invoice_id: str) -> list[str]:
        return [document.sha256 for document in self._simulator.ledger.by_id[invoice_id].documents]

    def started(self, invoice_id: str) -> list[str]:
        return self._simulator.ledger.by_id[invoice_id].messages


BACKENDS: dict[str, Callable[[], AbstractAsyncContextManager[Backend]]] = {
    "simulated": InSimulation.open,
    "http-base64": lambda: OverHttp.open(FileEncoding.BASE64),
    "http-raw": lambda: OverHttp.open(FileEncoding.RAW),
}


class OnDisk:
    """`ports.Document`."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size, self.sha256 = len(content), hashlib.sha256(content).hexdigest()

    def read(self, offset: int, count: int) -> bytes:
        return self._content[offset : offset + count]

    def close(self) -> None:
        self._content = b""


class Valid:
    def holds(self) -> bool:
        return True


class Expired:
    def holds(self) -> bool:
        return False
