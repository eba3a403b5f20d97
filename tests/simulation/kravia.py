"""`ports.KraviaApi` on the simulated Kravia: calls that are lost, late, refused, or carried out unheard."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from tests.simulation.chaos import Chaos
from tests.simulation.clock import EPOCH
from tests.simulation.kravia_server import Invoice, KraviaServer
from tests.simulation.process import PROCESS
from tests.simulation.trace import Trace
from tests.simulation.wire import NOBODY
from worker.answers import (
    AlreadyThere,
    Answer,
    Done,
    Forbidden,
    NotSent,
    NotVisible,
    Refused,
    Registered,
    Stop,
    Throttled,
    Unclear,
)
from worker.ports import Details, Document, SearchPage, Validity

Shown = TypeVar("Shown")
Carry = Callable[[], Answer]
"""Does it on the server, and says what a plain answer is."""

ERRORS: tuple[Answer, ...] = (
    Unclear("server_error", 500),
    Unclear("server_error", 503),
    Unclear("request_timeout", 408),
    Unclear("lost"),
    Unclear("timeout"),
)
"""Ends without a usable answer: the call may have been carried out, before or after."""
PLAIN: tuple[Answer, ...] = (
    NotSent("connect"),
    Throttled(429, None),
    Throttled(429, 2.0),
    Refused(422),
    Stop(401),
    Forbidden(403),
    AlreadyThere(409),
)
"""Certainly not carried out, but for 409, which tells nothing."""


@dataclass(frozen=True, slots=True)
class Script:
    """What becomes of one call: answered after `answer_after` s; carried out after `carried_after` s, None: never."""

    answer: Answer | None
    """None: the server's own."""
    answer_after: float
    carried_after: float | None


@dataclass(frozen=True, slots=True)
class ApiTimes:
    """Seconds. `timeout`: T, from the check on; `late`: A, how much later than our giving up it may be carried out."""

    timeout: float = 5.0
    late: float = 10.0
    query_timeout: float = 3.0


class SimKravia:
    """The API as one process sees it."""

    def __init__(
        self,
        server: KraviaServer,
        loop: asyncio.AbstractEventLoop,
        outside: Context,
        chaos: Chaos,
        times: ApiTimes,
        trace: Trace,
    ) -> None:
        self._server = server
        self._loop = loop
        self._outside = outside
        self._chaos = chaos
        self._times = times
        self._trace = trace

    async def register(self, body: bytes, validity: Validity) -> Answer:
        """See `ports.KraviaApi`."""
        roll = self._chaos.random.random

        def carry() -> Answer:
            if not isinstance(json.loads(body).get("creditorId"), int):
                return Refused(422)
            invoice = self._server.register(body, self._loop.time(), roll(), roll())
            self._trace.add(f"kravia: registers {invoice.identity} as {invoice.id}")
            return Registered(invoice.id)

        return await self._change("register", carry, validity)

    async def attach(
        self, invoice_id: str, file_name: str, media_type: str, content: str | Document, validity: Validity
    ) -> Answer:
        """See `ports.KraviaApi`."""
        # Read when it leaves: it may be carried out after the worker has let go of it.
        sent = base64.b64decode(content) if isinstance(content, str) else content.read(0, content.size)

        def carry() -> Answer:
            invoice = self._visible(invoice_id)
            if invoice is None:
                return NotVisible()
            invoice.documents.append(hashlib.sha256(sent).hexdigest())
            invoice.file_names.append(file_name)
            invoice.updated_at = self._loop.time()
            return Done()

        return await self._change(f"attach {invoice_id}", carry, validity)

    async def start(self, invoice_id: str, message: str, validity: Validity) -> Answer:
        """See `ports.KraviaApi`."""

        def carry() -> Answer:
            invoice = self._visible(invoice_id)
            if invoice is None:
                return NotVisible()
            invoice.messages.append(message)
            invoice.updated_at = self._loop.time()
            return Done()

        return await self._change(f"start {invoice_id}", carry, validity)

    async def details(self, invoice_id: str) -> Details | Answer:
        """See `ports.KraviaApi`."""

        def look() -> Details | Answer:
            invoice = self._visible(invoice_id)
            if invoice is None:
                return NotVisible()
            return Details(tuple(invoice.file_names), not invoice.messages, self._server.details(invoice))

        return await self._ask(f"details {invoice_id}", look)

    async def search(self, since: datetime, *, skip: int, top: int) -> SearchPage | Answer:
        """See `ports.KraviaApi`."""
        aware = since.replace(tzinfo=UTC) if since.tzinfo is None else since
        from_ = (aware - EPOCH).total_seconds()

        def look() -> SearchPage:
            found = self._server.search(from_, self._loop.time(), skip, top)
            return SearchPage(tuple(self._server.row(invoice, EPOCH) for invoice in found))

        return await self._ask(f"search {skip}+{top}", look)

    def _visible(self, invoice_id: str) -> Invoice | None:
        return self._server.invoices.get(invoice_id)

    # The way of a call

    async def _change(self, what: str, carry: Carry, validity: Validity) -> Answer:
        script = self._script(what)
        await asyncio.sleep(0.001 + 0.004 * self._chaos.random.random())  # connecting
        process = PROCESS.get(NOBODY)
        if isinstance(script.answer, NotSent):
            return script.answer
        # The last act before it leaves, as in worker/kravia/leaving.py: nothing is awaited in between.
        if not validity.holds():
            self._trace.add(f"{process.name}: {what} is held back, its intent is too old")
            return NotSent("expired")
        answered = self._loop.create_future()
        outside = self._outside
        if self._trace:
            self._trace.add(f"{process.name} -> kravia {what}: {script}")
        if script.carried_after is not None:
            self._loop.call_later(script.carried_after, self._carry, what, carry, script, answered, context=outside)
        if script.answer is not None and script.answer != Unclear("timeout"):
            self._loop.call_later(script.answer_after, _set, answered, script.answer, context=outside)
        self._loop.call_later(self._times.timeout, _set, answered, Unclear("timeout"))
        self._chaos.moment(process, f"{what} sent")
        answer: Answer = await answered
        self._trace.add(f"{process.name} <- kravia {what}: {answer}")
        return answer

    def _carry(self, what: str, carry: Carry, script: Script, answered: "asyncio.Future[Answer]") -> None:
        answer = carry()
        self._trace.add(f"kravia: carries out {what}")
        if script.answer is None:
            self._loop.call_later(script.answer_after, _set, answered, answer, context=self._outside)

    def _script(self, what: str) -> Script:
        """What becomes of a call that changes something."""
        roll, weather = self._chaos.random.random, self._chaos.weather
        brief = 0.01 + 0.1 * roll()
        if roll() >= weather.api:
            if roll() < weather.api_slow:
                return Script(None, brief, self._times.timeout * 1.2 * roll())
            if weather.answer_slow and roll() < weather.answer_slow:
                return Script(None, self._times.timeout * roll(), brief)
            return Script(None, brief, brief)
        if what == "register" and roll() < 0.05:
            return Script(Unclear("no_id", 200, fields=("reference",)), 0.2 + brief, brief)
        if roll() < 0.4:
            return Script(self._chaos.random.choice(PLAIN), brief, None)
        error = self._chaos.random.choice(ERRORS)
        answer_after = self._times.timeout * roll()
        ends = self._times.timeout if error == Unclear("timeout") else answer_after
        carried = None if roll() < 0.4 else (ends + self._times.late) * roll() ** self._chaos.weather.haste
        return Script(error, answer_after, carried)

    def _trouble(self, what: str) -> Answer | None:
        """Why a query is not answered."""
        if self._chaos.random.random() < self._chaos.weather.api:
            return self._chaos.random.choice((*ERRORS[:3], *PLAIN[:3], Stop(401)))
        return None

    async def _ask(self, what: str, look: Callable[[], Shown | Answer]) -> Shown | Answer:
        """A query: it changes nothing, so only whether and when it is answered matters."""
        roll = self._chaos.random.random
        await asyncio.sleep(0.001 + 0.1 * roll())
        if (trouble := self._trouble(what)) is not None:
            await asyncio.sleep(self._times.query_timeout * roll())
            return trouble
        found = look()
        self._trace.add(f"kravia: {what}: {found}")
        await asyncio.sleep(0.001 + 0.05 * roll())
        return found


def _set(future: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not future.done():
        future.set_result(answer)
