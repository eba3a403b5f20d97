"""How invoices stand when a run is examined: journal, ledger, the settings' rules; and discards."""

from dataclasses import replace

import pytest

from schemas.identity import identity
from schemas.rules import Action, RulePolicy
from tests.unit.fakes_core import TOPICS
from tests.unit.fakes_deadletters import DECISION, Followed, Outbox, Topics, die
from tests.unit.fakes_time import VirtualClock, virtual
from tests.unit.test_deadletters_run import examined, planned
from worker.deadletters.examine import examine_discards, examine_replays
from worker.deadletters.predict import Kind
from worker.deadletters.run import Pace, Run, discards
from worker.facts import Fact, encode
from worker.facts import Kind as FactKind
from worker.model import Coordinates, Partition
from worker.standing import Entry, State, encode_entry


@virtual
@pytest.mark.parametrize(
    ("offset", "floor", "settled", "waits"),
    [(7, 5, 4, True), (4, 5, 3, False), (7, 5, 7, False), (7, None, -1, True)],
)
async def test_an_unsettled_event_in_the_journal_is_waited_for(offset, floor, settled, waits):
    topics = Topics()
    first = die(topics, 1, 1)
    name, partition = identity(10759, "Invoice", "1"), first.partition
    topics.floors[Partition(TOPICS.requests, partition)] = floor
    where = Coordinates(TOPICS.requests, partition, offset)
    fact = Fact(FactKind.INTENT, "owner", DECISION.when, where, name)
    topics.add(TOPICS.journal, partition, name.encode(), encode(fact))
    topics.add(TOPICS.journal, partition, b"1/Invoice/2", b"not looked at")
    entry = Entry(State.ABSENT, settled=(settled, -1))
    topics.add(TOPICS.ledger, partition, name.encode(), encode_entry(entry))
    [item] = (await examined(topics)).items
    assert item.prediction.kind is (Kind.WAITS if waits else Kind.REGISTER)


@virtual
@pytest.mark.parametrize("for_good", [False, True])
async def test_a_discard_spares_what_is_in_doubt_unless_it_is_for_good(for_good):
    topics = Topics()
    first = die(topics, 1, 1)
    name = identity(10759, "Invoice", "1")
    entry = Entry(State.IN_DOUBT, settled=(1, -1), doubt=3)
    topics.add(TOPICS.ledger, first.partition, name.encode(), encode_entry(entry))
    made = await planned(topics)
    assert await examine_discards(topics.ground(), made.items, for_good=for_good) is None
    assert bool(made.to_send()) is for_good


@virtual
async def test_discards_are_sent_and_followed_by_their_own_ids():
    topics = Topics()
    for number in range(10):
        die(topics, number, number)
    made = await planned(topics)
    outbox = Outbox(topics)
    followed = Followed(outbox, lambda record: "discarded")
    ran = Run(replace(DECISION), "discard", Pace(wait=True), outbox, followed, VirtualClock(), lambda report: None)
    target = topics.ground().target
    assert await ran.go(made.items, lambda items: discards(items, DECISION, target, for_good=False)) is None
    assert (ran.report.sent, ran.report.tally.well) == (10, 10)


@virtual
async def test_the_rules_of_the_settings_count():
    topics = Topics()
    die(topics, 1, 1, dueDate="2020-01-01")
    made = await planned(topics)
    for action, kind in ((Action.OFF, Kind.REGISTER), (Action.REJECT, Kind.INVALID)):
        ground = replace(topics.ground(), event_rules=RulePolicy({"due_before_invoice": action}))
        assert await examine_replays(ground, made.items, DECISION) is None
        assert made.items[0].prediction.kind is kind
