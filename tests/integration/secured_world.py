"""A cluster that checks everybody, and the people of a deployment with the rights that their roles have in the docs."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.brokers import topics as topic_sets
from tests.brokers.acls import Grant
from tests.brokers.secured import SecuredKafka
from worker.demo.launch import python_path
from worker.doctor import roles
from worker.doctor.roles import Kind, Right
from worker.model import TopicNames
from worker.settings import Settings

PASSWORDS = {name: f"{name}-9c41" for name in ("worker", "bare", "admin", "operator", "finance", "producer", "reader")}
CLIENT = "invoice-worker"
"""The common name of the client certificate."""
_KINDS = {Kind.TOPIC: "Topic", Kind.GROUP: "Group", Kind.TRANSACTIONAL_ID: "TransactionalId"}


def grant(right: Right) -> Grant:
    return Grant(_KINDS[right.kind], right.name, right.operation.told, right.prefixed)


@dataclass(frozen=True)
class World:
    """The cluster, six topics in it, and the worker's group."""

    kafka: SecuredKafka
    names: TopicNames
    group: str

    async def allow(self, user: str, rights: Iterable[Right]) -> None:
        await self.kafka.acls.allow(user, [grant(right) for right in rights])

    def login(self, user: str, *, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """The variables with which a user comes."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.sasl_ssl,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": mechanism,
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": PASSWORDS[user],
            "KAFKA_SSL_CA_FILE": str(self.kafka.certificates.ca),
        }

    def certificate(self) -> dict[str, str]:
        """Those of who comes with the client certificate."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.ssl,
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CA_FILE": str(self.kafka.certificates.ca),
            "KAFKA_SSL_CERT_FILE": str(self.kafka.certificates.client_cert),
            "KAFKA_SSL_KEY_FILE": str(self.kafka.certificates.client_key),
        }

    def topics(self) -> dict[str, str]:
        """The variables that name the topics and the group."""
        fields = ("requests", "replays", "journal", "ledger", "outcomes", "dead_letters")
        named = {f"TOPIC_{field.upper()}": getattr(self.names, field) for field in fields}
        return {**named, "KAFKA_GROUP_ID": self.group}

    def settings(self, login: dict[str, str]) -> Settings:
        """As `worker run` would load them."""
        values = {**self.topics(), **login, "KRAVIA_TOKEN": "local"}
        return Settings(**{name.lower(): value for name, value in values.items()})  # type: ignore[arg-type]


@asynccontextmanager
async def secured_kafka(directory: Path) -> AsyncIterator[SecuredKafka]:
    """The cluster, gone afterwards."""
    kafka = SecuredKafka(directory, PASSWORDS, CLIENT)
    try:
        await kafka.start()
        yield kafka
    finally:
        kafka.kill()


@asynccontextmanager
async def small_world(kafka: SecuredKafka, group: str) -> AsyncIterator[World]:
    """Topics of one partition, and a user `worker` who has exactly the worker's rights on them."""
    world = World(kafka, topic_sets.unique_names(), group)
    await topic_sets.create(kafka.bootstrap, world.names, partitions=1)
    await world.allow("worker", roles.worker(world.names, group))
    try:
        yield world
    finally:
        await kafka.acls.take("worker")
        await topic_sets.delete(kafka.bootstrap, world.names)


async def command(directory: Path, values: dict[str, str], *words: str) -> tuple[int, str, str]:
    """`worker …` in a process of its own, with these variables and no others: status, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker", *words),
        env={"PATH": os.environ["PATH"], **python_path(os.environ), **values},
        cwd=directory,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
