"""A real worker process for a test: `python -m worker run`, started, killed, frozen, asked through its own server."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.brokers.waiting import equals, until
from worker.demo.launch import command, python_path
from worker.demo.process import Server
from worker.demo.scrape import Series, parse

_ASK = aiohttp.ClientTimeout(total=20)
START_TIMEOUT = 60.0
"""Seconds. Long: how fast a busy machine starts a process says nothing about the worker."""


class _Process(Server):
    @property
    def status(self) -> int | None:
        """Exit status (negative: the signal that ended it); None while it runs."""
        return None if self._process is None else self._process.poll()


class WorkerProcess:
    """One worker with its settings. `start` after its end starts it again, with other settings where they are given."""

    def __init__(self, name: str, directory: Path, values: Mapping[str, str], *options: str) -> None:
        """`directory` is its current directory and holds its log; `values`: every setting, by its variable's name.

        `options` are those of `worker run`.
        """
        self._options = options
        self.name = name
        self._directory = directory
        self._values = dict(values)
        self._process: _Process | None = None
        self._log_start = 0
        directory.mkdir(parents=True, exist_ok=True)

    def start(self, **changes: str) -> None:
        """Start it; it is not ready yet. `changes` hold for this life only."""
        log = self._directory / "worker.log"
        self._log_start = log.stat().st_size if log.exists() else 0
        values = self._values | changes
        self._process = _Process(
            self.name, command(self._directory, values, *self._options), log, python_path(os.environ)
        )
        self._process.start()

    async def ready(self, timeout: float = START_TIMEOUT) -> None:
        """Wait until it serves all that it was assigned. AssertionError when it ends or does not get there."""
        await until(self._is_ready, bool, timeout)

    async def _is_ready(self) -> bool:
        assert self.status is None, f"{self.name} ended with status {self.status}; its log ends with:\n{self.log_end()}"
        status, _ = await self.ask("readyz")
        return status == 200

    async def run(self, **changes: str) -> None:
        """`start` and `ready`."""
        self.start(**changes)
        await self.ready()

    # Its end

    @property
    def status(self) -> int | None:
        """Exit status (negative: the signal that ended it); None while it runs, or was not started."""
        return None if self._process is None else self._process.status

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    @property
    def pid(self) -> int:
        return self._live().pid

    async def ended(self, timeout: float = START_TIMEOUT) -> int:
        """Wait for its end and return its exit status."""

        async def look() -> int | None:
            return self.status

        status = await until(look, lambda seen: seen is not None, timeout)
        assert status is not None
        return status

    async def killed(self, timeout: float = START_TIMEOUT) -> None:
        """Wait until it killed itself at its fault point."""
        assert await self.ended(timeout) == -signal.SIGKILL, self.log_end()
        assert any("fault point" in line and "reached" in line for line in self.log_lines()), self.log_end()

    def kill(self) -> None:
        """kill -9; also what is frozen. Nothing when it does not run."""
        if self._process is not None:
            self._process.kill()

    def terminate(self) -> None:
        """SIGTERM."""
        self._live().signal(signal.SIGTERM)

    async def stop(self, timeout: float = START_TIMEOUT) -> int:
        """SIGTERM, wait for its end, return its exit status."""
        self.terminate()
        return await self.ended(timeout)

    # Frozen

    async def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and does nothing. Returns when all its threads stand still."""
        self._live().signal(signal.SIGSTOP)
        await self.frozen()

    async def frozen(self, timeout: float = START_TIMEOUT) -> None:
        """Wait until it stands still, by `freeze` or by a fault point."""

        async def look() -> bool:
            return self._state() == "T"

        await equals(look, True, timeout)

    def _state(self) -> str:
        """The kernel's letter for what it does (`man 5 proc`): T is stopped by a signal."""
        text = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii", errors="replace")
        return text.rpartition(")")[2].split()[0]

    def thaw(self) -> None:
        """SIGCONT."""
        self._live().signal(signal.SIGCONT)

    # What it says

    async def ask(self, path: str) -> tuple[int, str]:
        """Status and text of its own server's answer; status 0 when it does not answer (yet)."""
        port = self.http_port()
        if port is None:
            return 0, ""
        try:
            async with (
                aiohttp.ClientSession(timeout=_ASK) as session,
                session.get(f"http://127.0.0.1:{port}/{path}") as answer,
            ):
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError):  # not up yet, ending, or busy: whoever waits asks again
            return 0, ""

    def http_port(self) -> int | None:
        """Where its server listens, as it logged it."""
        for line in self.log():
            if line.get("event") == "http_listening":
                return int(line["port"])
        return None

    async def metrics(self) -> dict[Series, float]:
        """Its metrics now; empty when it does not answer."""
        status, text = await self.ask("metrics")
        return parse(text) if status == 200 else {}

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's series (name without prefix) that have these labels, 0 when there is none."""
        found = await self.metrics()
        return sum(
            value
            for series, value in found.items()
            if series.name == name and all(series.label(label) == wanted for label, wanted in labels.items())
        )

    def log_lines(self) -> list[str]:
        """The lines that it wrote in this life."""
        log = self._directory / "worker.log"
        if not log.exists():
            return []
        return log.read_bytes()[self._log_start :].decode(errors="replace").splitlines()

    def log(self) -> list[dict[str, Any]]:
        """What it logged in this life."""
        log = self._directory / "worker.log"
        # What has no line's end yet is still being written.
        whole, _, _ = (log.read_bytes()[self._log_start :] if log.exists() else b"").rpartition(b"\n")
        lines = whole.decode(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def log_end(self, lines: int = 25) -> str:
        """The end of its log, for a failure's message."""
        return "\n".join(self.log_lines()[-lines:])

    def _live(self) -> _Process:
        assert self._process is not None, f"{self.name} was not started"
        return self._process


async def all_ready(*workers: WorkerProcess, timeout: float = START_TIMEOUT) -> None:
    """Wait until all are ready."""
    await asyncio.gather(*(worker.ready(timeout) for worker in workers))
