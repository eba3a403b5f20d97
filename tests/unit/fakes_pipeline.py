"""One event through the real pipeline on fakes."""

import asyncio

from tests.unit.fakes_core import World, make_event
from worker.drain import Drain
from worker.gate import GatePolicy
from worker.pipeline import Ended, Pipeline
from worker.retry import RetryPolicy

TWO = (("a.txt", b"first"), ("b.txt", b"second"))
PATIENT = GatePolicy(failures=10**6)
"""A gate that failures in a row do not close: for what one event does by itself."""


class Bench:
    """`bench.handle(event)` returns the ending; the world's API and log say what happened."""

    def __init__(self, *, policy=RetryPolicy(), gate=PATIENT, person=False):  # noqa: B008 -- immutable
        self.world = World(policy=policy, gate=gate, person=person)
        self.api = self.world.api
        self.own = None
        self.prober = asyncio.create_task(self.world.gate.run())

    async def ready(self, *, gate_open=True):
        self.own = await self.world.own()
        if gate_open:
            self.world.open_gate()
        return self

    async def restarted(self):
        """Another owner, with nothing but the log."""
        self.api.calls.clear()
        self.own = await self.world.own()
        return self

    async def run(self, event):
        pipeline = Pipeline(self.world.tools)
        return await pipeline.handle(pipeline.course(event, self.own, Drain()))

    async def handle(self, event=None):
        ended = await self.run(event or make_event())
        assert isinstance(ended, Ended), ended
        self.course = ended.course
        return ended.ending

    @property
    def last_intent(self):
        """Journal offset of the latest intent of the event handled last."""
        return self.course.progress.attempts[-1].intent

    def facts(self):
        """The event's facts, without the claims."""
        return [kind for kind in self.world.facts() if kind != "claim"]
