"""A gate with a scripted probe."""

import asyncio

from tests.unit.fakes_core import Watcher
from tests.unit.fakes_time import VirtualClock
from worker.answers import Registered
from worker.gate import Gate, GatePolicy, GateState
from worker.model import Step
from worker.ports import SearchPage

REGISTER = Step.REGISTER


class GateFixture:
    """A gate with a scripted probe; `probes`: when it probed."""

    def __init__(self, **policy):
        self.probes, self.answers, self.clock = [], [], VirtualClock()
        self.watcher = Watcher()
        self.gate = Gate(GatePolicy(**policy), self._probe, self.clock, self.watcher)
        self.prober = asyncio.create_task(self.gate.run())

    async def _probe(self):
        self.probes.append(self.clock.monotonic())
        return self.answers.pop(0) if self.answers else SearchPage(())

    async def call(self, answer, step=REGISTER, seconds=0.0):
        async with self.gate.passage(step) as passage:
            await asyncio.sleep(seconds)
            passage.answer = answer
        return passage

    async def opened(self):
        await self.call(Registered("1"))
        assert self.gate.state is GateState.OPEN
        return self

    def waits(self, step=REGISTER):
        return asyncio.create_task(self.call(Registered("1"), step))
