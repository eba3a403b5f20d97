"""The checker: what must hold once everything is settled, read from the topics and from Kravia's own ledger."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from tests.chaos.feed import KIND
from tests.chaos.kravia import Invoices
from tests.chaos.terms import PARTITIONS
from tests.integration.results import DeadLetter, Outcome
from worker.demo.samples import Kind
from worker.model import Coordinates
from worker.standing import HEADER_KEY, Entry, State, decode_entry


async def whole_topic(consumer: AIOKafkaConsumer, topic: str) -> list[ConsumerRecord]:
    """Every committed record that is there now, each partition in its order."""
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    found: list[ConsumerRecord] = []
    while any([await consumer.position(one) < ends[one] for one in partitions]):
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found.extend(records)
    return found


def origin_of(record: ConsumerRecord) -> Coordinates:
    """Where it stands."""
    return Coordinates(record.topic, record.partition, record.offset)


@dataclass(frozen=True)
class Books:
    """Everything that was written, by the input record where there is one."""

    inputs: Sequence[ConsumerRecord]
    outcomes: Mapping[Coordinates, list[Outcome]]
    dead_letters: Mapping[Coordinates, list[DeadLetter]]
    invoices: Invoices
    ledger: Mapping[str, Entry]

    def violations(self) -> Iterator[str]:
        """Every broken promise, a sentence each; that a record is `missing` is for the caller to judge."""
        yield from self._registered_once()
        yield from self._one_outcome_each()
        yield from self._endings()
        yield from self._dead_letters()
        yield from self._scheduled_is_true()
        yield from self._ledger_agrees()

    @property
    def missing(self) -> list[str]:
        """Input records without an outcome, and their keys."""
        return [f"{origin_of(record)}, key {(record.key or b'').decode()}" for record in self._unsettled()]

    @property
    def most_registers(self) -> int:
        """Of one identity, in Kravia's own ledger."""
        return max(map(len, self.invoices.values()), default=0)

    @property
    def possible_doubles(self) -> list[str]:
        """Identities of which the worker itself can't rule out that they were registered twice."""
        return [identity for identity, entry in self.ledger.items() if entry.possible_double]

    def _unsettled(self) -> list[ConsumerRecord]:
        return [record for record in self.inputs if not self.outcomes.get(origin_of(record))]

    def _registered_once(self) -> Iterator[str]:
        for identity, invoices in self.invoices.items():
            if len(invoices) > 1:
                yield f"REGISTERED {len(invoices)} TIMES: {identity} at {[one['registered'] for one in invoices]}"

    def _one_outcome_each(self) -> Iterator[str]:
        known = {origin_of(record) for record in self.inputs}
        for origin in known:
            if len(self.outcomes.get(origin, ())) > 1:
                yield f"{len(self.outcomes[origin])} outcomes of {origin}"
        for origin in {*self.outcomes, *self.dead_letters} - known:
            yield f"an outcome or dead letter of {origin}, which nobody wrote"

    def _endings(self) -> Iterator[str]:
        """Nothing is wrong with a sample but what is wrong on purpose, so its ending is known: no doubt remains."""
        first: dict[bytes, bytes | None] = {}
        for record in self.inputs:
            kind = dict(record.headers)[KIND].decode()
            if kind == Kind.INVALID:
                wanted = {"rejected undecodable", "rejected validation", "rejected misrouted"}
            elif record.key not in first:
                first[record.key], wanted = record.value, {"scheduled"}
            else:
                wanted = {"repeated"} if record.value == first[record.key] else {"rejected conflict"}
            for outcome in self.outcomes.get(origin_of(record), ()):
                if outcome.ending not in wanted:
                    yield f"{origin_of(record)} ({kind}) ended {outcome.ending!r}, not {' or '.join(sorted(wanted))}"

    def _dead_letters(self) -> Iterator[str]:
        for record in self.inputs:
            origin = origin_of(record)
            wanted = sum(outcome.ended_ill for outcome in self.outcomes.get(origin, ()))
            letters = self.dead_letters.get(origin, ())
            if len(letters) != wanted:
                yield f"{len(letters)} dead letters of {origin}, not {wanted}"
            written = record.key, record.value, tuple(record.headers)
            if any((letter.key, letter.value, letter.headers) != written for letter in letters):
                yield f"the dead letter of {origin} is not what was written"

    def _scheduled_is_true(self) -> Iterator[str]:
        """Registered under the id that the outcome names, started, every document there."""
        by_id = {str(one["id"]): (identity, one) for identity, found in self.invoices.items() for one in found}
        for record in self.inputs:
            origin = origin_of(record)
            for outcome in self.outcomes.get(origin, ()):
                if outcome.ending != "scheduled":
                    continue
                identity, invoice = by_id.get(outcome.data["invoiceId"], (None, {}))
                if identity != record.key.decode():
                    yield f"{origin} was scheduled as {outcome.data['invoiceId']}, which is {identity}"
                elif not invoice["started"]:
                    yield f"{origin} was scheduled, but its invoice never started"
                elif missing := _documents(record) - {sent["sha256"] for sent in invoice["documents"]}:
                    yield f"{origin} was scheduled, but its invoice lacks {len(missing)} documents"

    def _ledger_agrees(self) -> Iterator[str]:
        """What Kravia has, the worker knows: else the next event of that identity would bill it again."""
        unsettled = {record.key for record in self._unsettled()}
        for identity, invoices in self.invoices.items():
            if identity.encode() in unsettled:
                continue  # it is the journal that knows
            entry = self.ledger.get(identity, Entry())
            ids = [str(one["id"]) for one in invoices]
            if entry.state is not State.SCHEDULED or entry.invoice_id not in ids:
                yield f"{identity} is registered as {ids}; the worker's ledger says {entry.state} {entry.invoice_id}"
        for identity in self.possible_doubles:
            calls = [f"{call.answer} (intent {call.intent})" for call in self.ledger[identity].calls]
            yield f"{identity} counts as a possible double register: {', '.join(calls)}"


def entries(records: Sequence[ConsumerRecord]) -> dict[str, Entry]:
    """The ledger's latest entry of each identity."""
    return {
        record.key.decode(): decode_entry(record.value)
        for record in records
        if record.key != HEADER_KEY and record.value is not None
    }


def _documents(record: ConsumerRecord) -> set[str]:
    event: dict[str, Any] = json.loads(record.value)
    contents = (base64.b64decode(one["content"]) for one in event.get("attachments", ()))
    return {hashlib.sha256(content).hexdigest() for content in contents}
