"""Sockets, TLS and sessions of the two pools."""

import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from worker.kravia.config import KraviaConfig
from worker.kravia.tunnel import TunnelConnector

_TCP_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
"""Linux only: elsewhere the client's own time-outs end a call, and the kernel may go on sending for longer."""

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]]


def socket_factory(user_timeout: float, send_buffer: int | None) -> Callable[[AddressInfo], socket.socket]:
    """Makes sockets that drop what is unsent when they are closed, and give up on a silent peer.

    SO_LINGER(1, 0): closing resets the connection and discards what the kernel has not sent (socket(7)).
    TCP_USER_TIMEOUT: data that stays unacknowledged for `user_timeout` seconds ends the connection (tcp(7)), so that
    the kernel does not go on retransmitting a request that we gave up on. `send_buffer` bytes: the whole request leaves
    the process with its write; the kernel caps it (net.core.wmem_max) and then the rest waits in the transport.
    """

    def make(address: AddressInfo) -> socket.socket:
        family, kind, protocol, _, _ = address
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _TCP_USER_TIMEOUT is not None:
            made.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, max(1, int(user_timeout * 1000)))
        if send_buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        return made

    return make


def tls_context(config: KraviaConfig) -> ssl.SSLContext | None:
    """For https: certificates and host names are always verified. Raises ValueError for an unusable `ca_file`."""
    if not config.base_url.startswith("https:"):
        return None
    try:
        context = ssl.create_default_context(cafile=None if config.ca_file is None else str(config.ca_file))
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(
            f"ca_file {config.ca_file}: {error.strerror or error}; give a PEM file with the authorities' certificates"
        ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def open_session(
    config: KraviaConfig,
    tls: ssl.SSLContext | None,
    *,
    user_timeout: float,
    send_buffer: int | None,
    read_timeout: float | None,
) -> aiohttp.ClientSession:
    """A session without anything that acts on its own: no trace hooks (they await between headers and body), no
    cookies, no proxy or netrc from the environment, no limit of its own (`client` keeps it, so that a wait for a place
    can be told from a slow connect). `read_timeout` bounds the silence while an answer is awaited or read.

    With `config.proxy` every connection leads through it; `Pool` sends its password along.
    """
    options: dict[str, Any] = {
        "limit": 0,
        "keepalive_timeout": config.keepalive,
        "ssl": True if tls is None else tls,
        "socket_factory": socket_factory(user_timeout, send_buffer),
    }
    proxy = config.proxy
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(**options) if proxy is None else TunnelConnector(proxy, **options),
        proxy=None if proxy is None else proxy.url,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        raise_for_status=False,
        timeout=aiohttp.ClientTimeout(
            total=None, connect=config.connect_timeout, sock_connect=config.connect_timeout, sock_read=read_timeout
        ),
        headers={
            "Accept": "application/json, */*;q=0.1",
            "Accept-Encoding": "identity",
            "User-Agent": "kravia-invoice-worker",
        },
    )


async def send_once(
    request: aiohttp.ClientRequest,
    handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
) -> aiohttp.ClientResponse:
    """Middleware that keeps aiohttp from sending a GET again by itself: one call is one request.

    ClientSession repeats an idempotent method once after ClientOSError or ServerDisconnectedError (aiohttp 3.14,
    client.py); another ClientError it passes on.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # never repeated; says that nothing was sent
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError("connection lost") from error
