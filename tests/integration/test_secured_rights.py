"""`worker doctor` on an Apache Kafka with ACLs: each right of the worker taken away, one by one, and granted again."""

import asyncio
import shlex
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.brokers.jars import java, kafka_jars
from tests.brokers.secured import SecuredKafka
from tests.integration.secured_world import CLIENT, World, grant, small_world
from worker.doctor import roles
from worker.doctor.brokers import kafka_findings
from worker.doctor.findings import Finding, Level
from worker.kafka.rights import Operation
from worker.kafka.security import Connection, connection_of
from worker.model import TopicNames

pytestmark = pytest.mark.apache

GROUP = "secured-rights"
PLACEHOLDERS = roles.worker(TopicNames(), GROUP)
"""The worker's rights on topics of the default names: the same places as those on a test's own topics."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(secured: SecuredKafka) -> AsyncIterator[World]:
    async with small_world(secured, GROUP) as made:
        yield made


async def examine(world: World, login: dict[str, str], **changes: str) -> list[Finding]:
    """What the doctor says of Kafka."""
    settings = world.settings({**login, **changes})
    connection = connection_of(settings)
    assert isinstance(connection, Connection)
    return [finding async for finding in kafka_findings(settings, connection)]


def unwell(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is not Level.OK]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
async def test_with_exactly_the_documented_rights_all_is_in_order(world: World, mechanism: str) -> None:
    findings = await examine(world, world.login("worker", mechanism=mechanism))
    assert unwell(findings) == []
    assert {finding.area for finding in findings} == {"kafka", "topics", "rights", "group", "ledger"}
    journal = next(finding for finding in findings if finding.what == world.names.journal)
    assert journal.detail == "Read, Write, Delete, DescribeConfigs: allowed"


@pytest.mark.parametrize("place", range(len(PLACEHOLDERS)), ids=[str(right) for right in PLACEHOLDERS])
async def test_a_right_that_is_taken_away_is_named_alone_with_the_command_that_grants_it(
    world: World, place: int
) -> None:
    right = roles.worker(world.names, world.group)[place]
    await world.kafka.acls.take("worker", grant(right))
    try:
        found = unwell(await examine(world, world.login("worker")))
    finally:
        await world.allow("worker", [right])
    [finding] = found
    only = right.operation is Operation.DESCRIBE_CONFIGS
    assert finding.level is (Level.WARN if only else Level.FAIL)
    assert (finding.what, finding.detail) == (str(right), f"not allowed: {right.without}")
    [command] = roles.commands([right], "User:worker", world.kafka.sasl_ssl)
    assert finding.remedy == command


async def test_who_has_no_right_at_all_is_told_each_and_no_topic_is_called_missing(world: World) -> None:
    found = unwell(await examine(world, world.login("bare")))
    assert [finding.what for finding in found] == [str(right) for right in roles.worker(world.names, world.group)]


async def test_the_printed_commands_mend_it_as_they_are(world: World) -> None:
    taken = [
        right
        for right in roles.worker(world.names, world.group)
        if right.operation is Operation.DELETE or right.kind is not roles.Kind.TOPIC
    ]
    assert len(taken) == 3
    await world.kafka.acls.take("worker", *map(grant, taken))
    found = unwell(await examine(world, world.login("worker")))
    assert [finding.what for finding in found] == [str(right) for right in taken]
    await asyncio.gather(*(kafka_acls(world, finding.remedy) for finding in found))
    assert unwell(await examine(world, world.login("worker"))) == []


async def kafka_acls(world: World, command: str) -> None:
    """Run the command as Kafka's script would, as a super user."""
    script, *words = shlex.split(command)
    assert script == "kafka-acls.sh"
    words[words.index(world.kafka.sasl_ssl)] = world.kafka.bootstrap
    tool = [
        java(),
        "-Xmx64m",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{kafka_jars()}/*",
        "org.apache.kafka.tools.AclCommand",
    ]
    process = await asyncio.create_subprocess_exec(
        *tool, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()


async def test_a_client_certificate_is_a_user_too(world: World) -> None:
    user = f"CN={CLIENT}"
    findings = await examine(world, world.certificate())
    assert {finding.what for finding in unwell(findings)} == {
        str(right) for right in roles.worker(world.names, world.group)
    }
    await world.allow(user, roles.worker(world.names, world.group))
    try:
        assert unwell(await examine(world, world.certificate())) == []
    finally:
        await world.kafka.acls.take(user)


async def test_a_time_out_of_transactions_above_the_brokers_is_named(world: World) -> None:
    [finding] = unwell(await examine(world, world.login("worker"), KAFKA_TRANSACTION_TIMEOUT="300"))
    assert (finding.level, finding.what) == (Level.FAIL, "KAFKA_TRANSACTION_TIMEOUT")
    assert "300 s is above the broker's transaction.max.timeout.ms" in finding.detail
