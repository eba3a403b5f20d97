"""What rules beyond shape do to an event in its lane, also to one that was begun by other rules."""

import json

from schemas.rules import Action, RulePolicy
from tests.unit.fakes_core import OUTCOMES, make_record
from tests.unit.fakes_lane import make, settled
from tests.unit.fakes_time import until, virtual
from worker.answers import Registered
from worker.decode import decode
from worker.model import Invalid, Problem, Refusal
from worker.ports import LostWhy
from worker.standing import State

IDENTITY = "10759/Invoice/20001"


class TestRules:
    """What rules beyond shape do to an event."""

    STRICT = RulePolicy({"email": Action.REJECT})

    def outcome(self, world, number=-1):
        return json.loads(world.log.visible(OUTCOMES)[number].value)

    @virtual
    async def test_a_warning_is_counted_once_for_an_event_and_listed_in_its_outcome(self):
        world, lane = await make()
        lane.offer([make_record(0, email="kari@", accountingInvoiceId=None, debtorNumber=None)])
        await settled(lane)
        assert world.outcomes() == ["scheduled"]
        counted = sorted(told[1] for told in world.watcher.told if told[0] == "warned")
        assert counted == ["email", "reference_missing"]
        assert [(w["pointer"], w["code"]) for w in self.outcome(world)["warnings"]] == [
            ("/invoice/accountingInvoiceId", "reference_missing"),
            ("/invoice/debtorNumber", "reference_missing"),
            ("/invoice/email", "email"),
        ]
        assert "kari" not in str(self.outcome(world))

    @virtual
    async def test_a_rule_that_rejects_ends_it_before_any_call(self):
        world, lane = await make(rules=self.STRICT)
        lane.offer([make_record(0, email="kari@"), make_record(1)])
        await settled(lane)
        assert world.outcomes() == ["rejected", "scheduled"]
        told = self.outcome(world, 0)
        assert (told["reason"], [error["code"] for error in told["errors"]]) == ("validation", ["email"])
        assert world.api.steps() == ["register", "start"]

    @virtual
    async def test_thousands_of_warnings_are_no_fault_of_the_worker(self):
        world, lane = await make()
        lines = [{"description": "x", "unitPrice": 1, "count": 1, "total": 7}] * 500
        lane.offer([make_record(0, orderLines=lines, originalAmount=3500)])
        await settled(lane)
        assert [told for told in world.watcher.told if told[0] == "warned"] == [("warned", "line_total")]
        assert len(self.outcome(world)["warnings"]) == 101

    @virtual
    async def test_what_may_be_registered_is_not_refused_by_a_rule_that_was_made_stricter(self):
        world, lane = await make()
        world.api.plan("register", (10_000.0, Registered("never")))
        record = make_record(0, email="kari@")
        lane.offer([record])
        await until(lambda: world.api.steps() == ["register"])
        # The next owner was started with a stricter rule, while the answer is still out.
        _, later = await make(world, rules=self.STRICT)
        later.offer([record, make_record(1)])
        await settled(later)
        assert world.outcomes() == ["failed", "failed"], "in doubt, and blocked: nothing was forgotten"
        assert world.api.steps() == ["register"]
        assert world.entries()[IDENTITY].state is State.IN_DOUBT

    @virtual
    async def test_what_may_be_registered_and_can_not_be_read_any_more_stops_its_partition(self, monkeypatch):
        world, lane = await make()
        world.api.plan("register", (10_000.0, Registered("never")))
        record = make_record(0)
        lane.offer([record])
        await until(lambda: world.api.steps() == ["register"])
        _, later = await make(world)
        envelope = decode(record, partition_count=1).envelope
        problem = Problem("/invoice", "new_shape", "This is not known any more.")
        refused = Invalid(envelope, IDENTITY, Refusal.VALIDATION, (problem,), record.size)
        monkeypatch.setattr("worker.lane.decode", lambda *_, **__: refused)
        later.offer([record])
        lost = await later.own.lost
        assert lost.why is LostWhy.REFUSED
        assert "new_shape" in lost.detail
        assert world.outcomes() == []
