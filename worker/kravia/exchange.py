"""One request and its answer, over a pool of connections."""

import asyncio

import aiohttp
from yarl import URL

from worker.answers import NotSent, Unclear
from worker.kravia.classify import Reply
from worker.kravia.config import KraviaConfig
from worker.kravia.connections import send_once
from worker.kravia.leaving import Departure, GuardedBody
from worker.kravia.tokens import TokenSource, is_legal
from worker.kravia.tunnel import TunnelError

Ended = Reply | NotSent | Unclear
"""How a request ended; `Unclear` has kind `timeout` or `lost`, and the status where that much was read."""


class Pool:
    """A session, and a bounded number of places in it."""

    def __init__(self, session: aiohttp.ClientSession, config: KraviaConfig, token: TokenSource) -> None:
        self._session = session
        self._config = config
        self._token = token
        self._places = asyncio.Semaphore(config.max_connections)
        login = None if config.proxy is None else config.proxy.authorization
        # Of the CONNECT alone: aiohttp sends it nowhere else.
        self._proxy_headers = None if login is None else {"Proxy-Authorization": login.get_secret_value()}

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, url: URL, departure: Departure, payload: GuardedBody) -> Ended:
        """Send a body as its departure says. Whatever ends it without a whole answer, also the caller's cancellation,
        drops the connection: closing it would send what is still unsent.
        """
        if not await self._take_place():
            return NotSent("pool")
        try:
            token = self._token().get_secret_value()
            return await self._post(url, token, departure, payload) if is_legal(token) else NotSent("token")
        finally:
            self._places.release()

    async def get(self, url: URL) -> Ended:
        """Ask. It changes nothing, so how it failed may be told from the exception."""
        if not await self._take_place():
            return NotSent("pool")
        try:
            token = self._token().get_secret_value()
            return await self._get(url, token) if is_legal(token) else NotSent("token")
        finally:
            self._places.release()

    async def _take_place(self) -> bool:
        if not self._places.locked():
            await self._places.acquire()  # at once: a timer would cost more than this whole function
            return True
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                await self._places.acquire()
        except TimeoutError:
            return False
        return True

    async def _post(self, url: URL, token: str, departure: Departure, payload: GuardedBody) -> Ended:
        status: int | None = None
        finished = False
        try:
            async with asyncio.timeout(None) as deadline:
                departure.bind(deadline)
                headers = {"Authorization": token}
                response = await self._session.post(
                    url, data=payload, headers=headers, proxy_headers=self._proxy_headers, allow_redirects=False
                )
                if not departure.sent:
                    # What lay on the connection before we wrote was taken for an answer (see `Departure.leave`).
                    departure.hold("stale")
                    response.close()
                    return NotSent(departure.held or "stale")
                status = response.status
                reply = await self._read(response)
            finished = reply.whole and not departure.unsent
            return reply
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            if not departure.sent:
                return NotSent(departure.held or _why_not_sent(error))
            return Unclear("timeout" if isinstance(error, TimeoutError) else "lost", status)
        finally:
            departure.hold("ended")  # a body that has not left by now never does
            if not finished:
                departure.abort()

    async def _get(self, url: URL, token: str) -> Ended:
        status: int | None = None
        try:
            async with asyncio.timeout(self._config.query_timeout):
                headers = {"Authorization": token}
                response = await self._session.get(
                    url,
                    headers=headers,
                    proxy_headers=self._proxy_headers,
                    allow_redirects=False,
                    middlewares=(send_once,),
                )
                status = response.status
                return await self._read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, TunnelError) as error:
            return NotSent(_why_not_sent(error))
        except (aiohttp.ClientError, OSError) as error:
            return Unclear("timeout" if isinstance(error, TimeoutError) else "lost", status)

    async def _read(self, response: aiohttp.ClientResponse) -> Reply:
        """The body up to its bound. Read to its end, the connection goes back to the pool; else it is closed."""
        limit = self._config.max_answer
        content = bytearray()
        whole = False
        try:
            while len(content) <= limit and (chunk := await response.content.readany()):
                content += chunk
            whole = len(content) <= limit
        finally:
            if not whole:
                response.close()
        text = content[:limit].decode("utf-8-sig", "replace")
        return Reply(response.status, response.headers, text, whole)


def _why_not_sent(error: Exception) -> str:
    """Class of a failure before anything was sent; the decision that nothing was is not made here."""
    match error:
        case TunnelError():
            return error.why
        case aiohttp.ClientConnectorDNSError():
            return "dns"
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return "tls"
        case _:
            return "connect"
