"""Topics in memory for runs over dead letters: a source, an outbox, outcomes that follow what was sent."""

import asyncio
import json
from dataclasses import replace

from schemas.dead_letters import DeadLetterHeaders
from schemas.identity import identity, partition_for
from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_time import EPOCH
from worker.deadletters.examine import Ground
from worker.deadletters.sending import Decision
from worker.decode import decode
from worker.model import Coordinates, Partition, Record
from worker.ports import Committed, Lost, LostWhy

PARTITIONS = 4
DECISION = Decision("run-1", "kari", EPOCH, "well again")
AWAY = Lost(LostWhy.BROKEN, "the broker is away")


class Topics:
    """`Source`, `LogReader` and `LogAdmin` over lists of records, by partition."""

    def __init__(self):
        self.topics = TOPICS
        self.rows = {}
        self.floors = {}
        self.lost = None
        self.scans = 0

    def add(self, topic, partition, key, value, headers=()):
        rows = self.rows.setdefault(Partition(topic, partition), [])
        rows.append(Record(topic, partition, len(rows), 0, key, value, headers))
        return rows[-1].coordinates

    def letters(self):
        self.scans += 1
        return self._all(self.topics.dead_letters)

    def outcomes(self):
        return self._all(self.topics.outcomes)

    async def _all(self, topic):
        for partition, rows in sorted(self.rows.items()):
            if partition.topic == topic:
                for record in list(rows):
                    if self.lost is not None:
                        yield self.lost
                        return
                    if record is not None:
                        yield record

    async def one(self, at):
        rows = self.rows.get(Partition(at.topic, at.partition), [])
        return rows[at.offset] if at.offset < len(rows) else None

    async def read_to_end(self, partition, isolation, sink):
        if self.lost is not None:
            return self.lost
        rows = self.rows.get(partition, [])
        sink([record for record in rows if record is not None])
        return len(rows)

    async def committed(self, group, partitions):
        floors = {one: self.floors.get(one) for one in partitions}
        return {one: None if floor is None else Committed(floor) for one, floor in floors.items()}

    def ground(self):
        return Ground(self, self, self, TOPICS, "group", PARTITIONS, 20)


class Outbox:
    """Keeps what is sent; `fails_after`: records until the broker is away."""

    def __init__(self, topics, fails_after=None):
        self.topics, self.sent, self.batches, self.fails_after = topics, [], [], fails_after

    async def send(self, records):
        await asyncio.sleep(0)
        if self.fails_after is not None and len(self.sent) + len(records) > self.fails_after:
            return AWAY
        self.batches.append((asyncio.get_running_loop().time(), len(records)))
        self.sent += records
        return [self.topics.add(r.topic, r.partition, r.key, r.value, r.headers) for r in records]


class Followed:
    """Outcomes of what the outbox was given: `answer(record)` names each, None: it never comes."""

    def __init__(self, outbox, answer=lambda record: "scheduled"):
        self.outbox, self.answer, self.told, self.most = outbox, answer, 0, 0

    async def start(self):
        return None

    async def poll(self, seconds):
        await asyncio.sleep(seconds)
        fresh, self.told = self.outbox.sent[self.told :], len(self.outbox.sent)
        self.most = max(self.most, len(fresh))
        answers = [(record, self.answer(record)) for record in fresh]
        return [outcome_of(record, name) for record, name in answers if name is not None]

    async def close(self):
        pass


def outcome_of(record, name):
    """The outcome of a record on the replay topic."""
    headers = {key: value.decode() for key, value in record.headers}
    command = {
        "id": headers.get("command-id") or headers["ce_id"],
        "verb": headers.get("command-verb", "discard"),
        "who": "kari",
        "when": EPOCH.isoformat(),
        "why": "w",
    }
    data = {
        "version": 1,
        "outcome": name,
        "origin": {"topic": TOPICS.replays, "partition": record.partition, "offset": 0},
        "receivedAt": EPOCH.isoformat(),
        "settledAt": EPOCH.isoformat(),
        "replayOf": headers["replay-of"],
        "command": command,
    } | {
        "scheduled": {"invoiceId": "1"},
        "discarded": {"who": "kari", "why": "w"},
        "repeated": {"earlierOutcome": "x"},
        "rejected": {"reason": "refused", "errors": []},
    }[name]
    return Record(
        TOPICS.outcomes, 0, 0, 0, None, json.dumps(data).encode(), (("replay-of", headers["replay-of"].encode()),)
    )


def die(topics, number, offset, *, reason="refused", fingerprint="a" * 16, misrouted=False, **changes):
    """A dead letter of the event at `offset` in its partition of the requests; where the dead letter stands."""
    record = make_record(offset, str(number), **changes)
    right = partition_for(identity(10759, "Invoice", str(number)).encode(), PARTITIONS)
    partition = (right + 1) % PARTITIONS if misrouted else right
    record = replace(record, partition=partition)
    decoded = decode(record, partition_count=PARTITIONS)
    cause = DeadLetterHeaders(
        topic=TOPICS.requests,
        partition=partition,
        offset=offset,
        group="group",
        delivery_count=1,
        message="m",
        version=1,
        outcome="rejected",
        outcome_id="o",
        reason="misrouted" if misrouted else reason,
        fingerprint=fingerprint,
        identity=decoded.identity,
        attempts=1,
        replay_count=0,
        first_failure=EPOCH,
        last_failure=EPOCH,
        worker_version="0",
    )
    topics.add(TOPICS.dead_letters, partition, record.key, record.value, cause.to_headers())
    return Coordinates(TOPICS.requests, partition, offset)
