"""What of the bytes that were written to a connection still waits in this process.

A transport over TLS tells only what it has not encrypted yet; what it has encrypted and the kernel did not take waits
in the transport below, which no event loop shows. There the kernel is asked (Linux; elsewhere that much is not seen).
"""

import asyncio
import socket
import struct

try:
    import fcntl
    import termios

    _OUTQ: int | None = termios.TIOCOUTQ
except ImportError:  # not a Unix
    _OUTQ = None

_BYTES_ACKED = struct.Struct("=120xQ")
"""`tcpi_bytes_acked` of `struct tcp_info`, since Linux 4.1: data that the other side has acknowledged."""
_RECORD, _OVERHEAD = 16_384, 21
"""A TLS record holds at most so many bytes, and adds at least so many (5 of header, 16 of tag)."""


class Outlet:
    """One connection from now on. `wrote` counts what goes in; `waiting` compares it with what the kernel took."""

    __slots__ = ("_before", "_transport", "_written")

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport
        self._written = 0
        taken = _taken(transport) if transport.get_extra_info("sslcontext") is not None else None
        self._before = None if taken is None else taken[0]

    def wrote(self, size: int) -> None:
        """So many bytes more were written."""
        self._written += size

    @property
    def waiting(self) -> bool:
        """Whether bytes wait in this process. Never said in error; a few bytes may be overlooked."""
        if self._transport.get_write_buffer_size() > 0:
            return True
        taken = None if self._before is None else _taken(self._transport)
        if taken is None or self._before is None:
            return False
        records = -(-self._written // _RECORD)
        return taken[1] - self._before < self._written + records * _OVERHEAD


def _taken(transport: asyncio.WriteTransport) -> tuple[int, int] | None:
    """Bytes that the kernel has taken on this connection, at least and at most: acknowledged, and in its queue."""
    sock = transport.get_extra_info("socket")
    if sock is None or _OUTQ is None or not hasattr(socket, "TCP_INFO"):
        return None
    try:
        before = _queued(sock.fileno(), _OUTQ)
        (acknowledged,) = _BYTES_ACKED.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED.size))
        after = _queued(sock.fileno(), _OUTQ)
    except (OSError, struct.error):  # closed meanwhile; an older kernel
        return None
    # What is acknowledged in between leaves the queue: it is counted once in the first sum at most, twice in the other.
    return int(acknowledged + after), int(acknowledged + before)


def _queued(descriptor: int, request: int) -> int:
    (size,) = struct.unpack("i", fcntl.ioctl(descriptor, request, bytes(4)))
    return int(size)
