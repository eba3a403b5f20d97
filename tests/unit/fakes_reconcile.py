"""A reconciler on virtual time, before a search that the test fills."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from tests.unit.fakes_search import printed
from tests.unit.fakes_time import EPOCH, VirtualClock
from worker.answers import NotVisible
from worker.doubt import Doubt, DoubtPolicy
from worker.gate import Gate, GatePolicy, GateState
from worker.matching import Identity
from worker.ports import Details, Observer, SearchPage
from worker.reconcile import Reconciler
from worker.sweep import SweepPolicy

POLICY = DoubtPolicy(
    intent_validity=2.0,
    register_timeout=3.0,
    late_processing=10.0,
    search_delay=20.0,
    clock_error=1.0,
    disorder=5.0,
    witness_timeout=100.0,
    sweep_interval=1.0,
)
WANTED = Identity("10759", "Invoice", "20001", None)


class Index:
    """Kravia's search and `/details`: rows by the moment from which they show (virtual seconds)."""

    def __init__(self, clock):
        self.clock = clock
        self.rows = []
        self.sweeps = []
        """When each sweep began."""
        self.since = []
        self.failures = []
        """The next answers to a search."""
        self.raw = {}
        self.details_asked = []

    def show(self, invoice_id, number="20001", *, at=0.0, **changes):
        """A row from `at` on; `changes` are fields, None takes one away."""
        fields = {"id": invoice_id, "creditorId": 10759, "claimType": "Invoice", "invoiceNo": number} | changes
        self.rows.append((at, {name: value for name, value in fields.items() if value is not None}))

    def tell(self, invoice_id, number="20001", **changes):
        """What `/details` tells."""
        self.raw[str(invoice_id)] = {"creditorId": 10759, "claimType": "Invoice", "invoiceNo": number} | changes

    async def search(self, since, *, skip, top):
        if skip == 0:
            self.sweeps.append(self.clock.boottime())
            self.since.append(since)
        if self.failures:
            return self.failures.pop(0)
        rows = [row for at, row in self.rows if at <= self.clock.boottime()]
        return SearchPage(tuple(rows[skip : skip + top]))

    async def details(self, invoice_id):
        self.details_asked.append(invoice_id)
        raw = self.raw.get(invoice_id)
        return NotVisible() if raw is None else Details(None, None, raw)


class Told(Observer):
    def __init__(self):
        self.kinds = []
        self.results = []

    def resolved(self, kind):
        self.kinds.append(kind)

    def swept(self, result, rows, seconds):
        self.results.append(result)


class Desk:
    """`await desk.resolve(doubt)`; the reconciler runs beside it."""

    def __init__(self, policy=POLICY, *, running=True):
        self.clock = VirtualClock()
        self.index = Index(self.clock)
        self.told = Told()
        self.gate = Gate(GatePolicy(), self._probe, self.clock, Observer())
        self.gate._become(GateState.OPEN, "the test said so")
        self.reconciler = Reconciler(
            self.index, self.gate, policy, SweepPolicy(page=100, pages=50, pause=0.0), self.clock, self.told
        )
        self.policy = policy
        self.runner = asyncio.create_task(self.reconciler.run()) if running else None

    async def _probe(self):
        return SearchPage(())

    def doubt(self, wanted=WANTED, *, deadline=30.0, intent=7, since=0.0):
        """A doubt whose call can't be carried out after `deadline`."""
        ripe = deadline + self.policy.search_delay
        return Doubt(
            intent, wanted, EPOCH + timedelta(seconds=since), deadline, ripe, ripe + self.policy.witness_timeout
        )

    async def resolve(self, doubt=None):
        return await self.reconciler.resolve(doubt or self.doubt())

    def witness(self, invoice_id, sent, *, shown=0.0):
        """An invoice of ours: its register was sent at `sent`, the search shows it from `shown` on."""
        self.reconciler.registered(str(invoice_id), replace(WANTED, invoice_no=f"w{invoice_id}"), sent)
        self.index.show(invoice_id, f"w{invoice_id}", at=shown, lastUpdatedTime=printed(EPOCH))
