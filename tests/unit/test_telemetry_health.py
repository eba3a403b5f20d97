"""The server of metrics and probes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from structlog.testing import capture_logs

from worker.telemetry.health import HealthServer
from worker.telemetry.metrics import PrometheusObserver


@dataclass
class Running:
    url: str
    logged: list[dict[str, object]]
    alive: list[str] = field(default_factory=list)
    ready: list[str] = field(default_factory=list)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    state = Running("", [])
    server = HealthServer(
        "127.0.0.1", 0, expose=PrometheusObserver().expose, livez=lambda: state.alive, readyz=lambda: state.ready
    )
    with capture_logs() as logged:
        port = await server.start()
    state.url, state.logged = f"http://127.0.0.1:{port}", [dict(line) for line in logged]
    yield state
    await server.stop()


async def get(url: str, **headers: str) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_port_0_picks_a_free_one_and_logs_it(running: Running):
    port = int(running.url.rpartition(":")[2])
    assert port > 0
    assert running.logged == [{"event": "http_listening", "host": "127.0.0.1", "port": port, "log_level": "info"}]


@pytest.mark.parametrize(("path", "which"), [("/livez", "alive"), ("/readyz", "ready")])
async def test_a_probe_answers_with_its_problems(running: Running, path: str, which: str):
    assert (await get(running.url + path))[0] == 200
    getattr(running, which).append("the gate is closed: 401 from Kravia")
    status, content_type, text = await get(running.url + path)
    assert (status, content_type) == (503, "application/json; charset=utf-8")
    assert "the gate is closed: 401 from Kravia" in text


async def test_being_unready_is_not_being_dead(running: Running):
    running.ready.append("no partition is restored yet")
    assert (await get(running.url + "/livez"))[0] == 200


async def test_metrics_in_the_format_that_was_asked_for(running: Running):
    status, content_type, text = await get(running.url + "/metrics")
    assert (status, content_type.partition(";")[0]) == (200, "text/plain")
    assert "invoice_worker_settled_total" in text
    _, content_type, text = await get(running.url + "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


async def test_a_port_that_is_taken_is_an_os_error(running: Running):
    port = int(running.url.rpartition(":")[2])
    second = HealthServer("127.0.0.1", port, expose=PrometheusObserver().expose, livez=list, readyz=list)
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.stop()


async def test_after_stop_nothing_listens(running: Running):
    server = HealthServer("127.0.0.1", 0, expose=PrometheusObserver().expose, livez=list, readyz=list)
    port = await server.start()
    await server.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await get(f"http://127.0.0.1:{port}/livez")
