"""A month's topics in memory, and a Kravia whose search is a list: what a statement is made from."""

import asyncio
import csv
import io
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schemas.outcomes import OUTCOME
from tests.unit.fakes_core import TOPICS
from worker.answers import NotVisible
from worker.finance.comparing import compare_with_kravia, read_search
from worker.finance.findings import check_calls, check_records
from worker.finance.period import month
from worker.finance.reading import Topics, read_ledger, read_records
from worker.finance.statement import assemble
from worker.finance.store import Store
from worker.finance.writing import text, write_csv, write_json
from worker.model import Call, Record
from worker.ports import Committed, Details, SearchPage
from worker.standing import HEADER_KEY, Entry, State, encode_entry
from worker.sweep import SweepPolicy

PERIOD = month("2026-11", UTC)
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
GROUP = "group"


def call(answer="registered", intent=0, at=NOON, owner="o"):
    return Call(at, answer, owner, intent)


class Month:
    """`event` sends a record and settles it; `statement` is what comes of it all."""

    def __init__(self):
        self.records = {topic: [] for topic in (*TOPICS.inputs, TOPICS.outcomes, TOPICS.ledger)}
        self.records[TOPICS.ledger].append(Record(TOPICS.ledger, 0, 0, 0, HEADER_KEY, b"{}"))
        self.gone = dict.fromkeys(self.records, 0)
        self.unsettled = 0
        self.rows = []
        self.known = {}
        self.failing = False
        self.since_asked = None

    # What happened

    def sent(self, *, topic=TOPICS.requests, at=NOON, headers=()):
        """An input record without an outcome."""
        offset = len(self.records[topic])
        made = Record(topic, 0, offset, _ms(at), b"k", b"{}", headers)
        self.records[topic].append(made)
        return made

    def outcome(self, origin, identity, ended="scheduled", *, at=None, **more):
        """The outcome of a record, whatever the ledger says."""
        at = at or datetime.fromtimestamp(origin.timestamp_ms / 1000, UTC)
        data = {
            "version": 1,
            "identity": identity,
            "origin": {"topic": origin.topic, "partition": 0, "offset": origin.offset},
            "receivedAt": at.isoformat(),
            "settledAt": at.isoformat(),
            "outcome": ended,
        } | more
        value = OUTCOME.dump_json(OUTCOME.validate_python(data), exclude_none=True)
        self._append(TOPICS.outcomes, (identity or "?").encode(), value, at)

    def entry(self, identity, entry):
        """A ledger entry."""
        self._append(TOPICS.ledger, identity.encode(), encode_entry(entry), NOON)

    def scheduled(self, number, invoice=None, *, amount="100.10", calls=None, creditor=1, at=NOON, row=True):
        """An event that went well, at Kravia too unless not `row`; its identity."""
        identity, invoice = f"{creditor}/Invoice/{number}", invoice or f"id{number}"
        calls = [call(at=at, intent=number)] if calls is None else calls
        self.outcome(
            self.sent(at=at),
            identity,
            invoiceId=invoice,
            amount=amount,
            currency="NOK",
            calls=[{"at": one.at, "answer": one.answer, "owner": one.owner, "intent": one.intent} for one in calls],
        )
        self.entry(
            identity,
            Entry(State.SCHEDULED, invoice_id=invoice, amount=amount, currency="NOK", calls=tuple(calls)),
        )
        if row:
            self.row(invoice, number, creditor=creditor)
        return identity

    def row(self, invoice, number, *, creditor=1, kind="Invoice", **more):
        """An invoice in Kravia's search."""
        at = NOON + timedelta(seconds=len(self.rows))
        row = {"id": invoice, "creditorId": creditor, "claimType": kind, "invoiceNo": str(number)} | more
        self.rows.append(row | {"lastUpdatedTime": at.replace(tzinfo=None).isoformat()})

    def _append(self, topic, key, value, at):
        rows = self.records[topic]
        rows.append(Record(topic, 0, len(rows), _ms(at), key, value))

    # The ports

    async def scan(self, topic, partitions, isolation, *, start=None, end=None):
        assert list(partitions) == [0]
        for record in self.records[topic]:
            if record is not None and record.offset >= max(self.gone[topic], (start or {}).get(0, 0)):
                yield record

    async def committed(self, group, partitions):
        assert group == GROUP
        return {one: Committed(len(self.records[one.topic]) - self.unsettled) for one in partitions}

    async def earliest(self, partitions):
        return {one: self.gone[one.topic] for one in partitions}

    async def since(self, partitions, moment):
        found = {}
        for one in partitions:
            held = [
                (record.offset, datetime.fromtimestamp(record.timestamp_ms / 1000, UTC))
                for record in self.records[one.topic]
                if record is not None and record.offset >= self.gone[one.topic] and record.timestamp_ms >= _ms(moment)
            ]
            found[one] = held[0] if held else None
        return found

    async def search(self, since, *, skip, top):
        self.since_asked = self.since_asked or since
        if self.failing:
            return NotVisible(404)
        rows = [row for row in self.rows if datetime.fromisoformat(row["lastUpdatedTime"]) >= since]
        return SearchPage(tuple(rows[skip : skip + top]))

    async def details(self, invoice):
        if invoice in self.known:
            known = self.known[invoice]
            return known if not isinstance(known, dict) else Details(None, None, known)
        row = next((row for row in self.rows if row["id"] == invoice), None)
        return NotVisible() if row is None else Details(None, None, row)

    # The statement

    def statement(self, check, *, search=True, creditor=None, period=PERIOD):
        """Make it and give it to `check`, whose result is returned."""

        async def made(store):
            topics = Topics(self.scan, self, GROUP, TOPICS, dict.fromkeys(self.records, 1))
            kept = await read_records(topics, store, period.start)
            swept = await read_search(store, self, period.start, SweepPolicy(pause=0)) if search else None
            assert await read_ledger(topics, store) is None
            check_records(store, kept.bounds)
            check_calls(store)
            compared = await compare_with_kravia(store, self, swept) if swept else None
            return assemble(store, period, kept, compared)

        with tempfile.TemporaryDirectory() as directory:
            store = Store(Path(directory), period, creditor)
            try:
                return check(asyncio.run(made(store)))
            finally:
                store.close()

    def unexplained(self, **options):
        """Kind and subject of what nobody can explain."""
        return self.statement(lambda made: [(one.kind, one.subject) for one in made.unexplained()], **options)


def _ms(at):
    return int(at.timestamp() * 1000)


def lines(made):
    return list(text(made))


def as_csv(made):
    file = io.StringIO()
    write_csv(made, file)
    return list(csv.DictReader(io.StringIO(file.getvalue())))


def as_json(made):
    file = io.StringIO()
    write_json(made, file)
    return json.loads(file.getvalue())
