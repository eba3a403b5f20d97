"""Requests of processes to servers, and their answers. What has left takes effect whatever becomes of its sender."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import TypeVar

from tests.simulation.chaos import Chaos, Fate, Verdict
from tests.simulation.process import PROCESS, Process
from tests.simulation.trace import Trace
from worker.ports import Lost, LostWhy

Answer = TypeVar("Answer")
Reply = Callable[[Answer | Lost], None]
Effect = Callable[[Reply[Answer]], None]
"""What a request does where it arrives; it replies at once or later, once."""

NO_ANSWER = Lost(LostWhy.TIMEOUT, "simulated: no answer")
NO_OFFSET = Lost(LostWhy.UNCLEAR, "simulated: acknowledged without an offset")
REFUSED = Lost(LostWhy.REFUSED, "simulated: the broker refuses the record")
_CUT_OFF = Fate(Verdict.REQUEST_LOST, 0, 0, 0.01)
NOBODY = Process("a client")
"""Asks where there are no simulated processes."""
GAP = Lost(LostWhy.BROKEN, "simulated: an earlier request of this connection was lost")


class Channel:
    """A connection on which requests and answers keep their order; one that is lost breaks it."""

    __slots__ = ("arrival", "broken", "delivery")

    def __init__(self) -> None:
        self.arrival = 0.0
        self.delivery = 0.0
        self.broken = False


class Wire:
    """Between the processes and every server."""

    def __init__(self, loop: asyncio.AbstractEventLoop, outside: Context, chaos: Chaos, trace: Trace) -> None:
        """`outside`: the context in which servers work, whatever becomes of the processes."""
        self._loop = loop
        self._outside = outside
        self._chaos = chaos
        self._trace = trace

    def ask(
        self, what: str, effect: Effect[Answer], channel: Channel | None = None, *, write: bool = False
    ) -> "asyncio.Future[Answer | Lost]":
        """Send a request from the running process. It leaves in a later callback of that process, as with any client
        that has a sender of its own: whoever asked may be cancelled, the process frozen before.
        """
        future: asyncio.Future[Answer | Lost] = self._loop.create_future()
        self._loop.call_soon(self._leave, future, what, effect, channel or Channel(), write)
        return future

    def _leave(
        self,
        future: "asyncio.Future[Answer | Lost]",
        what: str,
        effect: Effect[Answer],
        channel: Channel,
        write: bool,
    ) -> None:
        process = PROCESS.get(NOBODY)
        fate = _CUT_OFF if channel.broken else self._chaos.request(write=write)
        if fate.verdict is Verdict.REQUEST_LOST:
            channel.broken = True
        if fate.patience:
            self._loop.call_later(fate.patience, _set, future, GAP if channel.broken else NO_ANSWER)
        if self._trace:
            self._trace.add(
                f"{process.name} -> {what}{'' if fate.verdict is Verdict.FINE else f' [{fate.verdict.value}]'}"
            )
        if fate.verdict is not Verdict.REQUEST_LOST:
            channel.arrival = max(channel.arrival, self._loop.time() + fate.there)
            self._loop.call_at(
                channel.arrival,
                self._arrive,
                future,
                what,
                effect,
                channel,
                fate,
                process,
                context=self._outside,
            )
        self._chaos.moment(process, f"{what} left")

    def _arrive(
        self,
        future: "asyncio.Future[Answer | Lost]",
        what: str,
        effect: Effect[Answer],
        channel: Channel,
        fate: Fate,
        process: Process,
    ) -> None:
        def reply(answer: Answer | Lost) -> None:
            if self._trace:
                self._trace.add(f"{process.name} <- {what}: {_brief(answer)}")
            if fate.verdict is Verdict.ANSWER_LOST:
                return
            if fate.verdict is Verdict.UNCLEAR and not isinstance(answer, Lost):
                answer = NO_OFFSET
            channel.delivery = max(channel.delivery, self._loop.time() + fate.back)
            self._loop.call_at(channel.delivery, _set, future, answer, context=self._outside)

        if fate.verdict is Verdict.REFUSED:
            reply(REFUSED)
        else:
            effect(reply)
        self._chaos.moment(process, f"{what} arrived")


def _set(future: "asyncio.Future[Answer | Lost]", answer: Answer | Lost) -> None:
    if not future.done():
        future.set_result(answer)


def _brief(answer: object) -> str:
    text = str(answer)
    return text if len(text) < 90 else f"{text[:90]}…"
