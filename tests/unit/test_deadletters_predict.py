"""A prediction comes true: every ledger state, journal state and kind of event, driven through the real lane."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count

import pytest

from schemas.identity import identity, partition_for
from tests.unit.fakes_core import DESK, JOURNAL, LEDGER, OUTCOMES, REQUESTS, TOPICS, World, make_event, make_record
from tests.unit.fakes_lane import unfinished
from tests.unit.fakes_time import EPOCH, settle_down, until, virtual
from worker.deadletters.predict import Kind, Rules, Standing, predict
from worker.deadletters.sending import Decision, Letter, Target, as_replay, command_id, replay
from worker.decode import decode
from worker.facts import Fact, encode
from worker.facts import Kind as FactKind
from worker.lane import Lane, LaneConfig
from worker.model import Coordinates, Record
from worker.ownership import OwnershipConfig, take_over
from worker.ownership.ownership import Ownership
from worker.pipeline import Pipeline
from worker.ports import Committed
from worker.standing import HEADER_KEY, PARTITIONER, Entry, Header, State, digests, encode_entry, encode_header

PARTITIONS, LIMIT, KEY = 4, 20, b"k" * 32
RULES = Rules(partial(decode, partition_count=PARTITIONS, commands=True), LIMIT, KEY)
TARGET = Target(TOPICS.replays, PARTITIONS)
DECISION = Decision("run", "kari", EPOCH, "the API is well again")
NUMBER = next(str(n) for n in count(1) if partition_for(identity(10759, "Invoice", str(n)).encode(), PARTITIONS) == 0)
IDENTITY = identity(10759, "Invoice", NUMBER)
FIRST, OTHER = Coordinates(TOPICS.requests, 0, 2), Coordinates(TOPICS.requests, 0, 5)
KNOWN, NEW = ("a.txt", b"a"), ("b.txt", b"b")
[SENT] = make_event(0, NUMBER, documents=[KNOWN]).attachments
DIGESTS = digests(KEY, make_event(0, NUMBER).fields)

LEDGER_STATES = {
    "unknown": None,
    "absent": Entry(State.ABSENT),
    "scheduled": Entry(State.SCHEDULED, invoice_id="4711", attached=(SENT.sha256,)),
    "registered": Entry(State.REGISTERED, invoice_id="4711"),
    "attached": Entry(State.REGISTERED, invoice_id="4711", attached=(SENT.sha256,)),
    "in doubt": Entry(State.IN_DOUBT, doubt=3),
    "discarded": Entry(State.DISCARDED),
    "discarded doubt": Entry(State.DISCARDED, doubt=3),
    "seen": Entry(State.ABSENT, commands=(command_id("run", FIRST, "replay"),)),
    "seen and scheduled": Entry(State.SCHEDULED, invoice_id="4711", commands=(command_id("run", FIRST, "replay"),)),
    "replayed too often": Entry(State.ABSENT, replays=LIMIT),
    "nearly too often": Entry(State.REGISTERED, invoice_id="4711", replays=LIMIT - 1),
}
JOURNAL_STATES = {
    "empty": (),
    "intent": (FactKind.INTENT,),
    "unclear": (FactKind.INTENT, FactKind.UNCLEAR),
    "not carried out": (FactKind.INTENT, FactKind.NOT_CARRIED_OUT),
    "registered": (FactKind.INTENT, FactKind.REGISTERED),
    "attached": (FactKind.INTENT, FactKind.REGISTERED, FactKind.ATTACHED),
    "started": (FactKind.INTENT, FactKind.REGISTERED, FactKind.STARTED),
    "settled": (FactKind.INTENT, FactKind.REGISTERED),
}
EVENTS = {
    "same": {},
    "other amount and name": {"originalAmount": 9, "debtorName": "B"},
    "document": {"documents": [KNOWN]},
    "another document": {"documents": [KNOWN, NEW]},
    "invalid": {"originalAmount": "x", "dueDate": "soon"},
    "undecodable": None,
    "misrouted": {},
}


def letter_of(variant):
    changes = EVENTS[variant]
    record = make_record(2, NUMBER, **(changes or {}))
    if changes is None:
        record = replace(record, value=b"{")
    if variant == "misrouted":
        record = replace(record, key=None, partition=2)
    return Letter(record, FIRST if variant != "misrouted" else FIRST._replace(partition=2), variant == "misrouted")


def standing_of(ledger, journal):
    entry = LEDGER_STATES[ledger]
    if entry is not None:
        registered = entry.invoice_id is not None
        entry = replace(
            entry, settled=(4, -1), digests=DIGESTS if registered else {}, outcome="o" if registered else None
        )
    return Standing(entry, waits=journal not in {"empty", "settled"})


async def world_of(ledger, journal):
    """A lane on a log that holds these ledger and journal states, and nothing else."""
    world = World()
    header = Header("group", TOPICS, PARTITIONS, PARTITIONER, KEY)
    world.log.put(LEDGER, HEADER_KEY, encode_header(header))
    entry = standing_of(ledger, journal).entry
    if entry is not None:
        world.log.put(LEDGER, IDENTITY.encode(), encode_entry(entry))
    world.log.committed["group", REQUESTS] = Committed(5)
    where = OTHER if journal != "settled" else OTHER._replace(offset=3)
    for kind in JOURNAL_STATES[journal]:
        later = kind is not FactKind.INTENT
        fact = Fact(kind, "former", EPOCH - timedelta(hours=1), where, IDENTITY, 0 if later else None)
        if kind is FactKind.REGISTERED:
            fact = replace(fact, invoice_id="4711")
        if kind is FactKind.ATTACHED:
            fact = replace(fact, sha256=SENT.sha256)
        world.log.put(JOURNAL, IDENTITY.encode(), encode(fact))
    own = await take_over(OwnershipConfig(TOPICS, "group", PARTITIONS), world.ports, 0)
    assert isinstance(own, Ownership), own
    own.start()
    config = LaneConfig(TOPICS, DESK, partitions=PARTITIONS, window=100)
    world.open_gate()
    return world, Lane(config, own, Pipeline(world.tools), world.budget, world.clock, world.watcher)


def came_true(outcome, steps):
    """What an outcome and the calls that were made amount to, in the words of a prediction."""
    errors = outcome.get("errors", [])
    codes = {error["code"] for error in errors}
    match outcome["outcome"], outcome.get("reason"):
        case "scheduled", _:
            calls = [step for step in steps if step != "details"]
            first = {"register": Kind.REGISTER, "attach": Kind.ATTACH, "start": Kind.START}[calls[0]]
            return first, set()
        case "repeated", _:
            seen = outcome.get("command", {}).get("seen")
            return (Kind.SENT if seen else Kind.REPEAT), set()
        case "rejected", "conflict" if "replay_limit" in codes:
            return Kind.LIMIT, set()
        case "rejected", "conflict":
            return Kind.CONFLICT, {error["pointer"].rpartition("/")[2] for error in errors}
        case "rejected", "validation" | "undecodable":
            return Kind.INVALID, codes
        case "failed", "blocked":
            return "blocked", set()
        case other:
            raise AssertionError(other)


@pytest.mark.parametrize("variant", EVENTS)
@pytest.mark.parametrize("journal", JOURNAL_STATES)
@pytest.mark.parametrize("ledger", LEDGER_STATES)
@virtual
async def test_a_prediction_comes_true(ledger, journal, variant):
    letter = letter_of(variant)
    record = as_replay(replay(letter, DECISION, TARGET))
    standing = standing_of(ledger, journal)
    predicted, _ = predict(record, standing, RULES)

    world, lane = await world_of(ledger, journal)
    # Undecodable, it is sent where its origin stands, under no identity.
    assert record.partition == 0
    lane.offer([record])
    awaits = standing.waits and variant != "undecodable"
    if awaits:
        await settle_down()
        await asyncio.sleep(60)
        assert unfinished(lane) == [0]
        if predicted.kind is Kind.WAITS:
            return
        lane.offer([make_record(OTHER.offset, NUMBER)])
    await until(lambda: not unfinished(lane))
    assert predicted.kind is not Kind.WAITS
    told = [json.loads(row.value) for row in world.log.visible(OUTCOMES)]
    [outcome] = [one for one in told if one["origin"]["topic"] == TOPICS.replays]
    kind, details = came_true(outcome, world.api.steps())
    if kind == "blocked":
        assert predicted.kind is (Kind.DISCARDED if "discarded" in ledger else Kind.IN_DOUBT)
    else:
        assert (predicted.kind, set(predicted.details)) == (kind, details)


@virtual
async def test_what_is_assumed_of_the_next_event_of_an_invoice_comes_true():
    """Two events of one invoice in a run: the second is predicted on the first's success."""
    world, lane = await world_of("unknown", "empty")
    standing, kinds = Standing(), []
    for offset, variant in enumerate(("same", "document", "other amount and name")):
        letter = replace(letter_of(variant), origin=FIRST._replace(offset=offset))
        record = replace(as_replay(replay(letter, DECISION, TARGET)), offset=offset)
        predicted, standing = predict(record, standing, RULES)
        kinds.append(predicted.kind)
        # The digest key of an empty ledger is not known: the first event makes it.
        lane.offer([record])
        await until(lambda: not unfinished(lane))
    told = [json.loads(row.value) for row in world.log.visible(OUTCOMES)]
    assert kinds == [Kind.REGISTER, Kind.REPEAT, Kind.CONFLICT]
    assert [one["outcome"] for one in told] == ["scheduled", "repeated", "rejected"]


@pytest.mark.parametrize(("ledger", "held"), [("unknown", True), ("registered", True), ("scheduled", False)])
def test_an_event_waits_for_an_earlier_one_that_is_dead_unless_it_changes_nothing(ledger, held):
    record = as_replay(replay(letter_of("same"), DECISION, TARGET))
    predicted, _ = predict(record, standing_of(ledger, "empty"), RULES, earlier_is_dead=True)
    assert (predicted.kind is Kind.EARLIER) is held
    assert predicted.worth_sending is not held


def test_a_prediction_reads_as_a_sentence():
    record = as_replay(replay(letter_of("other amount and name"), DECISION, TARGET))
    predicted, _ = predict(record, standing_of("scheduled", "empty"), RULES)
    assert str(predicted) == "conflict: fields debtorName, originalAmount"
    assert str(replace(predicted, moves_to=3)).startswith("misrouted → goes to partition 3, conflict")
    assert str(predict(Record(TOPICS.replays, 0, 0, 0, None, b"", ()), Standing(), RULES)[0]) == "invalid: codes empty"
