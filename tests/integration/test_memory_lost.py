"""A ledger or a journal that has forgotten something under a group that has settled: nothing is billed on it."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.structs import OffsetAndMetadata

from tests.brokers.jars import java, kafka_jars
from tests.brokers.waiting import until
from tests.docs.standin_kafka import TOOLS
from tests.integration.events import event
from tests.integration.harness import Scene
from tests.integration.test_doctor import doctor
from tests.integration.test_why import worker_command


async def empty(scene: Scene, topic: str) -> None:
    """Delete a topic and make it anew."""
    admin = await scene.clients.admin()
    await admin.delete_topics([topic])

    async def listed() -> bool:
        return topic in await admin.list_topics()

    await until(listed, lambda there: not there)
    status, _, err = await worker_command(scene, "topics", "create")
    assert status == 0, err


async def set_anew(scene: Scene) -> None:
    """The same offsets, and nothing beside them, as kafka-consumer-groups.sh --reset-offsets leaves them.

    In a transaction, which asks for no membership: the embedded broker does not put the static member out.
    """
    admin = await scene.clients.admin()
    known = await admin.list_consumer_group_offsets(scene.group)
    person = await scene.clients.producer(f"{scene.group}-person")
    await person.begin_transaction()
    offsets = {partition: OffsetAndMetadata(committed.offset, "") for partition, committed in known.items()}
    await person.send_offsets_to_transaction(offsets, scene.group)
    await person.commit_transaction()


@pytest.mark.parametrize("lost", ["ledger", "journal"])
async def test_it_bills_nothing_until_a_person_has_decided(scene: Scene, tmp_path: Path, lost: str):
    worker = scene.worker(static=True)
    await worker.run()
    billed = event("billed")
    known = await scene.send(billed)
    await scene.settled(known)
    await worker.stop()
    topic = getattr(scene.topics, lost)
    await empty(scene, topic)

    again = await scene.send(billed)
    worker.start()
    seen = await until(lambda: worker.ask("readyz"), lambda answer: f"{topic} ends at" in answer[1])
    assert seen[0] == 503
    assert "docs/how-to/restore.md" in seen[1]
    status, findings = await doctor(scene, tmp_path)
    assert status == 1
    told = [found for found in findings if found["level"] == "fail"]
    assert {found["area"] for found in told} == {"ledger"}
    assert any(f"{topic} ends at" in found["detail"] for found in told)
    assert not set(again) & (await scene.read_outcomes()).keys()
    assert scene.registers(billed.identity) == 1
    await worker.stop()

    await set_anew(scene)
    await worker.run()
    new = await scene.send(event("new"))
    await scene.settled([*again, *new])
    # Whoever sets the offsets has looked. Here nobody did: with the ledger's memory the invoice is billed again.
    assert scene.registers(billed.identity) == (2 if lost == "ledger" else 1)


@pytest.mark.apache
async def test_kafkas_own_program_sets_the_offsets_anew(scene: Scene) -> None:
    """As docs/how-to/restore.md prints it: the offsets stay, what stood beside them goes."""
    worker = scene.worker()
    await worker.run()
    await scene.settled(await scene.send(event("one")))
    await worker.stop()
    admin = await scene.clients.admin()
    before = await admin.list_consumer_group_offsets(scene.group)
    assert all("ledgerEnd" in known.metadata for known in before.values())
    program = TOOLS["kafka-consumer-groups.sh"]
    words = ("--group", scene.group, "--all-topics", "--reset-offsets", "--to-current", "--execute")
    process = await asyncio.create_subprocess_exec(
        *(java(), "-cp", f"{kafka_jars()}/*", program, "--bootstrap-server", scene.broker.bootstrap, *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    after = await admin.list_consumer_group_offsets(scene.group)
    assert {known.metadata for known in after.values()} == {""}, said.decode()
    assert {one: known.offset for one, known in after.items()} == {one: known.offset for one, known in before.items()}
