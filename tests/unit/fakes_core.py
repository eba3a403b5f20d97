"""One partition's core on fakes: records, a scripted Kravia, an ownership, a lane."""

import base64
import hashlib
import json
from pathlib import Path

from schemas.identity import identity
from schemas.rules import DEFAULT_POLICY
from tests.unit.fakes_documents import FakeDocuments
from tests.unit.fakes_kravia import FakeKravia
from tests.unit.fakes_log import FakeAdmin, FakeLog, FakeProducer, FakeReader
from tests.unit.fakes_time import EPOCH, VirtualClock
from worker.decode import decode
from worker.doubt import DoubtPolicy, GivenUp
from worker.facts import decode as decode_fact
from worker.faults import NO_FAULTS
from worker.flow import Budget, Creditors
from worker.gate import Gate, GatePolicy, GateState
from worker.lane import Lane, LaneConfig
from worker.model import Event, Partition, Record, TopicNames
from worker.ownership import OwnershipConfig, take_over
from worker.ownership.config import Ports
from worker.ownership.ownership import Ownership
from worker.pipeline import Pipeline
from worker.ports import Observer
from worker.receipts import Desk
from worker.retry import RetryPolicy
from worker.spans import NO_TRACES
from worker.standing import HEADER_KEY, decode_entry
from worker.tools import Tools

_EXAMPLE = Path(__file__).parents[2] / "schemas" / "examples" / "invoice-requested.invoice.json"
_BODY = json.loads(_EXAMPLE.read_bytes())["invoice"] | {"accountingInvoiceId": "A-1"}  # breaks no rule
TOPICS = TopicNames()
DESK = Desk("group", "0.1.0", TOPICS, outcome_partitions=1, dead_letter_partitions=1)
JOURNAL, LEDGER = Partition(TOPICS.journal, 0), Partition(TOPICS.ledger, 0)
OUTCOMES, DEAD_LETTERS = Partition(TOPICS.outcomes, 0), Partition(TOPICS.dead_letters, 0)
REQUESTS, REPLAYS = Partition(TOPICS.requests, 0), Partition(TOPICS.replays, 0)
CONFIG = OwnershipConfig(TOPICS, "group", 1)


def referenced(name, content, url=None):
    """An attachment of an event's data, by reference."""
    digest = hashlib.sha256(content).hexdigest()
    url = url or f"https://documents.test/{name}"
    return {"fileName": name, "mediaType": "text/plain", "url": url, "sha256": digest, "size": len(content)}


def make_record(
    offset, invoice_no="20001", *, documents=(), references=(), topic=TOPICS.requests, headers=(), **changes
):
    """A valid record of one partition; `documents` and `references`: (file name, content) pairs; `changes`: invoice
    fields."""
    data = {"invoice": _BODY | {"invoiceNo": invoice_no} | changes}
    if documents:
        data["attachments"] = [
            {"fileName": name, "mediaType": "text/plain", "content": base64.b64encode(content).decode()}
            for name, content in documents
        ]
    if references:
        data["attachments"] = data.get("attachments", []) + [referenced(*pair) for pair in references]
    key = identity(data["invoice"]["creditorId"], "Invoice", invoice_no).encode()
    return Record(topic, 0, offset, int(EPOCH.timestamp() * 1000), key, json.dumps(data).encode(), headers)


def make_event(offset=0, invoice_no="20001", **more):
    event = decode(make_record(offset, invoice_no, **more), partition_count=1)
    assert isinstance(event, Event), event
    return event


class Watcher(Observer):
    """Remembers what the core told."""

    def __init__(self):
        self.told = []

    def settled(self, partition, outcome, reason, age_seconds):
        self.told.append((outcome, reason))

    def gate(self, state, why):
        self.told.append(("gate", state.value, why))

    def retried(self, step, why):
        self.told.append(("retried", step.value, why))

    def warned(self, what):
        self.told.append(("warned", what))

    def trimmed(self, ok):
        self.told.append(("trimmed", ok))


class NobodyKnows:
    """A reconciler that finds nothing out: every doubt is left to a person at once."""

    def __init__(self):
        self.policy = DoubtPolicy()
        self.witnesses = {}

    def registered(self, invoice_id, identity, sent):
        self.witnesses[invoice_id] = sent

    async def resolve(self, doubt):
        return GivenUp("no_witness")


class World:
    """Everything that outlives an ownership: the log, Kravia, the gate; made inside a virtual loop."""

    def __init__(self, *, policy=RetryPolicy(), gate=GatePolicy(), person=False, tracer=NO_TRACES):  # noqa: B008 -- immutable
        self.tracer = tracer
        self.log, self.clock, self.watcher, self.api = FakeLog(), VirtualClock(), Watcher(), FakeKravia()
        self.documents = FakeDocuments()
        self.reader, self.admin = FakeReader(self.log), FakeAdmin(self.log)
        self.producers = []
        self.ports = Ports(self.producer, self.reader, self.admin, self.clock, NO_FAULTS, self.watcher)
        self.gate = Gate(gate, self._probe, self.clock, self.watcher)
        self.creditors = Creditors(self.gate, self.clock)
        self.budget = Budget(8, 1_000_000)
        self.tools = Tools(
            self.api,
            self.documents,
            self.gate,
            self.creditors,
            NobodyKnows(),
            self.budget,
            policy,
            self.clock,
            NO_FAULTS,
            self.watcher,
            attach_unknown_to_person=person,
            jitter=lambda: 0.5,
            tracer=tracer,
        )

    async def _probe(self):
        return await self.api.search(self.clock.now(), skip=0, top=1)

    def producer(self, transactional_id):
        made = FakeProducer(self.log, transactional_id)
        self.producers.append(made)
        return made

    async def own(self, config=CONFIG):
        """A fresh ownership, settling."""
        taken = await take_over(config, self.ports, 0)
        assert isinstance(taken, Ownership), taken
        taken.start()
        return taken

    async def lane(self, own=None, **options):
        """A lane on a fresh ownership."""
        return self.new_lane(own or await self.own(), **options)

    def new_lane(self, own, *, window=100, rules=DEFAULT_POLICY):
        """A lane on this ownership."""
        config = LaneConfig(TOPICS, DESK, partitions=1, window=window, rules=rules)
        return Lane(config, own, Pipeline(self.tools), self.budget, self.clock, self.watcher, self.tracer)

    def open_gate(self):
        """As after the first understood answer."""
        self.gate._become(GateState.OPEN, "the test said so")

    def facts(self):
        """Kinds of the journal's facts, as they were written."""
        return [decode_fact(row.record[1]).kind.value for row in self.log.rows[JOURNAL] if row.record is not None]

    def entries(self):
        """The latest committed ledger entry of each key."""
        return {
            record.key.decode(): decode_entry(record.value)
            for record in self.log.visible(LEDGER)
            if record.key != HEADER_KEY
        }

    def outcomes(self):
        """Committed outcome types, in their order: `scheduled`, `failed`, …"""
        names = []
        for record in self.log.visible(OUTCOMES):
            kind = dict(record.headers)["ce_type"].decode()
            names.append(kind.split(".")[2])
        return names
