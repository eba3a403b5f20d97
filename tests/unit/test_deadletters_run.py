"""A run over dead letters: what it sends, in which order, when it stops, and that it goes on where it was."""

import asyncio
from collections import Counter

from schemas.identity import identity
from tests.unit.fakes_core import TOPICS
from tests.unit.fakes_deadletters import AWAY, DECISION, PARTITIONS, Followed, Outbox, Topics, die
from tests.unit.fakes_time import VirtualClock, virtual
from worker.deadletters.examine import GONE, examine_replays, names_of_misrouted
from worker.deadletters.plan import Item, canaries, plan
from worker.deadletters.predict import Kind
from worker.deadletters.run import Pace, Run, replays, sent_before, summary
from worker.deadletters.source import read_board
from worker.model import Partition


async def planned(topics, fits=lambda one: True, **options):
    board = await read_board(topics)
    everything = list(board.summaries.values())
    names = await names_of_misrouted(topics, [Item(one, one.identity) for one in everything])
    chosen = [one for one in everything if fits(one)]
    return plan(chosen, everything, TOPICS.replays, names=names, **options)


async def examined(topics, fits=lambda one: True, **options):
    made = await planned(topics, fits, **options)
    assert await examine_replays(topics.ground(), made.items, DECISION) is None
    return made


async def run(topics, made, *, outbox=None, answer=lambda record: "scheduled", **pace):
    outbox = outbox or Outbox(topics)
    followed = Followed(outbox, answer)
    ran = Run(DECISION, "replay", Pace(**pace), outbox, followed, VirtualClock(), lambda report: None)
    target = topics.ground().target
    lost = await ran.go(made.items, lambda items: replays(topics, items, DECISION, target))
    return ran.report, outbox, lost


def origins(records):
    return [dict(record.headers)["replay-of"].decode() for record in records]


@virtual
async def test_every_dead_letter_is_sent_once_and_the_report_says_how_it_went():
    topics = Topics()
    died = [die(topics, number, number) for number in range(30)]
    made = await examined(topics)
    report, outbox, lost = await run(topics, made, wait=True)
    assert lost is None
    assert Counter(origins(outbox.sent)) == Counter(map(str, died))
    assert (report.sent, report.tally.well, report.waiting, report.left, report.stopped) == (30, 30, 0, 0, None)


@virtual
async def test_events_of_an_invoice_are_sent_in_the_order_of_their_origins_wherever_their_dead_letters_stand():
    topics = Topics()
    later = [die(topics, 1, offset) for offset in (5, 3, 9, 1)]
    made = await examined(topics)
    _, outbox, _ = await run(topics, made)
    assert origins(outbox.sent) == sorted(map(str, later))
    assert [item.prediction.kind for item in made.items] == [Kind.REGISTER] + [Kind.REPEAT] * 3


@virtual
async def test_a_misrouted_event_is_one_of_its_invoice_and_goes_where_that_belongs():
    topics = Topics()
    astray = die(topics, 1, 2, misrouted=True)
    made = await examined(topics)
    [item] = made.items
    assert item.identity == identity(10759, "Invoice", "1")
    assert (item.prediction.kind, item.prediction.moves_to) == (Kind.REGISTER, (astray.partition - 1) % PARTITIONS)


@virtual
async def test_what_would_overtake_an_earlier_dead_event_of_its_invoice_is_left_out():
    topics = Topics()
    first, second = die(topics, 1, 1), die(topics, 1, 2)
    alone = await examined(topics, lambda one: one.origin == second)
    assert [item.prediction.kind for item in alone.items] == [Kind.EARLIER]
    both = await examined(topics)
    assert [item.summary.origin for item in both.to_send()] == [first, second]
    # One that can't be sent holds back those behind it, selected or not.
    stuck = Topics()
    die(stuck, 1, 1, originalAmount="x")
    die(stuck, 1, 2)
    made = await examined(stuck)
    assert [item.prediction.kind for item in made.items] == [Kind.INVALID, Kind.EARLIER]


@virtual
async def test_the_limit_takes_those_that_failed_first_and_leaves_no_gap():
    topics = Topics()
    died = sorted(die(topics, 1, offset) for offset in (4, 2, 3))
    made = await examined(topics, limit=2)
    assert [item.summary.origin for item in made.to_send()] == died[:2]


@virtual
async def test_a_dead_letter_that_retention_took_is_told_and_holds_nobody_back():
    topics = Topics()
    first, second = die(topics, 1, 1), die(topics, 1, 2)
    made = await planned(topics)
    rows = topics.rows[Partition(TOPICS.dead_letters, first.partition)]
    rows[0] = None
    assert await examine_replays(topics.ground(), made.items, DECISION) is None
    assert made.items[0].skipped == GONE
    assert [item.summary.origin for item in made.to_send()] == [second]


@virtual
async def test_a_run_that_ends_anywhere_is_resumed_without_sending_anything_twice():
    for broken_at in (0, 1, 7, 29):
        topics = Topics()
        died = [die(topics, number, number) for number in range(30)]
        made = await examined(topics)
        _, outbox, lost = await run(topics, made, outbox=Outbox(topics, fails_after=broken_at), rate=10)
        assert lost is AWAY
        before = await sent_before(topics, TOPICS.replays, PARTITIONS, DECISION.run)
        assert {str(origin) for origin in before} == set(origins(outbox.sent))
        assert await sent_before(topics, TOPICS.replays, PARTITIONS, "another") == set()
        rest = await examined(topics, sent=before)
        _, second, lost = await run(topics, rest)
        assert lost is None
        assert sorted(origins(outbox.sent) + origins(second.sent)) == sorted(map(str, died))


@virtual
async def test_the_rate_is_kept():
    topics = Topics()
    for number in range(100):
        die(topics, number, number)
    began = asyncio.get_running_loop().time()
    _, outbox, _ = await run(topics, await examined(topics), rate=20)
    assert asyncio.get_running_loop().time() - began >= 99 / 20 - 0.1
    assert all(count <= 2 for _, count in outbox.batches)


@virtual
async def test_repeated_failure_stops_the_run_before_all_is_sent():
    topics = Topics()
    for number in range(400):
        die(topics, number, number)
    report, outbox, _ = await run(
        topics, await examined(topics), answer=lambda record: "rejected", wait=True, stop_after=3, window=10, rate=100
    )
    assert report.stopped.endswith("failed in a row")
    assert len(outbox.sent) < 100
    assert report.left == 400 - len(outbox.sent)


@virtual
async def test_more_than_half_failing_stops_it_too():
    topics = Topics()
    for number in range(60):
        die(topics, number, number)
    turns = iter(range(10_000))
    report, _, _ = await run(
        topics,
        await examined(topics),
        answer=lambda record: "scheduled" if next(turns) % 5 in {0, 3} else "rejected",
        wait=True,
        stop_after=5,
        window=5,
        rate=10,
    )
    assert "of" in report.stopped


@virtual
async def test_a_worker_that_does_not_answer_is_not_waited_for_for_ever():
    topics = Topics()
    die(topics, 1, 1)
    report, _, _ = await run(topics, await examined(topics), answer=lambda record: None, wait=True, timeout=30)
    assert "is the worker running" in report.stopped
    assert report.waiting == 1


@virtual
async def test_groups_go_on_only_when_their_canary_went_well():
    topics = Topics()
    good = [die(topics, number, number, fingerprint="a" * 16) for number in range(5)]
    for number in range(5, 10):
        die(topics, number, number, fingerprint="b" * 16, debtorName="Bad")
    made = await examined(topics)
    report, outbox, _ = await run(
        topics, made, answer=lambda record: "rejected" if b"Bad" in record.value else "scheduled", canary=True
    )
    assert set(map(str, good)) <= set(origins(outbox.sent))
    assert len(outbox.sent) == 6
    assert len(canaries(made.items)) == 2
    assert summary(item for item in made.items if item.skipped) == {
        "left out: its group's canary ended rejected refused": 4
    }
    assert report.left == 0


@virtual
async def test_a_canarys_failure_holds_back_later_events_of_its_invoice():
    topics = Topics()
    die(topics, 1, 1, fingerprint="b" * 16, debtorName="Bad")
    die(topics, 2, 1, fingerprint="b" * 16, debtorName="Bad")
    die(topics, 2, 2, fingerprint="a" * 16, debtorName="Bad")
    die(topics, 3, 1, fingerprint="a" * 16)
    made = await examined(topics)
    _, outbox, _ = await run(
        topics, made, answer=lambda record: "rejected" if b"Bad" in record.value else "scheduled", canary=True
    )
    sent = {origin.rsplit("/", 1)[1] for origin in origins(outbox.sent)}
    held = [item.skipped for item in made.items if item.skipped]
    assert len(outbox.sent) == 2
    assert sent == {"1"}
    assert "left out: an earlier event of this invoice was, or failed again" in held


@virtual
async def test_a_lost_broker_is_said_wherever_it_is_met():
    topics = Topics()
    die(topics, 1, 1)
    made = await planned(topics)
    topics.lost = AWAY
    assert await examine_replays(topics.ground(), made.items, DECISION) is AWAY
    assert await read_board(topics) is AWAY
    assert await sent_before(topics, TOPICS.replays, PARTITIONS, "r") is AWAY
    topics.lost = None
    assert await examine_replays(topics.ground(), made.items, DECISION) is None
    topics.lost = AWAY
    assert (await run(topics, made))[2] is AWAY
