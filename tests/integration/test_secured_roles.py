"""Each role of a deployment on an Apache Kafka with ACLs, with the rights that the docs list for it and no others."""

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Message, Producer

from tests.brokers import topics as topic_sets
from tests.brokers.clients import Clients
from tests.brokers.secured import SecuredKafka
from tests.brokers.waiting import until
from tests.integration.apache_ops import PATIENCE, Ops
from tests.integration.doubts import WAITS, settled_among_others
from tests.integration.events import Draft, event
from tests.integration.harness import Scene
from tests.integration.secured_world import World, command
from worker.cli import main
from worker.demo.simulator import Simulator
from worker.demo.simulator_faults import Fault
from worker.doctor import roles
from worker.doctor.roles import Kind
from worker.kafka.rights import Operation
from worker.model import Coordinates

pytestmark = pytest.mark.apache

GROUP, BILLING = "secured-roles", "billing"
DECISION = ("--who", "kari", "--why", "Kravia takes it now", "--yes", "--json")


class Desk:
    """The worker's commands as one user, in this process: most of a command's time is its start."""

    def __init__(self, world: World, user: str, kravia: Simulator, directory: Path) -> None:
        self._file = directory / f"{user}.env"
        values = {
            **world.topics(),
            **world.login(user),
            **WAITS,
            "KRAVIA_BASE_URL": kravia.url,
            "KRAVIA_TOKEN": kravia.settings.token,
            "WORKER_HTTP_PORT": "0",
        }
        self._file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        """Status, stdout, stderr."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = await asyncio.to_thread(main, [*words, "--env-file", str(self._file)])
        return status, out.getvalue(), err.getvalue()


def librdkafka(world: World, user: str) -> dict[str, str]:
    """A client's settings as other teams write them."""
    login = world.login(user)
    return {
        "bootstrap.servers": world.kafka.sasl_ssl,
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": user,
        "sasl.password": login["KAFKA_SASL_PASSWORD"],
        "ssl.ca.location": login["KAFKA_SSL_CA_FILE"],
    }


def produce(world: World, drafts: list[Draft]) -> list[Coordinates]:
    """As the upstream producer, idempotent; where each landed."""
    landed: list[Coordinates] = []

    def report(error: object, message: Message) -> None:
        if error is not None:
            raise KafkaException(error)
        landed.append(Coordinates(message.topic(), message.partition(), message.offset()))

    options = {"partitioner": "murmur2_random", "enable.idempotence": True}
    producer = Producer({**librdkafka(world, "producer"), **options})
    for draft in drafts:
        producer.produce(
            world.names.requests, draft.value, key=draft.key, headers=list(draft.headers), on_delivery=report
        )
        assert producer.flush(30) == 0
    return landed


def outcomes(world: World, count: int) -> Iterator[str]:
    """The identities of so many outcomes, as whoever reads them in a group."""
    options = {"group.id": BILLING, "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    consumer = Consumer({**librdkafka(world, "reader"), **options})
    consumer.subscribe([world.names.outcomes])
    try:
        while count:
            record = consumer.poll(1.0)
            if record is not None:
                assert record.error() is None
                consumer.commit(message=record, asynchronous=False)
                yield (record.key() or b"").decode()
                count -= 1
    finally:
        consumer.close()


async def test_each_role_does_its_work_with_its_rights_alone(secured: SecuredKafka, tmp_path: Path) -> None:
    world = World(secured, topic_sets.unique_names(), GROUP)
    names = world.names
    async with Simulator() as kravia, AsyncExitStack() as stack:
        clients = Clients(secured.bootstrap, stack)
        scene = Scene(secured, clients, names, GROUP, kravia, tmp_path, partitions=2)
        stack.push_async_callback(scene.close)

        # Administrator
        await world.allow("admin", roles.admin(names))
        desk = Desk(world, "admin", kravia, tmp_path)
        status, out, err = await desk("topics", "create", "--partitions", "2", "--replication", "1")
        assert (status, out.count("created ")) == (0, 6), err
        assert (await desk("topics", "check"))[:2] == (0, "all six topics are as they must be\n")

        # Worker, asked first
        await world.allow("worker", roles.worker(names, GROUP))
        values = {**world.topics(), **world.login("worker"), "WORKER_HTTP_PORT": "0"}
        values |= {"KRAVIA_BASE_URL": kravia.url, "KRAVIA_TOKEN": kravia.settings.token}
        status, out, err = await command(tmp_path, values, "doctor", "--json")
        findings = json.loads(out)
        assert (status, {found["what"] for found in findings if found["level"] == "fail"}) == (0, set()), err
        assert {found["area"] for found in findings if found["level"] == "warn"} <= {"clock", "machine"}
        worker = scene.worker(**world.login("worker"), **WAITS, WORKER_TRIM_INTERVAL="0.2")
        worker.start()
        await worker.ready(PATIENCE)

        # Producer
        await world.allow("producer", roles.producer(names))
        status, out, err = await Desk(world, "producer", kravia, tmp_path)(
            *("emit", "--samples", "3", "--seed", "7", "--yes", "--json")
        )
        assert status == 0, err
        refused, lost, broken = event("refused"), event("lost"), replace(event("broken"), value=b"{")
        kravia.faults(
            Fault(kind="status", step="register", status=422, identity=refused.identity),
            Fault(kind="lost", step="register", identity=lost.identity, times=1),
        )
        drafts = [*(event(f"good-{number}", documents=1) for number in range(10)), refused, lost, broken]
        sent = await asyncio.to_thread(produce, world, drafts)
        await settled_among_others(scene, sent)
        ended = scene.tally([(await scene.read_outcomes())[one][0] for one in sent])
        # The doubt was swept for and found: Kravia had the invoice whose answer was lost.
        assert ended == {"scheduled": 11, "rejected refused": 1, "rejected undecodable": 1}
        assert scene.registers(lost.identity) == 1

        # Its journal is trimmed, and what is left is enough for the next life.
        ops = Ops(scene, clients)

        async def starts() -> list[int]:
            return [(await ops.bounds(names.journal, partition)).start for partition in range(2)]

        await until(starts, all, PATIENCE)
        worker.kill()
        worker.start()
        await worker.ready(PATIENCE)
        await scene.settled(await scene.send(event("after")), PATIENCE)

        # Operator: sees and explains everything, and decides once Write on the replays is granted
        rights = roles.operator(names, GROUP)
        await world.allow("operator", [right for right in rights if right.operation is not Operation.WRITE])
        desk = Desk(world, "operator", kravia, tmp_path)
        status, out, err = await desk("dead-letters", "list", "--json")
        assert (status, {json.loads(line)["reason"] for line in out.splitlines()}) == (0, {"refused", "undecodable"})
        status, out, err = await desk("why", refused.identity, "--json")
        assert (status, json.loads(out)[0]["identity"]) == (0, refused.identity), err
        kravia.faults()
        replay = ("dead-letters", "replay", "--reason", "refused", "--wait", *DECISION)
        status, out, err = await desk(*replay)
        assert status == 1
        assert "write: ClusterAuthorizationFailedError: this user has Write on no topic" in out + err
        await world.allow("operator", [right for right in rights if right.operation is Operation.WRITE])
        status, out, err = await desk(*replay)
        assert status == 0, out + err
        assert scene.registers(refused.identity) == 1

        # Finance
        await world.allow("finance", roles.finance(names, GROUP))
        desk = Desk(world, "finance", kravia, tmp_path)
        period = ("--from", "2020-01-01T00:00:00Z", "--to", "2100-01-01T00:00:00Z")
        status, out, err = await desk("statement", *period, "--json", str(tmp_path / "statement.json"))
        assert (status, "unexplained: 0" in out) == (0, True), out + err

        # Whoever reads outcomes
        await world.allow("reader", roles.reader(names, BILLING))
        count = sum(len(found) for found in (await scene.read_outcomes()).values())
        read = await asyncio.to_thread(lambda: list(outcomes(world, count)))
        assert {draft.identity for draft in drafts} - {broken.identity} <= set(read)

        # Nobody but the worker may write its own topics; nobody but it and the operator the replays.
        writers = {
            (right.name, role)
            for role, has in (
                ("worker", roles.worker(names, GROUP)),
                ("operator", rights),
                ("finance", roles.finance(names, GROUP)),
                ("producer", roles.producer(names)),
                ("reader", roles.reader(names, BILLING)),
            )
            for right in has
            if right.operation is Operation.WRITE and right.kind is Kind.TOPIC
        }
        assert writers == {
            *((name, "worker") for name in (names.journal, names.ledger, names.outcomes, names.dead_letters)),
            (names.replays, "operator"),
            (names.requests, "producer"),
        }
        await scene.stop()
    for user in ("admin", "worker", "producer", "operator", "finance", "reader"):
        await secured.acls.take(user)
