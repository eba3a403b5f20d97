"""A real forward proxy: CONNECT, Basic credentials, and what proxies do wrong. An API behind it, a client before it."""

import asyncio
import base64
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path

import pytest
import uvloop
from pydantic import SecretStr

from tests.unit.fakes_http import BODY, EMPTY, OK, Clock, Handler, Server, Spy, Valid
from tests.unit.fakes_tls import ca_file, server_context
from worker.forward_proxy import parse_proxy
from worker.kravia import FixedToken, KraviaClient, KraviaConfig

UNREACHABLE = "localhost:1"
"""Where the API is said to be: only the proxy knows the way, so that whatever goes around it fails."""


def answering(status: int, *headers: str, body: bytes = b"") -> bytes:
    """What a proxy may say in place of opening a tunnel."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Proxy:
    """`asked`: the head of every request, as it came; `tunnels`: how many were opened.

    `says`: its answer in place of a tunnel, empty to close without one. `login`: user:password that it wants.
    """

    def __init__(self, way: dict[str, int], tls: ssl.SSLContext | None = None) -> None:
        """`way`: host:port of a CONNECT to the port on 127.0.0.1 that it leads to."""
        self.way = way
        self.asked: list[str] = []
        self.tunnels = 0
        self.says: bytes | None = None
        self.login: str | None = None
        self.opened = answering(200).replace(b"Content-Length: 0\r\n", b"")
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        # Bound and never listening: the port stays ours, and refuses connections, while the proxy is down.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.port = self._reserved.getsockname()[1]

    def url(self, login: str = "") -> str:
        return f"{'http' if self._tls is None else 'https'}://{f'{login}@' if login else ''}localhost:{self.port}"

    async def up(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls, reuse_port=True, backlog=256
        )

    def down(self) -> None:
        """Refuse connections, and reset those that are there."""
        if self._server is not None:
            self._server.close()
        self.drop()

    def drop(self) -> None:
        """Reset every connection, on both sides."""
        for writer in self._writers:
            writer.transport.abort()

    def close(self) -> None:
        self.down()
        self._reserved.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.asked.append(head)
            refusal = self._refusal(head)
            if refusal is not None:
                writer.write(refusal)
                await writer.drain()
                return
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.way[head.split()[1]])
            self._writers.add(inner_writer)
            try:
                self.tunnels += 1
                writer.write(self.opened)
                await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))
            finally:
                self._writers.discard(inner_writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # how a client that gives up, or `drop`, looks from here
        finally:
            self._writers.discard(writer)
            writer.close()

    def _refusal(self, head: str) -> bytes | None:
        if self.login is not None:
            wanted = f"\r\nProxy-Authorization: Basic {base64.b64encode(self.login.encode()).decode()}\r\n"
            if wanted not in head:
                return answering(407, 'Proxy-Authenticate: Basic realm="way out"', body=b"who are you?")
        if self.says is None and (not head.startswith("CONNECT ") or head.split()[1] not in self.way):
            return answering(403)
        return self.says


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def proxying(way: dict[str, int], tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """A proxy on 127.0.0.1."""
    proxy = Proxy(way, tls)
    await proxy.up()
    try:
        yield proxy
    finally:
        proxy.close()


LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio"), pytest.param(uvloop.new_event_loop, id="uvloop")]


def on(loop: Callable[[], asyncio.AbstractEventLoop], scenario: Coroutine[None, None, None]) -> None:
    """The worker runs on uvloop; where that is not to be had, on asyncio's own."""
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario)


async def well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers every call."""
    head = b""
    while data := await reader.read(65536):
        head = data if data.startswith((b"GET", b"POST")) else head
        if data.startswith(b"GET"):
            writer.write(OK.replace(b"4711", b"{  }"))
        elif b"/register" in head:
            writer.write(OK)
        elif data.endswith(b"--\r\n"):
            writer.write(EMPTY)


@contextlib.asynccontextmanager
async def kravia_behind(
    directory: Path, handler: Handler = well, *, tls_to_proxy: bool = False
) -> AsyncIterator[tuple[Server, Proxy]]:
    """An API by https that can be reached through a proxy only."""
    api = Server(handler)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # ssl.SSLError is one: how a client that lets go looks from here
            await api._serve(reader, writer)

    context = server_context(directory)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    way = {UNREACHABLE: server.sockets[0].getsockname()[1]}
    try:
        async with proxying(way, context if tls_to_proxy else None) as proxy:
            yield api, proxy
    finally:
        server.close()


def client(directory: Path, proxy: str, spy: Spy | None = None, **given: float) -> KraviaClient:
    config = KraviaConfig(
        base_url=f"https://{UNREACHABLE}",
        ca_file=ca_file(directory),
        proxy=parse_proxy(proxy),
        **given,  # type: ignore[arg-type]
    )
    return KraviaClient(config, FixedToken(SecretStr("the-token")), clock=Clock(), observer=spy)


async def each_call(kravia: KraviaClient) -> list[object]:
    return [
        await kravia.register(BODY, Valid()),
        await kravia.attach("1", "a", "a/b", "eA==", Valid()),
        await kravia.start("1", "m", Valid()),
        await kravia.details("1"),
        await kravia.search(Clock().now(), skip=0, top=1),
    ]
