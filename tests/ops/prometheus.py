"""A real Prometheus beside the worker: scrapes every second, and evaluates the fast variant of the alerts.

It tells alerts to an Alertmanager, which we are: one that fires for a moment only is told too, however slow we are.
"""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml
from aiohttp import web

from helm.monitoring.alert import Pace
from helm.monitoring.files import alert_files
from tests.brokers.waiting import until
from tests.ops.promtool import binary
from worker.demo.process import Server, ServerError, free_port

_TIMEOUT = aiohttp.ClientTimeout(total=10.0)


class Prometheus:
    """One process with its data in `directory`; scrapes `target` (host:port) as job `worker`."""

    def __init__(self, directory: Path, target: str, pace: Pace) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.fired: dict[str, Mapping[str, Any]] = {}
        """Every alert that fired so far, with labels and annotations as Alertmanager would get them."""
        self.began = time.time()
        self._news = asyncio.Event()
        self._rules = directory / "rules"
        self._rules.mkdir(parents=True)
        for name, text in alert_files(pace).items():
            (self._rules / name).write_text(text, encoding="utf-8")
        self._target = target
        self._config = directory / "prometheus.yml"
        alertmanager = web.Application()
        alertmanager.router.add_post("/api/v2/alerts", self._told)
        self._alertmanager = web.AppRunner(alertmanager, access_log=None)
        self._server = Server(
            "Prometheus",
            [
                binary("prometheus"),
                f"--config.file={self._config}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--enable-feature=exemplar-storage",
            ],
            directory / "prometheus.log",
        )

    async def __aenter__(self) -> Self:
        await self._alertmanager.setup()
        site = web.TCPSite(self._alertmanager, "127.0.0.1", 0)
        await site.start()
        host, port = self._alertmanager.addresses[0][:2]
        self._config.write_text(yaml.safe_dump(self._configuration(f"{host}:{port}")), encoding="utf-8")
        self._server.start()
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        async with asyncio.timeout(60.0):
            while not await self._ready():
                if (ended := self._server.exit_message()) is not None:
                    raise ServerError(ended)
                await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        await self._server.stop()
        await self._alertmanager.cleanup()

    def _configuration(self, alertmanager: str) -> Mapping[str, Any]:
        return {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(self._rules / "*.yaml")],
            "scrape_configs": [{"job_name": "worker", "static_configs": [{"targets": [self._target]}]}],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        }

    async def _ready(self) -> bool:
        try:
            async with self._session.get(f"{self.url}/-/ready") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _told(self, request: web.Request) -> web.Response:
        # Also one that does not fire any more has fired: of others Alertmanager hears nothing.
        for alert in await request.json():
            self.fired.setdefault(alert["labels"]["alertname"], alert)
        self._news.set()
        return web.Response()

    async def _get(self, path: str, **parameters: str) -> Any:
        async with self._session.get(f"{self.url}/api/v1/{path}", params=parameters) as answer:
            body = await answer.json()
            assert body["status"] == "success", body
            return body["data"]

    async def fires(self, *names: str, timeout: float = 180.0) -> None:
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

    async def scraped(self) -> None:
        """Return once it holds a scrape of the worker that began after this call."""
        now = time.time()

        async def latest() -> float:
            return max(await self.values("max(timestamp(invoice_worker_build_info))"), default=0.0)

        await until(latest, lambda at: at > now, 60.0)
