"""The moment at which a request leaves: checked, recorded and written without anything in between.

A frozen process may wake long after its partition has a new owner; what it then does first is what it was about to do.
So the last act before a body is written is to ask whether it may still be sent ("A fenced owner can still hold one
bullet" in docs/explanation/ownership.md). The order matters: check, the time-out's start, `sent`, the write; none of
them awaits anything, so nothing of ours runs between them. What remains is a freeze of the whole process between two
instructions.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiohttp import Payload
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import StreamWriter

from worker.kravia.outlet import Outlet
from worker.ports import Validity


class Written(Protocol):
    """Is told that a body was written; `buffered`: not all of it fitted into the kernel's buffer."""

    def __call__(self, *, buffered: bool) -> None: ...


class HeldError(Exception):
    """Ends aiohttp's request when a body may not leave. Never passes `client`, which reads `Departure.held`."""


class Departure:
    """One request with a body: whether it left, over which connection, and how to stop it."""

    __slots__ = (
        "_body",
        "_deadline",
        "_outlet",
        "_rest",
        "_timeout",
        "_transport",
        "_validity",
        "_whole",
        "_written",
        "held",
        "sent",
    )

    def __init__(
        self,
        body: bytes,
        validity: Validity,
        timeout: float,
        written: Written | None = None,
        rest: Iterable[bytes] = (),
    ) -> None:
        """`timeout` seconds for everything after the check; `written` is called right after `body` was written.

        `rest`: pieces that follow it, each made when the ones before it have left for the kernel, but for 64 KiB.
        """
        self._body = body
        self._rest = rest
        self._whole = False
        self._validity = validity
        self._timeout = timeout
        self._written = written
        self._deadline: asyncio.Timeout | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._outlet: Outlet | None = None
        self.sent = False
        """Set before the first byte is written: False is proof that none was."""
        self.held: str | None = None
        """Why it did not leave: `expired`, `closed`, or `stale` (the connection can't be used any more)."""

    def bind(self, deadline: asyncio.Timeout) -> None:
        """The scope that ends the call; its time starts with the check."""
        self._deadline = deadline

    def hold(self, why: str) -> None:
        """It shall not leave any more; without effect when it has."""
        if self.held is None:
            self.held = why

    async def leave(self, writer: AbstractStreamWriter) -> None:
        """Write headers and body at once, or nothing (`HeldError`); then the rest, piece by piece.

        aiohttp keeps the headers in the writer until the first write, and `write` awaits nothing without trace hooks,
        compression and draining (aiohttp 3.14, http_writer.py); the transports of asyncio and uvloop 0.23 hand the
        bytes to the kernel at once, as far as its buffer takes them.
        """
        if not isinstance(writer, StreamWriter):
            raise TypeError(f"needs aiohttp's StreamWriter, whose write is synchronous, not {type(writer).__name__}")
        transport, protocol = writer.transport, writer.protocol
        # Bytes that came before we asked are an answer to nothing: some servers announce so that they close an idle
        # connection. Read as our answer, a 400 of that kind would call a register refused that was carried out.
        if transport is None or transport.is_closing() or not _is_quiet(protocol):
            self.hold("stale")
        outlet = None if transport is None else Outlet(transport)
        if self.held is None and not self._validity.holds():
            self.hold("expired")
        if self.held is not None or transport is None or outlet is None:
            raise HeldError(self.held)
        if self._deadline is not None:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._timeout)
        self._transport, self._outlet, before = transport, outlet, writer.output_size
        self.sent = True
        await writer.write(self._body, drain=False)
        outlet.wrote(writer.output_size - before)
        if self._written is not None:
            self._written(buffered=outlet.waiting)
        for piece in self._rest:
            if self.held is not None:  # the call has ended meanwhile
                raise HeldError(self.held)
            outlet.wrote(len(piece))
            await writer.write(piece)  # waits while the transport has enough
        self._whole = True

    def abort(self) -> None:
        """Drop the connection and all that is unsent; without effect when nothing left."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def unsent(self) -> bool:
        """Whether bytes of the body still wait in this process."""
        return self._outlet is not None and (not self._whole or self._outlet.waiting)


def _is_quiet(protocol: object) -> bool:
    return isinstance(protocol, ResponseHandler) and not protocol.should_close


class GuardedBody(Payload):
    """A body that leaves as its `Departure` says."""

    def __init__(self, departure: Departure, size: int, content_type: str) -> None:
        super().__init__(departure, content_type=content_type)
        self._departure = departure
        self._size = size

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise TypeError("a guarded body is written, never read")

    async def write(self, writer: AbstractStreamWriter) -> None:
        await self._departure.leave(writer)

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        await self._departure.leave(writer)
