"""The Java examples, compiled and run with Apache Kafka's own clients."""

import pytest

from schemas.identity import identity, partition_for
from tests.brokers.jars import java, kafka_jars
from tests.integration import examples
from tests.integration.examples import FOLDER
from tests.integration.harness import Scene

pytestmark = pytest.mark.apache
NUMBERS = ("20001", "INV/2025 å~*%1")


async def test_an_event_of_a_jvm_is_billed_and_its_outcome_printed(scene: Scene, new_group):
    jvm = (java(), "-cp", f"{kafka_jars()}/*")
    await scene.worker().run()
    sent = []
    for number in NUMBERS:
        command = (*jvm, FOLDER / "java" / "ProduceInvoice.java", number)
        sent.append(examples.written(await examples.run(*command, scene.broker.bootstrap, scene.topics.requests)))
    names = [identity(10_759, "Invoice", number) for number in NUMBERS]
    assert [one.partition for one in sent] == [partition_for(name.encode(), scene.partitions) for name in names]

    outcomes = await scene.settled(sent)
    printed = await examples.outcomes(scene, new_group(), len(sent), *jvm, FOLDER / "java" / "ReadOutcomes.java")
    assert {(line.outcome_id, line.key, line.outcome, line.detail) for line in printed} == {
        (outcomes[origin].headers["ce_id"], name, "scheduled", outcomes[origin].data["invoiceId"])
        for origin, name in zip(sent, names, strict=True)
    }
    for name in names:
        assert scene.invoice(name).started == 1
    await scene.close_books(sent)
