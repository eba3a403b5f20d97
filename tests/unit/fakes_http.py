"""A server made of bytes, and a client of ours before it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

from pydantic import SecretStr

from worker.kravia import FixedToken, KraviaClient, KraviaConfig
from worker.ports import Observer

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n4711"
EMPTY = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BODY = b'{"invoiceNo":"20001"}'

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)

    def boottime(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0


class Valid:
    def holds(self) -> bool:
        return True


class Expired:
    def holds(self) -> bool:
        return False


class Spy(Observer):
    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.warnings: list[str] = []

    def called(self, step: str, status_class: str, seconds: float) -> None:
        assert seconds >= 0
        self.calls.append((step, status_class))

    def warned(self, what: str) -> None:
        self.warnings.append(what)


class Points:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def hit(self, step: str) -> None:
        self.seen.append(step)


class Server:
    """A TCP server that notes every connection and what came over it, and answers as its handler says."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.connections: list[bytearray] = []
        self.resets = 0
        self.ended = asyncio.Event()
        """A connection was closed or reset by the client."""
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        noted = bytearray()
        self.connections.append(noted)
        real_read = reader.read

        async def read(size: int = -1) -> bytes:
            data = await real_read(size)
            noted.extend(data)
            return data

        reader.read = read  # type: ignore[method-assign, assignment]  # the handler's reads are noted
        try:
            await self._handler(reader, writer)
            while await reader.read(65536):
                pass
        except ConnectionResetError:
            self.resets += 1
        finally:
            self.ended.set()
            writer.close()


@contextlib.asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    made = Server(handler)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, ssl=tls)
    made.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


def client(url: str, **given: object) -> KraviaClient:
    named = {name: given.pop(name) for name in ("observer", "faults") if name in given}
    config = KraviaConfig(base_url=url, **given)  # type: ignore[arg-type]
    return KraviaClient(config, FixedToken(SecretStr("token")), clock=Clock(), **named)  # type: ignore[arg-type]


async def request(reader: asyncio.StreamReader, length: int = len(BODY)) -> bytes:
    """One request with a body of `length` bytes."""
    received = b""
    while b"\r\n\r\n" not in received or len(received.partition(b"\r\n\r\n")[2]) < length:
        data = await reader.read(65536)
        if not data:
            return received
        received += data
    return received


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await request(reader):
        writer.write(OK)


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await request(reader)
