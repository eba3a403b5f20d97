"""A simulated Kravia: the five endpoints, a ledger of what it did, and faults on demand.

`python -m worker.demo.simulator --port N --token T` runs it (port 0 picks one; one JSON line says where); in a test
`async with Simulator(...) as kravia:` does. `simulator_control` is how another process steers it.

What the guides say is Kravia; the rest is ASSUMPTION and mostly a setting: the status codes, every field of an answer,
what a second register of one identity does (here: it is billed twice, the worst case), what a search shows and when.
"""

import argparse
import asyncio
import contextlib
import json
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import uvloop
from aiohttp import web

from worker.demo import simulator_control
from worker.demo.simulator_calls import carry_out, open_call
from worker.demo.simulator_faults import Fault, Script, SimulatedStep
from worker.demo.simulator_late import LateCalls
from worker.demo.simulator_ledger import Ledger
from worker.demo.simulator_settings import SimulatorSettings

_LARGEST_BODY = 64 * 1024 * 1024
_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request as it came."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Simulator:
    """The server. Everything it holds is public: a test reads and changes it directly."""

    def __init__(
        self,
        settings: SimulatorSettings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 0,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` gives seconds since the epoch; `seed` makes faults and search order repeatable."""
        self.settings = SimulatorSettings() if settings is None else settings
        self.ledger = Ledger(now, seed)
        self.script = Script(seed)
        self.calls: Counter[tuple[str, str]] = Counter()
        """Calls by step and by what became of them: a status, `lost`, `reset` or `hang`."""
        self.recorded: list[Recorded] = []
        self.connections = 0
        self.down: Literal["503", "reset"] | None = None
        self._seed = seed
        self._now = now
        self._host = host
        self._port = port
        self._closing = asyncio.Event()
        self._late = LateCalls()
        self._web: web.Server | None = None
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end and without /api/v2."""
        return f"http://{self._host}:{self._port}"

    @property
    def late(self) -> int:
        """Calls that will still be carried out."""
        return len(self._late)

    def faults(self, *faults: Fault) -> None:
        """Replace the rules that are in force; none at all: behave."""
        self.script.replace(faults)

    def answer_now(self) -> None:
        """Let no call that is slow, or hangs, wait any longer; later ones do again."""
        self._closing.set()
        self._closing = asyncio.Event()

    def reset(self) -> None:
        """Forget ledger, faults, counts, records and what was still to be carried out; settings stay."""
        self._late.cancel()
        self.ledger = Ledger(self._now, self._seed)
        self.script = Script(self._seed)
        self.calls.clear()
        self.recorded.clear()
        self.connections = 0
        self.down = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def request_factory(
            message: object, payload: object, protocol: object, writer: object, task: object
        ) -> web.BaseRequest:
            make: Callable[..., web.BaseRequest] = web.BaseRequest
            return make(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST_BODY)

        self._web = web.Server(self._handle, request_factory=request_factory, access_log=None)
        serve = self._web

        def connection() -> asyncio.BaseProtocol:
            self.connections += 1
            return serve()

        self._server = await loop.create_server(connection, self._host, self._port, backlog=1024)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._late.cancel()
        if self._server is not None:
            self._server.close()
        if self._web is not None:
            await self._web.shutdown(timeout=1.0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/_sim/"):
            return await simulator_control.handle(self, request)
        if self.down == "reset":
            return self._drop(request, "reset", "*")
        body = await request.read()
        if self.settings.record:
            headers = tuple(request.headers.items())
            self.recorded.append(Recorded(request.method, request.path_qs, headers, body))
        if self.down is not None:
            return self._answer("*", 503, b"")
        call = open_call(request.method, request.rel_url, request.headers.get("Content-Type", ""), body)
        if call is None:
            return self._answer("*", 404, b"")
        if request.headers.get("Authorization") != self.settings.token:
            return self._answer(call.step, 401, b"")
        identity = call.identity(self.ledger)
        fault = self.script.choose(call.step, identity)
        if self.settings.latency:
            await asyncio.sleep(self.settings.latency)
        if fault is None:
            return self._answer(call.step, *carry_out(call, self.ledger, self.settings))
        match fault.kind:
            case "status":
                if fault.processed:
                    carry_out(call, self.ledger, self.settings)
                return self._scripted(call.step, fault, fault.status or 503)
            case "lost":
                carry_out(call, self.ledger, self.settings)
                return self._drop(request, "lost", call.step)
            case "reset":
                return self._drop(request, "reset", call.step)
            case "late":
                self._late.after(fault.delay, lambda: carry_out(call, self.ledger, self.settings))
                if fault.status is not None:
                    return self._scripted(call.step, fault, fault.status)
                return self._drop(request, "lost", call.step)
            case "slow":
                status, content = carry_out(call, self.ledger, self.settings)
                await self._pause(fault.delay)
                return self._answer(call.step, status, content)
            case "hang":
                if fault.processed:
                    carry_out(call, self.ledger, self.settings)
                await self._pause(None)
                return self._drop(request, "hang", call.step)
            case "body":
                carry_out(call, self.ledger, self.settings)
                return self._scripted(call.step, fault, fault.status or 200)

    def _answer(self, step: SimulatedStep | Literal["*"], status: int, content: bytes) -> web.Response:
        self.calls[step, str(status)] += 1
        return web.Response(status=status, body=content, content_type="application/json")

    def _scripted(self, step: SimulatedStep, fault: Fault, status: int) -> web.Response:
        answer = self._answer(step, status, fault.body.encode())
        if fault.retry_after is not None:
            answer.headers["Retry-After"] = f"{fault.retry_after}".removesuffix(".0")
        if fault.location is not None:
            answer.headers["Location"] = fault.location
        return answer

    def _drop(self, request: web.BaseRequest, what: str, step: SimulatedStep | Literal["*"]) -> web.Response:
        """Reset the connection (RST); the response that is returned goes nowhere."""
        self.calls[step, what] += 1
        if request.transport is not None:
            request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
            request.transport.abort()
        return web.Response()

    async def _pause(self, seconds: float | None) -> None:
        """Wait, or until the server closes or `answer_now`."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)


async def serve(simulator: Simulator) -> None:
    """Run until SIGTERM or SIGINT; the first line on stdout says where: `{"url": …}`."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with simulator:
        print(json.dumps({"url": simulator.url}), flush=True)
        await stop.wait()


def main(arguments: Iterable[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m worker.demo.simulator", description="A simulated Kravia.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--token", default="simulated-token", help="what Authorization must hold")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before a call is carried out")
    parser.add_argument("--search-delay", type=float, default=0.0, help="seconds until a search shows an invoice")
    parser.add_argument("--search-jitter", type=float, default=0.0, help="up to so many seconds more, at random")
    parser.add_argument("--seed", type=int, default=0, help="for faults by probability and the search's jitter")
    given = parser.parse_args(None if arguments is None else list(arguments))
    settings = SimulatorSettings(
        token=given.token,
        latency=given.latency,
        search_delay=given.search_delay,
        search_jitter=given.search_jitter,
    )
    uvloop.run(serve(Simulator(settings, host=given.host, port=given.port, seed=given.seed)))


if __name__ == "__main__":
    main()
