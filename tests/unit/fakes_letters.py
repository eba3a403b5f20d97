"""Dead letters and outcomes as the worker writes them, without a broker: `settle` records, then look."""

import json
import os
from dataclasses import replace
from datetime import timedelta

from tests.unit.fakes_core import TOPICS, make_record
from tests.unit.fakes_time import EPOCH
from worker.cli import main
from worker.cli.dead_letters import session
from worker.decode import decode
from worker.model import (
    Call,
    Command,
    Coordinates,
    Discarded,
    Event,
    History,
    Problem,
    Reason,
    Record,
    Refusal,
    Rejected,
    Repeated,
    Resolved,
    Scheduled,
    Step,
)
from worker.model import Failed as FailedEnding
from worker.ports import Lost
from worker.receipts import Desk, Receipt, dead_letter_record, outcome_record

DESK = Desk("group", "0.1.0", TOPICS, outcome_partitions=1, dead_letter_partitions=1)
REFUSED = Rejected(Refusal.REFUSED, (), Step.REGISTER, 422)
EXPIRED = FailedEnding(Step.REGISTER, Reason.EXPIRED, 10, 503, last_class="server_error")
IN_DOUBT = FailedEnding(Step.REGISTER, Reason.IN_DOUBT, 1, None, None, 7, "no_witness")
BLOCKED = FailedEnding(Step.REGISTER, Reason.BLOCKED, 0, doubt=7)
SCHEDULED = Scheduled("4711")
DISCARDED = Discarded("kari", "cancelled")
RESOLVED = Resolved("not_registered", "kari", "not there", 7, None)
REPEATED = Repeated("5cbc7481-2473-44dc-af27-5818cf1b2380", "4711")
SEEN = replace(REPEATED, seen=True)
LOOP = Rejected(Refusal.CONFLICT, (Problem("", "replay_limit", "Replayed too often."),))
NO_SUCH_DOUBT = Rejected(Refusal.CONFLICT, (Problem("/doubt", "no_such_doubt", "No such doubt."),))


class FakeTopics:
    """`worker.deadletters.source.Source` over lists. A minute passes with each record that is settled."""

    topics = TOPICS

    def __init__(self):
        self.dead_letters = []
        self.told = []
        self.inputs = {}
        self.minutes = 0
        self.broken = None

    def settle(self, record, ending, *, history=None, minute=None):
        """The record ends so; its coordinates."""
        self.inputs[record.coordinates] = record
        decoded = decode(record, partition_count=1, commands=record.topic == TOPICS.replays)
        self.minutes = self.minutes + 1 if minute is None else minute
        now = EPOCH + timedelta(minutes=self.minutes)
        event = decoded if isinstance(decoded, Event) else None
        if not isinstance(decoded, Event | Command) and ending is None:
            ending = Rejected(decoded.reason, decoded.problems)
        receipt = Receipt(decoded.envelope, decoded.identity, ending, history or History(1), now, now, event=event)
        self.told.append(self._kept(outcome_record(receipt, DESK), len(self.told), now))
        letter = dead_letter_record(receipt, record, DESK)
        if letter is not None:
            self.dead_letters.append(self._kept(letter, len(self.dead_letters), now))
        return record.coordinates

    @staticmethod
    def _kept(out, offset, now):
        return Record(
            out.topic, out.partition, offset, int(now.timestamp() * 1000), out.key, out.value, tuple(out.headers)
        )

    def letters(self):
        return self._each(self.dead_letters)

    def outcomes(self):
        return self._each(self.told)

    async def _each(self, records):
        for record in list(records):
            yield record
        if self.broken is not None:
            yield self.broken

    async def one(self, at):
        if at.topic == TOPICS.dead_letters:
            return self.dead_letters[at.offset] if at.offset < len(self.dead_letters) else None
        return self.inputs.get(at)

    def break_with(self, lost: Lost):
        self.broken = lost


def again(world, first, *, verb="replay", changes=None, by_hand=False, bare=False, name=None, changed=""):
    """A record on the replay topic that sends the latest dead letter of `first` once more."""
    letter = next(one for one in reversed(world.dead_letters) if _origin(one) == first)
    offset = sum(at.topic == TOPICS.replays for at in world.inputs)
    value = letter.value
    if changes is not None:
        data = json.loads(value)
        data["invoice"] |= changes
        for gone in [name for name, given in changes.items() if given is None]:
            del data["invoice"][gone]
        value = json.dumps(data).encode()
    own = () if bare else letter.headers
    said = {"replay-of": str(first)}
    if not by_hand:
        said |= {
            "command-id": name or f"c-{offset}",
            "command-verb": verb,
            "command-who": "kari",
            "command-when": EPOCH.isoformat(),
            "command-why": "it is well again",
        }
        if changed:
            said["command-changed"] = changed
    own = tuple((key, text) for key, text in own if key not in said)
    return Record(
        TOPICS.replays,
        0,
        offset,
        letter.timestamp_ms,
        letter.key,
        value,
        (*own, *((key, text.encode()) for key, text in said.items())),
    )


def command(world, first, verb, *, identity, name=None, structured=False, **more):
    """A person's command about `first`."""
    offset = sum(at.topic == TOPICS.replays for at in world.inputs)
    data = {"version": 1, "verb": verb, "who": "kari", "when": EPOCH.isoformat(), "why": "I looked it up"} | more
    if identity is not None:
        data["identity"] = identity
    attributes = {
        "specversion": "1.0",
        "id": name or f"c-{offset}",
        "source": "/ops/kari",
        "type": "kravia.invoice.command.v1",
    }
    if structured:
        headers = {"content-type": "application/cloudevents+json"}
        data = attributes | {"data": data}
    else:
        headers = {f"ce_{key}": text for key, text in attributes.items()}
    headers |= {"replay-of": str(first)}
    pairs = tuple((key, text.encode()) for key, text in headers.items())
    return Record(TOPICS.replays, 0, offset, 0, (identity or str(first)).encode(), json.dumps(data).encode(), pairs)


def settle_several(world):
    """Four events: refused, expired and sent again well, in doubt, and one that is no JSON."""
    call = Call(EPOCH, "unclear:timeout", "owner-1", 7)
    world.settle(make_record(0, "20001", originalAmount=2500), REFUSED)
    world.settle(make_record(1, "20002", originalAmount=100), EXPIRED)
    world.settle(make_record(2, "20003", originalAmount=10), IN_DOUBT, history=History(1, calls=(call,)))
    world.settle(Record(TOPICS.requests, 0, 3, 0, None, b"{", ()), None)
    world.settle(again(world, Coordinates(TOPICS.requests, 0, 1), name="r-1"), SCHEDULED)
    return world


def found_by_the_command_line(monkeypatch, tmp_path):
    """Topics that `worker dead-letters` finds instead of Kafka's, in an empty directory without settings."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    made = FakeTopics()

    async def opened(_connection, _topics, _step):
        return made

    monkeypatch.setattr(session, "open_source", opened)
    return made


def _origin(letter):
    headers = dict(letter.headers)
    names = ("topic", "partition", "offset")
    topic, partition, offset = (headers[f"__dlq.errors.{name}"].decode() for name in names)
    return Coordinates(topic, int(partition), int(offset))


def run_by(capsys):
    """Runs `worker dead-letters …`, holds it to its exit status, and gives what it printed."""

    def told(*words, status=0):
        assert main(["dead-letters", *words]) == status
        return capsys.readouterr()

    return told


def objects(told):
    """The JSON lines that were printed."""
    return [json.loads(line) for line in told.out.splitlines()]
