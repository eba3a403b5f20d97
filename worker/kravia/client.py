"""The calls. An answer is a value (`ports.Answer`); nothing here decides what follows from it."""

import asyncio
import re
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

from yarl import URL

from worker.answers import Answer, Done, NotSent, Refused, Unclear
from worker.faults import NO_FAULTS
from worker.kravia import multipart
from worker.kravia.classify import Endpoint, Reply, Rules, classify, status_class
from worker.kravia.config import FileEncoding, KraviaConfig
from worker.kravia.connections import open_session, tls_context
from worker.kravia.exchange import Ended, Pool
from worker.kravia.leaving import Departure, GuardedBody
from worker.kravia.reading import field_names, read_details, read_page
from worker.kravia.tokens import TokenSource
from worker.ports import Clock, Details, Document, Faults, Observer, SearchPage, Validity


def search_url(root: str, since: datetime, *, skip: int, top: int) -> URL:
    """See `KraviaClient.search`."""
    utc = since if since.tzinfo is None else since.astimezone(UTC)
    time = utc.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"
    query = f"byAscending=True&lastUpdatedTime={time}&orderBy=11&skip={skip}&top={top}"
    return URL(f"{root}/invoice/search?{query}", encoded=True)


class KraviaClient:
    """Implements `ports.KraviaApi`. Create it inside a running event loop and `close` it.

    Register has a pool of its own, so that its sockets fit what one register may do; the other calls share a second.
    Raises ValueError for a CA file that can't be used.
    """

    def __init__(
        self,
        config: KraviaConfig,
        token: TokenSource,
        *,
        clock: Clock,
        observer: Observer | None = None,
        faults: Faults = NO_FAULTS,
    ) -> None:
        self._config = config
        self._clock = clock
        self._observer = Observer() if observer is None else observer
        self._faults = faults
        self._root = str(URL(config.root))
        self._register_url = URL(f"{self._root}/invoice/register", encoded=True)
        self._rules = Rules(
            config.id_pointer,
            tuple(re.compile(pattern) for pattern in config.already_exists_patterns),
            config.retry_after_limit,
        )
        self._timeouts = {
            Endpoint.REGISTER: config.register_timeout,
            Endpoint.ATTACH: config.attach_timeout,
            Endpoint.START: config.start_timeout,
        }
        tls = tls_context(config)
        register_session = open_session(
            config,
            tls,
            user_timeout=config.register_timeout,
            send_buffer=config.send_buffer,
            read_timeout=None,  # its time-out is our own and starts at the check
        )
        other_session = open_session(
            config,
            tls,
            user_timeout=max(config.attach_timeout, config.start_timeout),
            send_buffer=None,
            read_timeout=config.read_timeout,
        )
        self._register_pool = Pool(register_session, config, token)
        self._other_pool = Pool(other_session, config, token)
        self._departures: set[Departure] = set()
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closing = False

    async def register(self, body: bytes, validity: Validity) -> Answer:
        """See `ports.KraviaApi`. `body` is sent as it is, at most once."""
        return await self._post(Endpoint.REGISTER, self._register_url, "application/json", body, validity)

    async def attach(
        self, invoice_id: str, file_name: str, media_type: str, content: str | Document, validity: Validity
    ) -> Answer:
        """See `ports.KraviaApi`. With raw bytes to be sent, content that is not base64 is `Refused`, status 0.

        A fetched document is read while it is sent. Where that fails the call ends `Unclear`, like a lost connection.
        """
        raw = self._config.file_encoding is FileEncoding.RAW
        form: tuple[str, bytes] | tuple[str, multipart.Streamed] | None
        match content:
            case str() if raw:
                form = multipart.document_as_bytes(file_name, media_type, content)
            case str():
                form = multipart.document_as_text(content)
            case _ if raw:
                form = multipart.stream_as_bytes(file_name, media_type, content)
            case _:
                form = multipart.stream_as_text(content)
        if form is None:
            return Refused(0, "the attachment's content is not base64")
        url = self._url(invoice_id, "document?type=InvoiceAttachment")
        content_type, body = form
        return await self._post(Endpoint.ATTACH, url, content_type, body, validity)

    async def start(self, invoice_id: str, message: str, validity: Validity) -> Answer:
        """See `ports.KraviaApi`."""
        url = self._url(invoice_id, "action?action=Start")
        return await self._post(Endpoint.START, url, *multipart.action(message), validity)

    async def details(self, invoice_id: str) -> Details | Answer:
        """See `ports.KraviaApi`.

        Base64 text travels without a file name, so that names of documents tell nothing then: they are None unless
        there are none at all.
        """
        reply, answer = await self._get(Endpoint.DETAILS, self._url(invoice_id, "details"))
        if reply is None or not isinstance(answer, Done):
            return answer
        found = read_details(reply.body) if reply.whole else Details(None, None)
        if found.documents and self._config.file_encoding is FileEncoding.BASE64:
            return replace(found, documents=None)
        return found

    async def search(self, since: datetime, *, skip: int, top: int) -> SearchPage | Answer:
        """See `ports.KraviaApi`. A 2xx that holds no rows is `Unclear`, kind `unreadable`.

        ASSUMPTION: the time without zone that the guide prints is UTC. Its seven decimals are .NET's ticks.
        """
        reply, answer = await self._get(Endpoint.SEARCH, search_url(self._root, since, skip=skip, top=top))
        if reply is None or not isinstance(answer, Done):
            return answer
        page = read_page(reply.body) if reply.whole else None
        return Unclear("unreadable", reply.status, fields=field_names(reply.body)) if page is None else page

    async def close(self, *, abort: bool = False) -> None:
        """Let go of all connections once the calls that are on their way have ended, within their time-outs.

        What has not left yet does not leave (`NotSent`). With `abort` connections are dropped at once, and what was on
        its way ends `Unclear`. Idempotent.
        """
        self._closing = True
        for departure in self._departures:
            departure.hold("closed")
            if abort:
                departure.abort()
        if not abort:
            await self._idle.wait()
        await self._register_pool.close()
        await self._other_pool.close()
        await self._idle.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _url(self, invoice_id: str, rest: str) -> URL:
        return URL(f"{self._root}/invoice/{quote(invoice_id, safe='')}/{rest}", encoded=True)

    async def _post(
        self, endpoint: Endpoint, url: URL, content_type: str, body: bytes | multipart.Streamed, validity: Validity
    ) -> Answer:
        if self._closing:
            return NotSent("closed")
        registers = endpoint is Endpoint.REGISTER
        pool = self._register_pool if registers else self._other_pool
        streamed = body if isinstance(body, multipart.Streamed) else multipart.Streamed(len(body), body, ())
        departure = Departure(
            streamed.first,
            validity,
            self._timeouts[endpoint],
            self._body_written if registers else None,
            rest=streamed.rest,
        )
        payload = GuardedBody(departure, streamed.size, content_type)
        self._departures.add(departure)
        try:
            reply = await self._counted(endpoint, pool.post(url, departure, payload))
        finally:
            self._departures.discard(departure)
        if not isinstance(reply, Reply):
            return reply
        if registers:
            self._faults.hit("answer-read")
        return classify(endpoint, reply, self._rules, self._clock.now())

    def _body_written(self, *, buffered: bool) -> None:
        """Right after a register's body was written."""
        self._faults.hit("body-sent")
        if buffered:  # larger than the kernel's send buffer: the rest leaves later, unchecked
            self._observer.warned("register_body_buffered")

    async def _get(self, endpoint: Endpoint, url: URL) -> tuple[Reply | None, Answer]:
        if self._closing:
            return None, NotSent("closed")
        reply = await self._counted(endpoint, self._other_pool.get(url))
        if not isinstance(reply, Reply):
            return None, reply
        return reply, classify(endpoint, reply, self._rules, self._clock.now())

    async def _counted(self, endpoint: Endpoint, request: Awaitable[Ended]) -> Ended:
        """Await one request, counted and reported."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._requests += 1
        self._idle.clear()
        ended: Ended | None = None
        try:
            ended = await request
            return ended
        finally:
            self._requests -= 1
            if self._requests == 0:
                self._idle.set()
            if ended is not None:  # else the caller was cancelled
                self._observer.called(endpoint.value, status_class(ended), loop.time() - began)
