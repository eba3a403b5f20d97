"""How far the journal may be trimmed: never past a fact of an event that is not settled."""

import asyncio

from tests.unit.fakes_core import JOURNAL, REQUESTS, TOPICS, World
from tests.unit.fakes_ownership import IDENTITY, intent, origin, settle
from tests.unit.fakes_time import EPOCH, settle_down, virtual
from worker.facts import Fact, Kind, encode
from worker.faults import NO_FAULTS
from worker.ownership.trim import Trimmer
from worker.ports import Committed, Lost, LostWhy


class TestTrim:
    @virtual
    async def test_it_moves_only_after_a_settlement_is_committed(self):
        world = World()
        own = await world.own()
        await intent(own, 0)
        assert own.trim_to == 0
        world.producers[1].plan("commit", 5.0)
        settlement = await settle(own, 0)
        await asyncio.sleep(4)
        assert own.trim_to == 0
        await settlement.committed
        await settle_down()
        assert own.trim_to == own.journal.end > 1

    @virtual
    async def test_never_past_the_smallest_fact_of_an_unsettled_event(self):
        world = World()
        own = await world.own()
        older = await intent(own, 0)
        await intent(own, 1)
        await (await settle(own, 1)).committed
        await settle_down()
        assert own.trim_to == older
        await (await settle(own, 0)).committed
        await settle_down()
        assert own.trim_to == own.journal.end

    @virtual
    async def test_inherited_facts_hold_it_too(self):
        world = World()
        inherited = world.log.put(JOURNAL, b"k", encode(Fact(Kind.INTENT, "former", EPOCH, origin(5), IDENTITY)))
        own = await world.own()
        await intent(own, 6)
        await (await settle(own, 6)).committed
        await settle_down()
        assert own.trim_to == inherited
        assert own.open_intents == 1

    @virtual
    async def test_inherited_facts_of_settled_events_hold_nothing(self):
        world = World()
        world.log.put(JOURNAL, b"k", encode(Fact(Kind.INTENT, "former", EPOCH, origin(5), IDENTITY)))
        world.log.committed["group", REQUESTS] = Committed(6)
        own = await world.own()
        assert own.open_intents == 0
        await (await settle(own, 6)).committed
        await settle_down()
        assert own.trim_to == own.journal.end

    @virtual
    async def test_a_write_on_its_way_holds_it(self):
        world = World()
        own = await world.own()
        end = own.journal.end
        world.producers[0].plan("send", 3.0)
        writing = asyncio.create_task(intent(own, 1))
        await settle_down()
        await (await settle(own, 0)).committed
        await settle_down()
        assert own.trim_to == end
        assert await writing >= end

    @virtual
    async def test_a_settlement_that_failed_moves_nothing(self):
        world = World()
        own = await world.own()
        await intent(own, 0)
        world.producers[1].plan("commit", Lost(LostWhy.UNCLEAR, "?"))
        await settle(own, 0)
        await own.lost
        assert own.trim_to == 0

    @virtual
    async def test_one_call_for_all_and_a_failure_is_tried_again(self):
        world = World()
        own = await world.own()
        trimmer = Trimmer(TOPICS.journal, lambda: [own], world.admin, NO_FAULTS, world.watcher, 2.0)
        await trimmer.trim()
        assert world.admin.deletions == [], "nothing settled, nothing trimmed"
        await intent(own, 0)
        await (await settle(own, 0)).committed
        await settle_down()
        world.admin.lost = Lost(LostWhy.BROKEN, "no")
        await trimmer.trim()
        world.admin.lost = None
        await trimmer.trim()
        await trimmer.trim()
        assert world.admin.deletions == [{JOURNAL: own.journal.end}] * 2
        assert [told for told in world.watcher.told if told[0] == "trimmed"] == [("trimmed", False), ("trimmed", True)]
