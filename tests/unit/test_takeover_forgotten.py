"""A take-over looks whether ledger and journal still hold what the committed offsets were settled with."""

import pytest

from tests.unit.fakes_core import CONFIG, JOURNAL, LEDGER, REPLAYS, REQUESTS, TOPICS, World
from tests.unit.fakes_ownership import intent, settle
from tests.unit.fakes_time import virtual
from worker.faults import NO_FAULTS
from worker.ownership import take_over
from worker.ports import Committed, Lost, LostWhy


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        (LEDGER, "invoice.ledger has no header; invoice.ledger ends at 0, and reached"),
        (JOURNAL, "invoice.journal ends at 0, and reached"),
    ],
)
@virtual
async def test_a_ledger_or_journal_that_was_emptied_is_refused_however_often_it_is_tried(gone, says):
    world = World()
    own = await world.own()
    await intent(own, 0)
    settled = await settle(own, 0)
    await settled.committed
    await own.close()
    world.log.rows[gone].clear()
    before = len(world.log.rows[JOURNAL])
    for _ in range(20):
        lost = await take_over(CONFIG, world.ports, 0)
        assert isinstance(lost, Lost)
        assert lost.why is LostWhy.REFUSED
        assert says in lost.detail
        assert "docs/how-to/restore.md" in lost.detail
    assert len(world.log.rows[JOURNAL]) == before, "tries don't make up for what was lost"


@virtual
async def test_offsets_that_a_person_set_anew_are_taken_with_any_ledger():
    world = World()
    await (await world.own()).close()
    world.log.rows[LEDGER].clear()
    world.log.rows[JOURNAL].clear()
    for input_ in (REQUESTS, REPLAYS):
        world.log.committed["group", input_] = Committed(3)
    own = await world.own()
    assert own.prefixes[TOPICS.requests].next == 3


@virtual
async def test_what_was_lost_after_the_first_look_is_refused_too():
    """The journal is exchanged between the look and the claim."""
    world = World()
    own = await world.own()
    await intent(own, 0)
    await (await settle(own, 0)).committed
    await own.close()
    make = world.producer

    def emptying(transactional_id):
        world.log.rows[JOURNAL].clear()
        return make(transactional_id)

    known = {partition: len(rows) for partition, rows in world.log.rows.items()}
    world.admin.ends = known
    ports = type(world.ports)(emptying, world.reader, world.admin, world.clock, NO_FAULTS, world.watcher)
    lost = await take_over(CONFIG, ports, 0)
    assert isinstance(lost, Lost)
    assert "invoice.journal ends at" in lost.detail


@virtual
async def test_a_mark_of_a_newer_version_is_refused_by_name():
    world = World()
    world.log.committed["group", REQUESTS] = Committed(0, '{"v":2,"ledger":"a"}')
    lost = await take_over(CONFIG, world.ports, 0)
    assert isinstance(lost, Lost)
    assert "version 2" in lost.detail
    assert "run the newer worker" in lost.detail
