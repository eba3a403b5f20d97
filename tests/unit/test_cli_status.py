"""`worker status` against a server of the worker's own."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from worker.cli import main
from worker.cli.status import address
from worker.telemetry.health import HealthServer

REPORT = {
    "at": "2026-11-27T07:00:00+00:00",
    "group": "g",
    "version": "1",
    "ready": True,
    "problems": [],
    "dead": [],
    "not_member": None,
    "not_served": [],
    "paused_creditors": [],
    "gate": {
        "state": "open",
        "why": "register was answered",
        "since": "2026-11-27T06:59:00+00:00",
        "next_probe_in_seconds": None,
    },
    "money_at_risk": {},
    "partitions": [],
}


class Served:
    """The health server in a thread of its own: the command blocks."""

    def __init__(self, report):
        self.report = report
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self.call(self._make())
        self.url = f"http://127.0.0.1:{self.call(self._server.start())}/status"

    async def _make(self):
        expose = lambda _: (b"", "text/plain")  # noqa: E731
        return HealthServer("127.0.0.1", 0, expose=expose, livez=list, readyz=list, status=lambda: self.report)

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def stop(self):
        self.call(self._server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served(dict(REPORT))
    yield server
    server.stop()


def test_ready_is_status_0(served: Served, capsys: pytest.CaptureFixture[str]):
    assert main(["status", "--url", served.url]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ready  group g  2026-11-27 07:00:00 UTC",
        "gate open since 06:59:00 UTC, 1 min ago: register was answered",
        "good to know: No partition is owned",
        "    It stands by while other processes of its group own them all. If none does:",
        "    docs/runbooks/nothing-owned.md",
        "",
        "no partition is owned",
    ]


def test_not_ready_is_status_1_and_json_is_the_report(served: Served, capsys: pytest.CaptureFixture[str]):
    served.report |= {"ready": False, "problems": ["rebalancing"]}
    assert main(["status", "--url", served.url, "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == served.report


def test_nobody_there_is_status_1_and_says_what_to_look_at(capsys: pytest.CaptureFixture[str]):
    assert main(["status", "--url", "http://127.0.0.1:1/status"]) == 1
    assert "is the worker running, and is this where it listens?" in capsys.readouterr().err


def port_of(served: Served) -> str:
    return str(urlsplit(served.url).port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "localhost", None])
def test_without_a_url_the_settings_say_where_it_is(
    served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str | None
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKER_HTTP_PORT", port_of(served))
    if host is not None:
        monkeypatch.setenv("WORKER_HTTP_HOST", host)
    # No setting of Kafka or Kravia is there, and one of ours is wrong: it is none of this command's.
    monkeypatch.setenv("WORKER_GRACE", "a while")
    assert main(["status"]) == 0


def test_they_may_be_in_a_dotenv_file(served: Served, tmp_path: Path):
    env_file = tmp_path / "other.env"
    env_file.write_text(f"WORKER_HTTP_PORT={port_of(served)}\n", encoding="utf-8")
    assert main(["status", "--env-file", str(env_file)]) == 0


def test_a_url_goes_before_the_settings(served: Served, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORKER_HTTP_PORT", "no port")
    assert main(["status", "--url", served.url]) == 0


@pytest.mark.parametrize(
    ("port", "told"),
    [("0", "WORKER_HTTP_PORT=0: each worker picks a free port"), ("http", "WORKER_HTTP_PORT=http: allowed: a whole")],
)
def test_a_port_that_says_nothing_asks_for_a_url(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, port: str, told: str
):
    monkeypatch.setenv("WORKER_HTTP_PORT", port)
    assert main(["status"]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "give --url http://host:port/status" in err


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:8080/status"),
        ("::", "http://localhost:8080/status"),
        ("::1", "http://[::1]:8080/status"),
        ("10.0.0.7", "http://10.0.0.7:8080/status"),
        ("worker.internal", "http://worker.internal:8080/status"),
    ],
)
def test_where_a_worker_is_asked(host: str, url: str):
    assert address(host, 8080) == url


def test_a_secrets_directory_that_is_missing_is_a_warning(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WORKER_HTTP_PORT", port_of(served))
    monkeypatch.setenv("WORKER_SECRETS_DIR", "/not/there")
    assert main(["status"]) == 0
    assert "warning: WORKER_SECRETS_DIR=/not/there" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["/metrics", "/nothing", "/livez"])
def test_another_address_is_named(served: Served, capsys: pytest.CaptureFixture[str], path: str):
    assert main(["status", "--url", served.url.replace("/status", path)]) == 1
    assert path in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--url", "file:///etc/passwd"], ["--watch", "0"], ["--url", "localhost"]])
def test_wrong_usage_is_status_2(words: list[str]):
    try:
        status = main(["status", *words])
    except SystemExit as stopped:
        status = int(str(stopped.code))
    assert status == 2


def test_watch_goes_on_until_it_is_interrupted(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    seen: list[float] = []

    def sleep(seconds: float) -> None:
        seen.append(seconds)
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", sleep)
    assert main(["status", "--url", served.url, "--watch", "5"]) == 130
    assert seen == [5.0, 5.0, 5.0]
    assert capsys.readouterr().out.count("ready  group g") == 3


def test_a_browser_gets_a_page(served: Served):
    async def get() -> tuple[str, str, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(served.url, headers={"Accept": "text/html,*/*;q=0.8"}) as answer,
        ):
            return answer.content_type, answer.headers["Content-Security-Policy"], await answer.text()

    kind, policy, text = asyncio.run(get())
    assert kind == "text/html"
    assert policy.startswith("default-src 'none'")
    assert text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("query", "again"), [("", False), ("?refresh=5", True), ("?refresh=1", False), ("?refresh=x", False)]
)
def test_a_browser_may_have_it_loaded_again(served: Served, query: str, again: bool):
    async def get() -> str:
        async with (
            aiohttp.ClientSession(headers={"Accept": "text/html"}) as session,
            session.get(served.url + query) as answer,
        ):
            return await answer.text()

    assert ('http-equiv="refresh" content="5"' in asyncio.run(get())) is again
