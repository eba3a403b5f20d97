"""Fetches documents by https, verifies and spools them. Redirects are followed by hand, each hop judged anew."""

import asyncio
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from worker import fetching
from worker.document_hosts import Place, place_of
from worker.documents.addresses import may_connect
from worker.documents.answers import Given, given
from worker.documents.config import DocumentsConfig
from worker.documents.connections import AddressRefusedError, causes, open_session
from worker.documents.media import HEAD, contradicts
from worker.documents.spool import Share, Space, SpoolFile
from worker.fetching import Fetched
from worker.model import Reference
from worker.ports import Altered, Clock, Missing, NotAllowed, Observer, Unreachable

_CHUNK = 64 * 1024


class HttpsDocuments:
    """Implements `ports.DocumentStore`. Create it inside a running event loop and `close` it.

    Raises ValueError for a CA file that can't be used. `resolver` None: the system's.
    """

    def __init__(
        self, config: DocumentsConfig, clock: Clock, observer: Observer, resolver: AbstractResolver | None = None
    ) -> None:
        self._config = config
        self._clock = clock
        self._observer = observer
        self._space = Space(config.spool_bytes, observer.spooled)
        self._places = asyncio.Semaphore(config.connections)
        self._session = open_session(config, resolver)

    async def room(self, size: int) -> Share:
        """See `ports.DocumentStore`."""
        return await self._space.take(size)

    async def fetch(self, reference: Reference) -> Fetched:
        """See `ports.DocumentStore`."""
        place = self._judge(reference.url)
        if isinstance(place, NotAllowed):
            return self._told(place, 0, 0.0)
        async with self._places:
            began = self._clock.monotonic()
            file: SpoolFile | None = None
            kept = False
            try:
                file = SpoolFile(self._config.spool_dir)
                async with asyncio.timeout(self._config.timeout):
                    fetched = await self._fetch(place, reference, file)
                kept = fetched is file
            except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
                fetched = _failed(error)
            finally:
                if file is not None and not kept:
                    file.close()
            return self._told(fetched, 0 if file is None else file.size, self._clock.monotonic() - began)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _told(self, fetched: Fetched, size: int, seconds: float) -> Fetched:
        match fetched:
            case Unreachable(why):
                result = why
            case Missing(code) | Altered(code) | NotAllowed(code):
                result = code
            case _:
                result = "ok"
        self._observer.fetched(result, size, seconds)
        return fetched

    def _judge(self, url: str | URL) -> Place | NotAllowed:
        place = place_of(url, self._config.hosts)
        if isinstance(place, str):
            return NotAllowed(place)
        literal = ":" in place.host or place.host.rpartition(".")[2].isdecimal()
        if literal and not may_connect(place.host, self._config.networks):
            return NotAllowed(fetching.ADDRESS)
        return place

    async def _fetch(self, place: Place, reference: Reference, file: SpoolFile) -> Fetched:
        for _ in range(self._config.redirects + 1):
            async with self._session.get(place.url, allow_redirects=False) as response:
                answer = given(response.status, response.headers, reference.size, self._clock.now(), self._config)
                if answer is Given.DOCUMENT:
                    return await self._spool(response.content, reference, file)
                response.close()  # its body is of no interest, and may have no end
                if not isinstance(answer, str):
                    return answer
            judged = self._judge(_joined(place.url, answer))
            if isinstance(judged, NotAllowed):
                return judged
            place = judged
        return NotAllowed(fetching.REDIRECTS)

    async def _spool(self, content: aiohttp.StreamReader, reference: Reference, file: SpoolFile) -> Fetched:
        head = b""
        async for data in content.iter_chunked(_CHUNK):
            if file.size + len(data) > reference.size:
                return Altered(fetching.SIZE)
            if len(head) < HEAD:
                head += data[:HEAD]
            await file.append(data)
        if file.size != reference.size:
            return Altered(fetching.SIZE)
        await file.whole()
        if file.sha256 != reference.sha256:
            return Altered(fetching.DIGEST)
        return Altered(fetching.TYPE) if contradicts(reference.media_type, head) else file


def _joined(base: URL, location: str) -> URL | str:
    """Where a redirect leads; text that is no URL stays as it is, and is refused so."""
    try:
        return base.join(URL(location, encoded=location.isascii()))
    except ValueError:
        return location


def _failed(error: Exception) -> NotAllowed | Unreachable:
    """What an error of a fetch comes to. Nothing of its text is kept: it may name the URL."""
    if any(isinstance(cause, AddressRefusedError) for cause in causes(error)):
        return NotAllowed(fetching.ADDRESS)
    match error:
        case TimeoutError():
            return Unreachable("timeout")
        case aiohttp.ClientConnectorDNSError():
            return Unreachable("dns")
        case aiohttp.ClientSSLError():
            return Unreachable("tls")
        case aiohttp.ClientConnectorError():
            return Unreachable("connect")
        case aiohttp.InvalidURL():
            return NotAllowed(fetching.BAD_URL)
        case aiohttp.ClientError():
            return Unreachable("lost")
        case _:
            return Unreachable("spool")
