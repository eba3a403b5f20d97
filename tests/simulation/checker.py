"""What the promises come to, read from the fakes' own ledgers alone."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import Any

from schemas.dead_letters import NAMES
from schemas.events import InvoiceRequest, ReferencedAttachment
from schemas.events import check as check_event
from schemas.outcomes import outcome_id
from tests.simulation.kafka import Broker
from tests.simulation.kafka_log import Log
from tests.simulation.kravia_server import KraviaServer
from worker.facts import Kind, decode
from worker.model import Coordinates, Partition, Record, TopicNames
from worker.ports import Isolation
from worker.standing import HEADER_KEY, Entry, State, decode_entry

_OUTCOME_ID = "kravia.dlq.outcome-id"
_KNOWN = (State.SCHEDULED, State.REGISTERED)


def quiet(broker: Broker, topics: TopicNames, group: str) -> bool:
    """Whether every input record is settled, and was committed once."""
    inputs = [log for log in broker.logs.values() if log.partition.topic in topics.inputs]
    return all(broker.coordinator.furthest.get((group, log.partition), 0) >= log.stable for log in inputs)


def check(broker: Broker, kravia: KraviaServer, topics: TopicNames) -> Iterator[str]:
    """Every violation, a sentence each."""
    inputs = {record.coordinates: record for topic in topics.inputs for record in _committed(broker, topic)}
    yield from _registered_once(kravia)
    outcomes = _outcomes(broker, topics)
    yield from _one_outcome_each(inputs, outcomes)
    yield from _dead_letters(broker, topics, inputs, outcomes)
    yield from _commands_once(outcomes)
    yield from _truth(kravia, inputs, outcomes)
    yield from _ledger_knows(broker, topics, kravia)
    yield from _intents_prove(broker, topics)


def _committed(broker: Broker, topic: str) -> Iterator[Record]:
    for log in _logs(broker, topic):
        yield from log.committed()


def _logs(broker: Broker, topic: str) -> Iterator[Log]:
    return (log for partition, log in broker.logs.items() if partition.topic == topic)


def _registered_once(kravia: KraviaServer) -> Iterator[str]:
    counts = Counter(invoice.identity for invoice in kravia.invoices.values())
    for identity, count in counts.items():
        if count > 1:
            when = [f"{invoice.registered_at:.3f}" for invoice in kravia.registrations(identity)]
            yield f"REGISTERED {count} TIMES: {identity} at {', '.join(when)}"


def _outcomes(broker: Broker, topics: TopicNames) -> list[tuple[Coordinates, dict[str, Any]]]:
    found = []
    for record in _committed(broker, topics.outcomes):
        outcome = json.loads(record.value or b"{}")
        origin = outcome["origin"]
        found.append((Coordinates(origin["topic"], origin["partition"], origin["offset"]), outcome))
    return found


def _one_outcome_each(
    inputs: dict[Coordinates, Record], outcomes: list[tuple[Coordinates, dict[str, Any]]]
) -> Iterator[str]:
    counts = Counter(origin for origin, _ in outcomes)
    for origin in inputs:
        if counts[origin] != 1:
            yield f"{counts[origin]} OUTCOMES of {origin}"
    for origin in counts:
        if origin not in inputs:
            yield f"an outcome of {origin}, which nobody wrote"


def _commands_once(outcomes: list[tuple[Coordinates, dict[str, Any]]]) -> Iterator[str]:
    """A command id that was seen before has no effect."""
    counts = Counter(
        outcome["command"]["id"]
        for _, outcome in outcomes
        if "command" in outcome and "seen" not in outcome["command"] and outcome["outcome"] != "rejected"
    )
    for name, count in counts.items():
        if count > 1:
            yield f"the command {name} was obeyed {count} times"


def _dead_letters(
    broker: Broker,
    topics: TopicNames,
    inputs: dict[Coordinates, Record],
    outcomes: list[tuple[Coordinates, dict[str, Any]]],
) -> Iterator[str]:
    letters: dict[str, list[Record]] = {}
    for record in _committed(broker, topics.dead_letters):
        letters.setdefault(dict(record.headers)[_OUTCOME_ID].decode(), []).append(record)
    for origin, outcome in outcomes:
        found = letters.pop(str(outcome_id(*origin)), [])
        wanted = 1 if outcome["outcome"] in ("rejected", "failed") else 0
        if len(found) != wanted:
            yield f"{origin} ended {outcome['outcome']} and has {len(found)} dead letters"
        written = inputs.get(origin)
        for letter in found:
            own = tuple((name, value) for name, value in letter.headers if name not in NAMES)
            if written is None or (letter.key, letter.value, own) != (written.key, written.value, written.headers):
                yield f"the dead letter of {origin} is not what was written"
    if letters:
        yield f"{len(letters)} dead letters without an outcome"


def _truth(
    kravia: KraviaServer, inputs: dict[Coordinates, Record], outcomes: list[tuple[Coordinates, dict[str, Any]]]
) -> Iterator[str]:
    for origin, outcome in outcomes:
        if (invoice_id := outcome.get("invoiceId")) is None:
            calls = {call["answer"].partition(":")[0] for call in outcome["calls"]}
            if outcome.get("reason") in ("document", "document_unreachable") and calls - {"not_carried_out"}:
                yield f"{origin} ended for its documents after a register that may have been carried out"
            continue
        invoice = kravia.invoices.get(invoice_id)
        if invoice is None or invoice.identity != outcome["identity"]:
            yield f"the outcome of {origin} names invoice {invoice_id}, which is not its own"
            continue
        if outcome["outcome"] != "scheduled":
            continue
        if not invoice.messages:
            yield f"{origin} is scheduled, but {invoice_id} was never started"
        sent = check_event(json.loads(inputs[origin].value or b"{}"))
        wanted = (
            {a.sha256 if isinstance(a, ReferencedAttachment) else a.content.sha256 for a in sent.attachments or ()}
            if isinstance(sent, InvoiceRequest)
            else set()
        )
        if missing := wanted - set(invoice.documents):
            yield f"{origin} is scheduled, but {invoice_id} lacks {len(missing)} documents"


def _ledger_knows(broker: Broker, topics: TopicNames, kravia: KraviaServer) -> Iterator[str]:
    """What is registered is never `absent` in the ledger: the next event of that identity would bill it again.

    And register is sent again only when it is certain that the earlier call was not carried out: the calls in the
    ledger say so, or an alarm would rest on them.
    """
    entries: dict[str, Entry] = {}
    for record in _committed(broker, topics.ledger):
        if record.key is not None and record.key != HEADER_KEY and record.value is not None:
            entries[record.key.decode()] = decode_entry(record.value)
    for key, entry in entries.items():
        if entry.possible_double:
            yield f"the ledger says that two registers of {key} may have been carried out"
    for invoice in kravia.invoices.values():
        known = entries.get(invoice.identity)
        if known is None or known.state is State.ABSENT:
            yield f"{invoice.identity} is registered as {invoice.id}, and the ledger says that it is not"
        elif (
            known.state in _KNOWN
            and known.invoice_id != invoice.id
            and len(kravia.registrations(invoice.identity)) == 1
        ):
            yield f"{invoice.identity} is registered as {invoice.id}, and the ledger says {known.invoice_id}"


def _intents_prove(broker: Broker, topics: TopicNames) -> Iterator[str]:
    """An acknowledged intent proves who owns the partition: none once another owner has begun to settle.

    What it might do is rarely seen: the other one must then settle the same event without a call of its own.
    """
    for log in _logs(broker, topics.journal):
        ledger = broker.logs[Partition(topics.ledger, log.partition.number)]
        # Every owner writes the header before anything else.
        begun = [r.timestamp_ms for r in ledger.committed() if r.key == HEADER_KEY]
        reigns: dict[str, int] = {}
        for record in log.read(0, Isolation.UNCOMMITTED, log.end).records:
            fact = decode(record.value or b"")
            if fact.kind is not Kind.INTENT:
                continue
            reign = bisect_left(begun, record.timestamp_ms)
            if reigns.setdefault(fact.owner, reign) != reign:
                yield f"the intent {record.coordinates} was acknowledged after another owner had begun to settle"
