"""The same event again, the same invoice with other content, and an event that goes on where an earlier one failed."""

from dataclasses import replace
from decimal import Decimal

from tests.integration.events import event, headers
from tests.integration.harness import Scene
from worker.demo.simulator_faults import Fault


async def test_the_same_event_again_is_answered_with_the_earlier_result(scene: Scene):
    worker = scene.worker()
    await worker.run()
    first = event(1, documents=1)
    again = replace(first, headers=headers("another-id"))
    sent = await scene.send(first, first, again)
    outcomes = await scene.close_books(sent)
    assert [outcomes[origin].ending for origin in sent] == ["scheduled", "repeated", "repeated"]
    for origin in sent[1:]:
        assert outcomes[origin].data["earlierOutcome"] == outcomes[sent[0]].headers["ce_id"]
        assert outcomes[origin].data["invoiceId"] == outcomes[sent[0]].data["invoiceId"]
    assert outcomes[sent[2]].headers["ce_causationid"] == "another-id"
    invoice = scene.invoice(first.identity)
    assert (invoice.started, len(invoice.documents)) == (1, 1)


async def test_it_is_still_known_after_a_restart(scene: Scene):
    """What the ledger's table has in memory is gone, and what is asked for is read from the topic."""
    worker = scene.worker(static=True)
    await worker.run()
    drafts = [event(number) for number in range(8)]
    sent = await scene.send(*drafts)
    await scene.settled(sent)
    worker.kill()
    await worker.run()
    repeats = await scene.send(*drafts)
    outcomes = await scene.close_books([*sent, *repeats])
    for origin, repeat in zip(sent, repeats, strict=True):
        assert outcomes[repeat].ending == "repeated"
        assert outcomes[repeat].data["earlierOutcome"] == outcomes[origin].headers["ce_id"]


async def test_other_content_under_the_same_identity_is_a_conflict_that_names_the_fields(scene: Scene):
    worker = scene.worker()
    await worker.run()
    sent = await scene.send(
        event(1),
        event(1, event_id="dearer", originalAmount=9999, debtorName="Ola Lia"),
        event(1, event_id="written otherwise", originalAmount=Decimal("2500.00")),
    )
    outcomes = await scene.close_books(sent)
    assert [outcomes[origin].ending for origin in sent] == ["scheduled", "rejected conflict", "repeated"]
    conflict = outcomes[sent[1]].data
    assert {error["pointer"] for error in conflict["errors"]} == {"/invoice/originalAmount", "/invoice/debtorName"}
    assert conflict["invoiceId"] == outcomes[sent[0]].data["invoiceId"]
    letter = await scene.dead_letter(sent[1])
    told = f"{conflict['errors']} {letter.cause.message}"
    assert "originalAmount" in told
    assert "9999" not in told
    assert "Ola" not in told


async def test_an_event_goes_on_where_an_earlier_one_failed(scene: Scene):
    """Attach was refused: the invoice keeps its id; a corrected event attaches and starts it, without a register."""
    scene.kravia.faults(Fault(kind="status", step="attach", status=422, times=1))
    worker = scene.worker()
    await worker.run()
    wrong = event(1, documents=1)
    [first] = await scene.send(wrong)
    refused = await scene.outcome(first)
    assert refused.ending == "rejected refused"
    assert refused.data["step"] == "attach"
    assert refused.data["httpStatus"] == 422
    invoice = scene.invoice(wrong.identity)
    assert refused.data["invoiceId"] == str(invoice.id)
    assert (invoice.started, invoice.documents) == (0, [])

    sent = [first, *await scene.send(replace(wrong, headers=headers("corrected")), event(1, originalAmount=1))]
    outcomes = await scene.close_books(sent)
    assert [outcomes[origin].ending for origin in sent[1:]] == ["scheduled", "rejected conflict"]
    assert outcomes[sent[1]].data["invoiceId"] == str(invoice.id)
    assert (invoice.started, len(invoice.documents)) == (1, 1)
    assert scene.kravia.calls["register", "200"] == 1
