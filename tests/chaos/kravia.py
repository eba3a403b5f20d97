"""The simulated Kravia as a process of its own, with this world's faults: nothing that is killed takes it along."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.terms import FAULTS, KRAVIA
from worker.demo.launch import python_path
from worker.demo.process import Server, ServerError, free_port

_START_TIMEOUT = 60.0
_CONTROL_TIMEOUT = aiohttp.ClientTimeout(total=30.0)

Invoices = Mapping[str, list[dict[str, Any]]]
"""What its ledger holds, by identity; see `simulator_ledger.Ledger.entries`."""


class Kravia:
    """Start it, ask it, steer it. `url` and `settings` are those that a worker needs (tests/integration/harness.py)."""

    def __init__(self, directory: Path, seed: int) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.settings = KRAVIA
        self._server = Server(
            "the simulated Kravia",
            [
                *(sys.executable, "-m", "worker.demo.simulator", "--port", str(port), "--seed", str(seed)),
                *("--token", KRAVIA.token, "--latency", str(KRAVIA.latency)),
                *("--search-delay", str(KRAVIA.search_delay), "--search-jitter", str(KRAVIA.search_jitter)),
            ],
            directory / "kravia.log",
            python_path(os.environ),
        )

    async def start(self) -> None:
        """Start it and set its faults. Raises ServerError when it does not answer."""
        self._server.start()
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while True:
                    if (ended := self._server.exit_message()) is not None:
                        raise ServerError(ended)
                    try:
                        await self._control("POST", "faults", [fault.model_dump(mode="json") for fault in FAULTS])
                        return
                    except aiohttp.ClientError:  # it does not listen yet
                        await asyncio.sleep(0.05)
        except TimeoutError:
            raise ServerError(f"the simulated Kravia did not answer within {_START_TIMEOUT:g} s") from None

    async def behave(self) -> None:
        """No more faults; what is late still comes."""
        await self._control("POST", "faults", [])

    async def stats(self) -> dict[str, Any]:
        """Calls by step and result, and totals; see `simulator_control.stats`."""
        return dict(await self._control("GET", "stats", None))

    async def invoices(self) -> Invoices:
        """Its ledger."""
        ledger: Invoices = await self._control("GET", "ledger", None)
        return ledger

    async def stop(self) -> None:
        """End it."""
        await self._server.stop(5.0)

    async def _control(self, method: str, name: str, value: object) -> Any:
        async with (
            aiohttp.ClientSession(timeout=_CONTROL_TIMEOUT, raise_for_status=True) as session,
            session.request(method, f"{self.url}/_sim/{name}", json=value) as answer,
        ):
            return await answer.json()
