"""Topics in memory for questions about invoices: a shelf of records behind `inquiry.reading`'s ports."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schemas.identity import partition_for
from tests.integration.events import Draft, event
from worker.doubt import DoubtPolicy
from worker.facts import Fact, Kind
from worker.facts import encode as encode_fact
from worker.inquiry.reading import Library, find, read
from worker.inquiry.story import Story
from worker.inquiry.subject import subject_of
from worker.inquiry.telling import tell
from worker.model import (
    Coordinates,
    Ending,
    Envelope,
    History,
    Record,
    TopicNames,
)
from worker.ports import Committed, Lost, LostWhy
from worker.receipts import Desk, Receipt, dead_letter_record, outcome_record
from worker.standing import Entry, encode_entry

TOPICS = TopicNames()
PARTITIONS = 4
NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
DESK = Desk("group", "1.0", TOPICS, outcome_partitions=2, dead_letter_partitions=2)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


class Shelf:
    """Records by topic and partition. `reads` lists what was scanned; `broken` is a topic that can't be read."""

    def __init__(self):
        self.records = defaultdict(list)
        self.committed_offsets = {}
        self.reads = []
        self.broken = None

    def put(self, topic, partition, *, key=None, value=None, headers=(), time=NOW):
        rows = self.records[topic, partition]
        offset = len(rows)
        rows.append(Record(topic, partition, offset, int(time.timestamp() * 1000), key, value, tuple(headers)))
        return Coordinates(topic, partition, offset)

    def send(self, draft: Draft, topic=TOPICS.requests, time=NOW):
        partition = draft.partition_of(PARTITIONS)
        return self.put(topic, partition, key=draft.key, value=draft.value, headers=draft.headers, time=time)

    def fact(self, kind: Kind, identity, seconds, origin=None, owner="owner-1", **more):
        fact = Fact(kind, owner, at(seconds), origin, identity, **more)
        partition = 0 if identity is None else partition_for(identity.encode(), PARTITIONS)
        return self.put(TOPICS.journal, partition, value=encode_fact(fact)).offset

    def claim(self, identity, seconds, owner):
        fact = Fact(Kind.CLAIM, owner, at(seconds))
        self.put(TOPICS.journal, partition_for(identity.encode(), PARTITIONS), value=encode_fact(fact))

    def stands(self, identity, entry: Entry):
        partition = partition_for(identity.encode(), PARTITIONS)
        self.put(TOPICS.ledger, partition, key=identity.encode(), value=encode_entry(entry))

    def settle(self, draft, origin: Coordinates, ending: Ending, seconds, *, identity=..., desk=DESK, history=None):
        """Its outcome, and its dead letter where it has one."""
        name = draft.identity if identity is ... else identity
        headers = dict(draft.headers)
        replay_of = headers.get("replay-of", b"").decode() or None
        envelope = Envelope(origin, headers["ce_id"].decode(), "urn:test", None, None, at(0), replay_of)
        receipt = Receipt(envelope, name, ending, history or History(), at(0), at(seconds))
        record = self.records[origin.topic, origin.partition][origin.offset]
        for out in filter(None, (outcome_record(receipt, desk), dead_letter_record(receipt, record, desk))):
            self.put(out.topic, out.partition, key=out.key, value=out.value, headers=out.headers)

    def commit(self, topic, partition, offset):
        self.committed_offsets[topic, partition] = offset

    async def scan(self, topic, partitions, isolation, *, start=None, end=None):
        self.reads.append((topic, tuple(partitions), isolation))
        if topic == self.broken:
            yield Lost(LostWhy.TIMEOUT, f"read {topic}: no progress")
            return
        for number in partitions:
            for record in list(self.records[topic, number]):
                if (start or {}).get(number, 0) <= record.offset < (end or {}).get(number, 1 << 60):
                    yield record

    async def committed(self, group, partitions):
        known = {one: self.committed_offsets.get(tuple(one)) for one in partitions}
        return {one: None if offset is None else Committed(offset) for one, offset in known.items()}

    @property
    def library(self) -> Library:
        counts = dict.fromkeys((TOPICS.requests, TOPICS.replays, TOPICS.journal, TOPICS.ledger), PARTITIONS)
        counts |= {TOPICS.outcomes: 2, TOPICS.dead_letters: 2}
        return Library(self.scan, self, "group", TOPICS, counts)


def invoice(number="1", event_id="e-1", **changes) -> Draft:
    return event(number, event_id=event_id, **changes)


def replayed(draft: Draft, origin: Coordinates) -> Draft:
    return replace(draft, headers=(*draft.headers, ("replay-of", str(origin).encode())))


POLICY = DoubtPolicy()


async def stories(shelf: Shelf, subject: str, seconds: float = 60.0) -> list[Story]:
    targets = await find(shelf.library, subject_of(subject, TOPICS))
    assert not isinstance(targets, Lost)
    told = []
    for target in targets:
        evidence = await read(shelf.library, target)
        assert not isinstance(evidence, Lost)
        told.append(tell(evidence, POLICY, at(seconds)))
    return told


async def story_of(shelf: Shelf, subject: str = invoice().identity, seconds: float = 60.0) -> Story:
    [story] = await stories(shelf, subject, seconds)
    return story


def what(story: Story) -> list[str]:
    return [moment.what for moment in story.moments]
