"""Observe mode: the whole worker on topics and a group of its own, without a call to Kravia.

It reads the live `invoice.requests` and publishes the outcomes that it would give, marked `observed`. Ledger, journal,
replays, outcomes, dead letters and group carry the prefix, and transactional ids are made from the ledger's name: it
fences nobody, and a worker that bills may run beside it.
"""

import asyncio
from datetime import datetime
from typing import Final

from worker.answers import Answer, Done, NotSent, Registered
from worker.doubt import CertainlyNot, Doubt, DoubtPolicy, Resolution
from worker.gate import Gate
from worker.model import TopicNames
from worker.ports import Clock, Details, Observer, SearchPage, Validity
from worker.reconcile import Reconciler
from worker.settings import Settings
from worker.sweep import SweepPolicy

OBSERVED_ID: Final = "observed"
"""Stands for the id that Kravia would have given."""


def observing(settings: Settings) -> Settings:
    """The same settings with the prefix before the group and every topic but the requests."""
    prefix, topics = settings.worker_observe_prefix, settings.topic_names
    renamed = {
        f"topic_{name}": f"{prefix}{getattr(topics, name)}"
        for name in TopicNames.__dataclass_fields__
        if name != "requests"
    }
    return settings.model_copy(update=renamed | {"kafka_group_id": f"{prefix}{settings.kafka_group_id}"})


class ObservedKravia:
    """`ports.KraviaApi` that takes everything and calls nobody."""

    async def register(self, body: bytes, validity: Validity) -> Answer:
        """See `ports.KraviaApi`."""
        return Registered(OBSERVED_ID) if validity.holds() else NotSent("expired")

    async def attach(
        self, invoice_id: str, file_name: str, media_type: str, content: object, validity: Validity
    ) -> Answer:
        """See `ports.KraviaApi`."""
        return Done()

    async def start(self, invoice_id: str, message: str, validity: Validity) -> Answer:
        """See `ports.KraviaApi`."""
        return Done()

    async def details(self, invoice_id: str) -> Details | Answer:
        """See `ports.KraviaApi`."""
        return Details(None, None)

    async def search(self, since: datetime, *, skip: int, top: int) -> SearchPage | Answer:
        """See `ports.KraviaApi`."""
        return SearchPage(())

    async def close(self) -> None:
        """Holds no connection."""


class ObservedReconciler(Reconciler):
    """A register that was never sent is certainly not carried out: whatever a crash left open is settled at once."""

    def __init__(self, api: ObservedKravia, gate: Gate, clock: Clock, observer: Observer) -> None:
        super().__init__(api, gate, DoubtPolicy(registers=1_000_000), SweepPolicy(), clock, observer)

    async def resolve(self, doubt: Doubt) -> Resolution:
        """See `Reconciler`."""
        await asyncio.sleep(0)
        return CertainlyNot()
