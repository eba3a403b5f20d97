"""What the doctor says of each thing that it looks at: level, what is wrong, what to do."""

import asyncio
import json
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.fakes_http import serving
from tests.unit.fakes_time import VirtualClock
from worker.answers import Done, Forbidden, NotSent, Refused, Stop, Throttled, Unclear
from worker.cli import main
from worker.demo.simulator import Simulator
from worker.demo.simulator_settings import SimulatorSettings
from worker.doctor.findings import Level, fail, failed, ok, warn
from worker.doctor.kravia import answer_finding
from worker.doctor.machine import document_findings, open_files, port_finding, spool_finding
from worker.kravia import FixedToken, KraviaConfig
from worker.kravia.probe import Probed, probe
from worker.settings import Settings


class TestKravia:
    @pytest.mark.parametrize(
        ("answer", "level", "says"),
        [
            (Done(), Level.OK, "the token is good"),
            (Stop(401), Level.FAIL, "the token is wrong or expired"),
            (Stop(302), Level.FAIL, "302: it redirects, and redirects are not followed"),
            (Refused(404, ()), Level.FAIL, "there is no API at this address"),
            (Forbidden(), Level.FAIL, "403"),
            (NotSent("dns"), Level.FAIL, "not_sent_dns"),
            (Throttled(429, None), Level.WARN, "429"),
            (Unclear("unreadable", 200, fields=("hits",)), Level.WARN, "it holds hits"),
            (Unclear("server_error", 500), Level.FAIL, "server_error"),
        ],
    )
    def test_each_answer(self, answer, level: Level, says: str):
        finding = answer_finding(Probed(answer), "https://api.example.com")
        assert finding.level is level
        assert says in finding.detail
        assert bool(finding.remedy) == (level is not Level.OK)

    def test_a_redirect_and_a_web_page_are_told_as_what_they_are(self):
        finding = answer_finding(Probed(Stop(302), redirect="https://login.example.com"), "https://api.example.com")
        assert finding.detail == "302: it redirects to https://login.example.com, and redirects are not followed"
        page = answer_finding(Probed(Unclear("unreadable", 200), page=True), "https://api.example.com")
        assert page.level is Level.FAIL
        assert "a web page: this is not the API" in page.detail
        assert "KRAVIA_BASE_URL" in page.remedy

    async def test_of_a_redirect_only_scheme_and_host_are_kept(self):
        token, moved = FixedToken(SecretStr("tk")), "Location: https://login.example.com:8443/in?session=s3cret"
        async with serving(_saying(f"302 Found\r\n{moved}")) as server:
            told = await probe(KraviaConfig(base_url=server.url), token, _Now())
        assert (told.answer, told.redirect, told.page) == (Stop(302), "https://login.example.com", False)
        async with serving(_saying("200 OK\r\nContent-Type: text/html; charset=utf-8", b"<p>Welcome")) as server:
            told = await probe(KraviaConfig(base_url=server.url), token, _Now())
        assert (told.answer, told.page) == (Unclear("unreadable", 200), True)

    async def test_one_search_and_nothing_else(self):
        async with Simulator(SimulatorSettings(record=True)) as kravia:
            token = FixedToken(SecretStr(kravia.settings.token))
            told = await probe(KraviaConfig(base_url=kravia.url), token, _Now())
            assert isinstance(told.answer, Done)
            assert told.ahead is not None
            assert abs(told.ahead) <= told.uncertain + 0.1
            wrong = await probe(KraviaConfig(base_url=kravia.url), FixedToken(SecretStr("wrong")), _Now())
            assert wrong.answer == Stop(401)
            shifted = await probe(KraviaConfig(base_url=kravia.url), token, _Now(timedelta(minutes=3)))
            assert shifted.ahead == pytest.approx(180, abs=5)
            assert kravia.ledger.by_identity == {}
            assert {request.method for request in kravia.recorded} == {"GET"}


def _saying(head: str, body: bytes = b""):
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


class _Now(VirtualClock):
    """The system's wall time, shifted."""

    def __init__(self, shift: timedelta = timedelta()) -> None:
        super().__init__()
        self._shift = shift

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift


class TestMachine:
    def test_open_files(self):
        assert open_files(1024, 472).level is Level.OK
        assert open_files(-1, 472).level is Level.OK
        assert open_files(256, 472).remedy.startswith("ulimit -n 472")

    def test_the_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            finding = port_finding("127.0.0.1", taken.getsockname()[1])
        assert (finding.level, finding.detail) == (Level.WARN, "in use")
        assert port_finding("127.0.0.1", 0).level is Level.OK
        assert port_finding("203.0.113.7", 8080).level is Level.FAIL

    def test_the_spool(self, tmp_path: Path):
        assert spool_finding(tmp_path, 1).level is Level.OK
        assert spool_finding(tmp_path, 2**60).level is Level.WARN
        gone = spool_finding(tmp_path / "gone", 1)
        assert (gone.level, gone.remedy) == (
            Level.FAIL,
            "set DOCUMENT_SPOOL_DIR to a directory that this user can write to",
        )
        assert list(tmp_path.iterdir()) == []

    async def test_hosts_of_documents(self, tmp_path: Path):
        async def ask(host: str, port: int) -> list[str]:
            if host == "typo.example.com":
                raise socket.gaierror(-2, "Name or service not known")
            return {"inside.example.com": ["10.1.2.3"], "both.example.com": ["10.1.2.3", "93.184.215.14"]}[host]

        hosts = "typo.example.com,inside.example.com,both.example.com:8443,*.below.example.com"
        settings = Settings(kafka_bootstrap_servers="h:1", document_allow_hosts=hosts, document_spool_dir=tmp_path)
        _, typo, inside, both, below = [finding async for finding in document_findings(settings, ask)]
        assert (typo.level, inside.level, both.level, below.level) == (Level.WARN, Level.FAIL, Level.OK, Level.OK)
        assert "DOCUMENT_ALLOW_NETWORKS" in inside.remedy
        assert both.detail == "2 addresses, 1 of them allowed"

        allowed = settings.model_copy(update={"document_allow_networks": "10.0.0.0/8"})
        found = [finding async for finding in document_findings(allowed, ask)]
        assert found[2].level is Level.OK

    async def test_no_hosts_is_a_choice(self):
        [finding] = [found async for found in document_findings(Settings(kafka_bootstrap_servers="h:1"))]
        assert finding.level is Level.OK


class TestCommand:
    @pytest.fixture(autouse=True)
    def surroundings(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        for name in list(os.environ):
            if name.startswith(("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_", "RULE_", "DOCUMENT_", "LIMIT_")):
                monkeypatch.delenv(name)
        monkeypatch.setenv("WORKER_HTTP_PORT", "0")

    def test_refused_settings_are_status_2_each_with_what_to_do(self, capsys: pytest.CaptureFixture[str]):
        assert main(["doctor", "--json"]) == 2
        found = json.loads(capsys.readouterr().out)
        assert {finding["level"] for finding in found} == {"fail"}
        assert any("KAFKA_BOOTSTRAP_SERVERS" in finding["detail"] for finding in found)
        assert any("KRAVIA_TOKEN" in finding["detail"] for finding in found)
        assert main(["doctor"]) == 2
        assert capsys.readouterr().out.startswith("fail  settings ")

    def test_brokers_that_are_away_are_status_1_and_the_rest_is_looked_at(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ):
        monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        monkeypatch.setenv("KRAVIA_BASE_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("KRAVIA_TOKEN", "tk-4711-secret")
        assert main(["doctor", "--json"]) == 1
        text = capsys.readouterr().out
        failures = [(found["area"], found["what"]) for found in json.loads(text) if found["level"] == "fail"]
        assert failures == [("kafka", "brokers"), ("kravia", "search at http://127.0.0.1:1")]
        assert "tk-4711" not in text

    def test_wrong_usage_is_status_2(self):
        with pytest.raises(SystemExit) as stopped:
            main(["doctor", "now"])
        assert stopped.value.code == 2


def test_only_a_failure_fails():
    assert not failed([ok("a", "b", "c"), warn("a", "b", "c", "d")])
    assert failed([ok("a", "b", "c"), fail("a", "b", "c", "d")])
