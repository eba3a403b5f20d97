"""Connections that lead nowhere but to addresses that were checked.

Names are resolved here and all addresses checked; aiohttp connects to exactly those, so a name that changes its answer
between check and connect (DNS rebinding) gains nothing. The socket factory, which is asked for each socket right before
it connects, checks once more: whatever way an address came by, an address literal included.
"""

import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from worker.documents.addresses import Network, may_connect
from worker.documents.config import DocumentsConfig


class AddressRefusedError(OSError):
    """An address that may not be connected to. Says no more: errors of this kind are logged."""


class CheckedResolver(AbstractResolver):
    """Another resolver's answers, all of which must be allowed."""

    def __init__(self, inner: AbstractResolver, networks: Sequence[Network]) -> None:
        self._inner = inner
        self._networks = networks

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """See `aiohttp.abc.AbstractResolver`. AddressRefusedError when one address may not be connected to."""
        found = await self._inner.resolve(host, port, family)
        if not all(may_connect(one["host"], self._networks) for one in found):
            raise AddressRefusedError("address not allowed")
        return found

    async def close(self) -> None:
        """See `aiohttp.abc.AbstractResolver`."""
        await self._inner.close()


def tls_context(config: DocumentsConfig) -> ssl.SSLContext:
    """Certificates and host names are always verified. Raises ValueError for an unusable `ca_file`."""
    try:
        context = ssl.create_default_context(cafile=None if config.ca_file is None else str(config.ca_file))
    except OSError as error:  # ssl.SSLError is one
        raise ValueError(
            f"DOCUMENT_CA_FILE={config.ca_file}: {error.strerror or error}; give a PEM file with the authorities' "
            "certificates"
        ) from None
    context.set_alpn_protocols(["http/1.1"])
    return context


def open_session(config: DocumentsConfig, resolver: AbstractResolver | None) -> aiohttp.ClientSession:
    """A session that does nothing on its own: no redirects, cookies, proxies, netrc or decoding, no header but ours.

    Raises ValueError for an unusable `ca_file`.
    """
    tls = tls_context(config)

    def checked_socket(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, where = address
        if not may_connect(str(where[0]), config.networks):
            raise AddressRefusedError("address not allowed")
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        limit=0,  # the store bounds the fetches, so that a wait for a place can be told from a slow connect
        ssl=tls,
        use_dns_cache=False,
        resolver=CheckedResolver(aiohttp.ThreadedResolver() if resolver is None else resolver, config.networks),
        socket_factory=checked_socket,
        keepalive_timeout=10.0,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        read_bufsize=32 * 1024,  # of each connection; half of the default
        raise_for_status=False,
        auto_decompress=False,
        timeout=aiohttp.ClientTimeout(
            total=None, connect=config.connect_timeout, sock_connect=config.connect_timeout, sock_read=None
        ),
        headers={"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "kravia-invoice-worker"},
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from or for, aiohttp's `os_error` included."""
    seen: list[BaseException | None] = []
    following: BaseException | None = error
    while following is not None and following not in seen:
        seen.append(following)
        yield following
        inner = getattr(following, "os_error", None)
        following = inner if isinstance(inner, BaseException) else following.__cause__ or following.__context__
