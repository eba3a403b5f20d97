"""A real Prometheus beside the worker: scrapes every second, and evaluates the fast variant of the alerts."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml

from helm.monitoring.alert import Pace
from helm.monitoring.files import alert_files
from tests.ops.promtool import binary
from worker.demo.process import Server, ServerError, free_port

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)


class Prometheus:
    """One process with its data in `directory`; scrapes `target` (host:port) as job `worker`."""

    def __init__(self, directory: Path, target: str, pace: Pace) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.fired: dict[str, Mapping[str, Any]] = {}
        """Every alert that fired so far, with labels and annotations as they were first seen."""
        self.began = time.time()
        self._news = asyncio.Event()
        rules = directory / "rules"
        rules.mkdir(parents=True)
        for name, text in alert_files(pace).items():
            (rules / name).write_text(text, encoding="utf-8")
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules / "*.yaml")],
            "scrape_configs": [{"job_name": "worker", "static_configs": [{"targets": [target]}]}],
        }
        path = directory / "prometheus.yml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        self._server = Server(
            "Prometheus",
            [
                binary("prometheus"),
                f"--config.file={path}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--enable-feature=exemplar-storage",
            ],
            directory / "prometheus.log",
        )

    async def __aenter__(self) -> Self:
        self._server.start()
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        self._watching = asyncio.create_task(self._watch())
        async with asyncio.timeout(60.0):
            while not await self._ready():
                if (ended := self._server.exit_message()) is not None:
                    raise ServerError(ended)
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        await asyncio.gather(self._watching, return_exceptions=True)
        await self._session.close()
        await self._server.stop()

    async def _ready(self) -> bool:
        try:
            async with self._session.get(f"{self.url}/-/ready") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _watch(self) -> None:
        while True:
            try:
                for alert in (await self._get("alerts"))["alerts"]:
                    if alert["state"] == "firing":
                        self.fired.setdefault(alert["labels"]["alertname"], alert)
                        self._news.set()
            except (aiohttp.ClientError, TimeoutError):  # it is not up yet: asked again
                pass
            await asyncio.sleep(0.5)

    async def _get(self, path: str, **parameters: str) -> Any:
        async with self._session.get(f"{self.url}/api/v1/{path}", params=parameters) as answer:
            body = await answer.json()
            assert body["status"] == "success", body
            return body["data"]

    async def fires(self, *names: str, timeout: float = 90.0) -> None:
        """Return once all of these alerts have fired. Raises AssertionError when one did not within `timeout` s."""
        try:
            async with asyncio.timeout(timeout):
                while not set(names) <= set(self.fired):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"did not fire within {timeout:g} s: {set(names) - set(self.fired)}") from None

    async def exemplars(self, query: str) -> list[tuple[Mapping[str, str], Mapping[str, str]]]:
        """Every exemplar since the start of the series that a query names: the series' labels and the exemplar's."""
        data = await self._get("query_exemplars", query=query, start=f"{self.began:.0f}", end=f"{time.time() + 1:.0f}")
        return [(series["seriesLabels"], one["labels"]) for series in data for one in series["exemplars"]]

    async def values(self, query: str) -> list[float]:
        """Every value of a query since the start, each second."""
        data = await self._get(
            "query_range", query=query, start=f"{self.began:.0f}", end=f"{time.time():.0f}", step="1"
        )
        return [float(value) for series in data["result"] for _, value in series["values"]]
