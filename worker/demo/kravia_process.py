"""The simulated Kravia of the demo: a process of its own, so that what it holds is nobody else's word."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from worker.demo.launch import python_path
from worker.demo.process import Server, ServerError, free_port
from worker.demo.simulator_faults import Fault

_START_TIMEOUT = 30.0
_CONTROL_TIMEOUT = aiohttp.ClientTimeout(total=10.0)

FAULTS: tuple[Fault, ...] = (
    # What the worker must get over without anybody noticing …
    Fault(kind="status", step="register", status=429, retry_after=1, probability=0.01, times=3),
    Fault(kind="status", step="attach", status=500, probability=0.05),
    Fault(kind="status", step="start", status=500, processed=True, probability=0.03),
    Fault(kind="status", step="start", status=503, retry_after=1, probability=0.01, times=3),
    Fault(kind="lost", step="start", probability=0.02),
    Fault(kind="slow", step="register", delay=1.0, probability=0.01),
    # … and what leaves a doubt: the worker can't tell these two apart, so it must register neither again.
    Fault(kind="lost", step="register", probability=0.01, times=3),
    Fault(kind="reset", step="register", probability=0.01, times=3),
)


class KraviaProcess:
    """Starts, steers and reads the simulator through its control API."""

    def __init__(self, directory: Path, token: str, *, seed: int, latency: float) -> None:
        """`latency` of each call in seconds; `seed` makes its faults repeatable."""
        self.calls: Mapping[tuple[str, ...], int] = {}
        """Calls that it got so far, by step and by what became of them: a status, `lost`, `reset`."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = {"--port": str(port), "--token": token, "--seed": str(seed), "--latency": str(latency)}
        self._server = Server(
            "the simulated Kravia",
            [sys.executable, "-m", "worker.demo.simulator", *(word for option in options.items() for word in option)],
            directory / "kravia.log",
            python_path(os.environ),
        )

    async def start(self) -> None:
        """Start it and set its faults. Raises ServerError when it does not answer."""
        self._server.start()
        faults = [fault.model_dump(mode="json") for fault in FAULTS]
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while not await self._steered("faults", faults):
                    if (ended := self._server.exit_message()) is not None:
                        raise ServerError(ended)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ServerError(f"the simulated Kravia did not answer within {_START_TIMEOUT:g} s") from None

    async def registrations(self) -> Mapping[str, int]:
        """How often its ledger holds each identity. Raises ServerError when it does not answer."""
        async with aiohttp.ClientSession(timeout=_CONTROL_TIMEOUT) as session:
            ledger: Mapping[str, list[object]] = await self._told(session, "ledger")
        return {identity: len(invoices) for identity, invoices in ledger.items()}

    async def watch(self, interval: float) -> None:
        """Keep `calls` up to date every `interval` seconds, until cancelled. Raises ServerError as above."""
        async with aiohttp.ClientSession(timeout=_CONTROL_TIMEOUT) as session:
            while True:
                calls: Mapping[str, Mapping[str, int]] = (await self._told(session, "stats"))["calls"]
                self.calls = {(step, what): n for step, counts in calls.items() for what, n in counts.items()}
                await asyncio.sleep(interval)

    async def _told(self, session: aiohttp.ClientSession, name: str) -> Any:
        try:
            async with session.get(f"{self.url}/_sim/{name}") as answer:
                answer.raise_for_status()
                return await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ServerError(f"the simulated Kravia did not tell its {name}: {type(error).__name__}") from error

    async def stop(self) -> None:
        """End it."""
        await self._server.stop(5.0)

    async def _steered(self, name: str, value: object) -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=_CONTROL_TIMEOUT) as session,
                session.post(f"{self.url}/_sim/{name}", json=value) as answer,
            ):
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):  # it does not listen yet
            return False
