"""Connections to a secured Apache Kafka that can't work: `worker doctor` and `worker run` say why, and what to do."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from tests.brokers.secured import SecuredKafka
from tests.integration.secured_world import World, command, small_world
from worker.doctor.brokers import kafka_findings
from worker.doctor.findings import Finding, Level
from worker.kafka.security import Connection, connection_of
from worker.preflight import preflight

pytestmark = pytest.mark.apache


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(secured: SecuredKafka) -> AsyncIterator[World]:
    async with small_world(secured, "secured-connections") as made:
        yield made


def wrong(world: World, case: str) -> tuple[dict[str, str], str, str]:
    """The settings of a case; what must be said of it, and what to do."""
    login, certificate, kafka = world.login("worker"), world.certificate(), world.kafka
    port = kafka.sasl_ssl.rpartition(":")[2]
    plain = {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap}
    no_certificate = {
        name: value for name, value in certificate.items() if not name.startswith(("KAFKA_SSL_CERT", "KAFKA_SSL_KEY"))
    }
    stranger = {"KAFKA_SSL_CA_FILE": str(kafka.certificates.stranger)}
    cases: dict[str, tuple[dict[str, str], str, str]] = {
        "password": (
            login | {"KAFKA_SASL_PASSWORD": "wrong"},
            f"{kafka.sasl_ssl}: user or password is wrong (SASL: authentication failed)",
            "check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD",
        ),
        "mechanism": (
            login | {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"},
            f"{kafka.sasl_ssl}: it does not take KAFKA_SASL_MECHANISM=SCRAM-SHA-256",
            "sasl.enabled.mechanisms",
        ),
        "authority": (
            login | stranger,
            f"{kafka.sasl_ssl}: its certificate is not trusted (unable to get local issuer certificate)",
            "name the authority that signed it in KAFKA_SSL_CA_FILE",
        ),
        "name": (
            login | {"KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"},
            f"127.0.0.1:{port}: its certificate is for another name",
            "use a name that the certificate holds",
        ),
        "plain to TLS": (
            {"KAFKA_BOOTSTRAP_SERVERS": kafka.sasl_ssl},
            f"{kafka.sasl_ssl}: it speaks TLS, KAFKA_SECURITY_PROTOCOL is PLAINTEXT",
            "set KAFKA_SECURITY_PROTOCOL=SASL_SSL",
        ),
        "TLS to plain": (
            login | plain,
            f"{kafka.bootstrap}: it speaks without TLS, KAFKA_SECURITY_PROTOCOL is SASL_SSL",
            "take the port of a listener with TLS",
        ),
        "no SASL": (
            certificate | {"KAFKA_BOOTSTRAP_SERVERS": kafka.sasl_ssl},
            f"{kafka.sasl_ssl}: it hangs up on clients without SASL",
            "set KAFKA_SECURITY_PROTOCOL=SASL_SSL and the KAFKA_SASL_… settings",
        ),
        "no certificate": (
            no_certificate,
            f"{kafka.ssl}: it wants a client certificate that it trusts",
            "set KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE",
        ),
        "SASL where there is none": (
            {name: value for name, value in login.items() if name != "KAFKA_SSL_CA_FILE"}
            | plain
            | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
            f"{kafka.bootstrap}: this listener takes no SASL",
            "set KAFKA_SECURITY_PROTOCOL=PLAINTEXT and no KAFKA_SASL_…",
        ),
        "port": (
            login | {"KAFKA_BOOTSTRAP_SERVERS": "localhost:1"},
            "localhost:1: nothing listens there (connection refused)",
            "check KAFKA_BOOTSTRAP_SERVERS: the port",
        ),
        "no name": (
            login | {"KAFKA_BOOTSTRAP_SERVERS": "kafka.invalid:9092"},
            "kafka.invalid:9092: this name has no address",
            "check KAFKA_BOOTSTRAP_SERVERS: its spelling and this machine's name servers",
        ),
        "advertised": (
            {"KAFKA_BOOTSTRAP_SERVERS": kafka.astray},
            "broker 1 advertises itself as broker-1.invalid:9092: this name has no address",
            "correct the broker's advertised.listeners",
        ),
    }
    return cases[case]


CASES = (
    "password",
    "mechanism",
    "authority",
    "name",
    "plain to TLS",
    "TLS to plain",
    "no SASL",
    "no certificate",
    "SASL where there is none",
    "port",
    "no name",
    "advertised",
)


def connect(world: World, values: dict[str, str]) -> Connection:
    connection = connection_of(world.settings(values))
    assert isinstance(connection, Connection)
    return connection


async def examine(world: World, values: dict[str, str]) -> list[Finding]:
    return [found async for found in kafka_findings(world.settings(values), connect(world, values))]


@pytest.mark.parametrize("case", CASES)
async def test_the_doctor_says_why_and_what_to_do(world: World, case: str) -> None:
    values, why, remedy = wrong(world, case)
    [finding] = await examine(world, values)
    assert (finding.level, finding.area, finding.what) == (Level.FAIL, "kafka", "brokers")
    assert finding.detail.startswith(why)
    assert remedy in finding.remedy


@pytest.mark.parametrize("case", CASES)
async def test_the_worker_refuses_to_start_with_the_same_words(world: World, case: str) -> None:
    values, why, remedy = wrong(world, case)
    with capture_logs() as logs:
        assert await preflight(world.settings(values), connect(world, values)) is None
    [line] = [line for line in logs if line["event"] == "refused_to_start"]
    assert line["detail"].startswith(f"the brokers are not available: {why}")
    assert remedy in line["detail"]


async def test_the_commands_say_it_too_and_never_the_password(world: World, tmp_path: Path) -> None:
    values = {**world.topics(), **world.login("worker"), "KAFKA_SASL_PASSWORD": "tk-4711", "KRAVIA_TOKEN": "local"}
    status, out, err = await command(tmp_path, values, "run")
    assert status == 2
    [line] = [line for line in map(json.loads, (out + err).splitlines()) if line["event"] == "refused_to_start"]
    assert "user or password is wrong" in line["detail"]
    listed, told, complaint = await command(tmp_path, values, "dead-letters", "list")
    assert (listed, told) == (1, "")
    assert "Kafka could not be read" in complaint
    assert "check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD" in complaint
    assert "tk-4711" not in out + err + complaint


async def test_one_bootstrap_server_that_is_away_is_a_warning(world: World) -> None:
    values = world.login("worker") | {"KAFKA_BOOTSTRAP_SERVERS": f"localhost:1,{world.kafka.sasl_ssl}"}
    [finding] = [found for found in await examine(world, values) if found.level is not Level.OK]
    assert (finding.level, finding.what) == (Level.WARN, "KAFKA_BOOTSTRAP_SERVERS")
    assert finding.detail == "localhost:1: nothing listens there (connection refused)"


async def test_topics_that_a_user_may_not_see_are_not_called_missing(world: World) -> None:
    values = world.login("bare")
    with capture_logs() as logs:
        assert await preflight(world.settings(values), connect(world, values)) is None
    refused = [line["detail"] for line in logs if line["event"] == "refused_to_start"]
    assert len(refused) == 6
    assert all("hidden: this user has no right on it" in detail for detail in refused)
    assert all("remedy: give this user its rights: worker doctor names them" in detail for detail in refused)
