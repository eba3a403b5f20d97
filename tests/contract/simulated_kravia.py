"""The simulation's Kravia as a backend of the contract suite: scripted by the same faults as the simulated server."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextvars import copy_context
from datetime import UTC, datetime

from tests.simulation import kravia
from tests.simulation.chaos import CALM, Chaos
from tests.simulation.kravia import ApiTimes, SimKravia
from tests.simulation.kravia_server import KraviaServer, SearchHabit
from tests.simulation.trace import Trace
from worker.answers import Answer, Stop, Unclear
from worker.demo import simulator_faults
from worker.demo.simulator_faults import Fault
from worker.kravia.classify import Endpoint, Reply, Rules, classify
from worker.ports import KraviaApi

_SOON = 0.001


class Scripted(SimKravia):
    """Answers as the script says, where the simulation would draw."""

    faults: simulator_faults.Script
    revoked = False

    def _script(self, what: str) -> kravia.Script:
        if self.revoked:
            return kravia.Script(Stop(401), _SOON, None)
        step = Endpoint(what.split(maxsplit=1)[0])
        fault = self.faults.choose(step.value, None)
        if fault is None:
            return kravia.Script(None, _SOON, _SOON)
        carried = _SOON if fault.processed or fault.kind in ("lost", "body") else None
        return kravia.Script(_answer(step, fault), 2 * _SOON, carried)

    def _trouble(self, what: str) -> Answer | None:
        step = Endpoint(what.split(maxsplit=1)[0])
        if self.revoked:
            return Stop(401)
        fault = self.faults.choose(step.value, None)
        return None if fault is None else _answer(step, fault)


def _answer(step: Endpoint, fault: Fault) -> Answer:
    """What the real client makes of such a fault."""
    match fault.kind:
        case "lost" | "reset":
            return Unclear("lost")
        case "hang":
            return Unclear("timeout")
        case _:
            wait = fault.retry_after
            text = f"{wait:g}" if isinstance(wait, float) else wait
            headers = {} if text is None else {"Retry-After": text}
            return classify(step, Reply(fault.status or 200, headers, fault.body), Rules(), datetime.now(UTC))


class InSimulation:
    """`kravia_backends.Backend` without HTTP."""

    def __init__(self) -> None:
        loop, rng = asyncio.get_running_loop(), random.Random(0)
        self._server = KraviaServer(SearchHabit(lag=0.0, disorder=0.0))
        times = ApiTimes(timeout=0.2, query_timeout=0.01)
        self._api = Scripted(self._server, loop, copy_context(), Chaos(rng, CALM), times, Trace(False, loop.time))
        self._api.faults = simulator_faults.Script()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> "AsyncIterator[InSimulation]":
        yield cls()

    @property
    def api(self) -> KraviaApi:
        return self._api

    def misbehave(self, *faults: Fault) -> None:
        self._api.faults.replace(faults)

    def met(self) -> int:
        return self._api.faults.met

    def revoke_token(self) -> None:
        self._api.revoked = True

    def registered(self, identity: str) -> int:
        return len(self._server.registrations(identity))

    def body(self, invoice_id: str) -> bytes:
        return self._server.invoices[invoice_id].body

    def documents(self, invoice_id: str) -> list[str]:
        return self._server.invoices[invoice_id].documents

    def started(self, invoice_id: str) -> list[str]:
        return self._server.invoices[invoice_id].messages
