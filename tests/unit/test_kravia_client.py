"""What leaves the process, when, and what a call that ended without an answer is called."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import StreamWriter
from pydantic import SecretStr

from worker.answers import Done, NotSent, Refused, Registered, Stop, Unclear
from worker.kravia import FixedToken, KraviaClient, KraviaConfig
from worker.kravia.leaving import Departure, GuardedBody, HeldError
from worker.ports import Observer, SearchPage

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
async def serving(handler: Handler) -> AsyncIterator[Server]:
    made = Server(handler)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
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


async def test_an_expired_intent_sends_not_a_byte() -> None:
    spy = Spy()
    async with serving(silent) as server:
        async with client(server.url, observer=spy) as kravia:
            assert await kravia.register(BODY, Expired()) == NotSent("expired")
            assert await kravia.attach("1", "a", "a/b", "eA==", Expired()) == NotSent("expired")
            assert await kravia.start("1", "m", Expired()) == NotSent("expired")
        await server.ended.wait()
        assert [bytes(noted) for noted in server.connections] == [b""] * 3
    assert spy.calls == [("register", "not_sent"), ("attach", "not_sent"), ("start", "not_sent")]


async def test_an_expired_intent_sends_nothing_on_a_reused_connection_either() -> None:
    async with serving(answer_all) as server, client(server.url) as kravia:
        assert await kravia.register(BODY, Valid()) == Registered("4711")
        sent = bytes(server.connections[0])
        assert await kravia.register(BODY, Expired()) == NotSent("expired")
        await server.ended.wait()
        assert [bytes(noted) for noted in server.connections] == [sent]


async def test_the_check_the_timeout_and_the_write_are_one_step() -> None:
    """Nothing is awaited between check and write; the time-out starts with the check and never before it."""
    order: list[str] = []
    loop = asyncio.get_running_loop()

    class Checked:
        def holds(self) -> bool:
            order.append("check")
            return True

    class Deadline:
        def reschedule(self, when: float | None) -> None:
            assert when is not None
            assert loop.time() + 29 < when <= loop.time() + 30
            order.append("time-out")

    def written(*, buffered: bool) -> None:
        assert not buffered
        order.append("written")

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_all(reader, writer)

    class Recording(Departure):
        async def leave(self, writer: object) -> None:
            self.bind(Deadline())  # type: ignore[arg-type]  # records instead
            steps = super().leave(writer)  # type: ignore[arg-type]
            with pytest.raises(StopIteration):
                steps.send(None)  # ends at once: it never suspends
            order.append("left")

    async with serving(handler) as server, client(server.url) as kravia:
        departure = Recording(BODY, Checked(), 30.0, written)
        payload = GuardedBody(departure, len(BODY), "application/json")
        await kravia._register_pool.post(kravia._register_url, departure, payload)
    assert order == ["check", "time-out", "written", "left"]


async def test_waiting_for_a_place_is_not_part_of_a_calls_timeout() -> None:
    free = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"/document" in data:
                await free.wait()
            if data.endswith(b"--\r\n"):
                writer.write(EMPTY)

    async with (
        serving(handler) as server,
        client(server.url, max_connections=1, start_timeout=0.5, attach_timeout=60.0) as kravia,
    ):
        attach = asyncio.create_task(kravia.attach("1", "a", "a/b", "eA==", Valid()))
        await asyncio.sleep(0)  # it takes the only place
        start = asyncio.create_task(kravia.start("1", "m", Valid()))
        await asyncio.sleep(0.8)  # longer than start may take: it must not have begun to count
        assert not start.done()
        free.set()
        assert await attach == Done()
        assert await start == Done()


async def test_a_full_pool_sends_nothing() -> None:
    async with serving(silent) as server:
        kravia = client(server.url, max_connections=1, connect_timeout=0.1, register_timeout=30.0)
        first = asyncio.create_task(kravia.register(BODY, Valid()))
        await asyncio.sleep(0)
        assert await kravia.register(BODY, Valid()) == NotSent("pool")
        await kravia.close(abort=True)
        assert await first == Unclear("lost")


async def test_no_answer_in_time_is_in_doubt_and_resets_the_connection() -> None:
    spy = Spy()
    async with serving(silent) as server, client(server.url, register_timeout=0.1, observer=spy) as kravia:
        assert await kravia.register(BODY, Valid()) == Unclear("timeout")
        await server.ended.wait()
        assert server.resets == 1
    assert spy.calls == [("register", "timeout")]


async def test_half_an_answer_in_time_is_in_doubt() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK[:-2])

    async with serving(handler) as server, client(server.url, register_timeout=0.2) as kravia:
        assert await kravia.register(BODY, Valid()) == Unclear("timeout", 200)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 4", OK[:-2], b"garbage\r\n\r\n", b"HTTP/1.1 400 Bad\r\nContent-Le"])
async def test_a_lost_answer_is_in_doubt_whatever_had_come(answer: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(answer)
        writer.close()

    async with serving(handler) as server, client(server.url) as kravia:
        found = await kravia.register(BODY, Valid())
        assert isinstance(found, Unclear)
        assert found.kind == "lost"
        assert len(server.connections) == 1, "it is not sent again"


@pytest.mark.parametrize("step", ["register", "attach"])
async def test_what_does_not_fit_into_the_kernel_never_leaves_after_the_timeout(step: str) -> None:
    """Attach shares a pool with start, whose time-out keeps TCP_USER_TIMEOUT out of it: only the abort is left."""
    size = 16 * 1024 * 1024
    spy = Spy()
    received = 0
    timed_out = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal received
        await timed_out.wait()
        while data := await reader.read(65536):
            received += len(data)

    given = {"register_timeout": 0.3, "attach_timeout": 0.3, "start_timeout": 600.0}
    async with serving(handler) as server, client(server.url, observer=spy, **given) as kravia:
        if step == "register":
            answer = await kravia.register(b"x" * size, Valid())
        else:
            answer = await kravia.attach("1", "a", "a/b", "A" * size, Valid())
        assert answer == Unclear("timeout")
        timed_out.set()
        await server.ended.wait()
        assert server.resets == 1
    assert received < size / 2, "what the kernel held at the time-out, and nothing of what waited in the process"
    assert spy.warnings == (["register_body_buffered"] if step == "register" else [])


async def test_a_cancelled_caller_resets_the_connection() -> None:
    arrived = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)
        arrived.set()

    async with serving(handler) as server, client(server.url) as kravia:
        call = asyncio.create_task(kravia.register(BODY, Valid()))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await server.ended.wait()
        assert server.resets == 1


async def test_a_redirect_stops_and_is_not_followed() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader, 0):
            writer.write(b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.register(BODY, Valid()) == Stop(307)
        assert await kravia.details("1") == Stop(307)
        assert not any(b"/elsewhere" in noted for noted in server.connections)


@pytest.mark.parametrize(("status", "expected"), [(200, Unclear("no_id", 200)), (400, Refused(400))])
async def test_a_body_without_end_is_cut_off(status: int, expected: object) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 %d X\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
        while True:
            writer.write(b"400\r\n" + b"4" * 1024 + b"\r\n")
            await writer.drain()

    async with serving(handler) as server, client(server.url, max_answer=4096) as kravia:
        assert await kravia.register(BODY, Valid()) == expected
        await server.ended.wait()


@pytest.mark.parametrize(("keepalive", "connections"), [(10.0, 1), (0.0, 2)])
async def test_a_connection_that_idled_too_long_is_not_reused(keepalive: float, connections: int) -> None:
    async with serving(answer_all) as server, client(server.url, keepalive=keepalive) as kravia:
        for _ in range(2):
            assert await kravia.register(BODY, Valid()) == Registered("4711")
            await asyncio.sleep(0.001)  # any idling at all is over 0 seconds
        assert len(server.connections) == connections


async def test_bytes_that_came_unasked_are_not_taken_for_an_answer() -> None:
    """Some servers say 408 or 400 before they close an idle connection; our next request must not read that."""
    goodbye = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)
        await goodbye.wait()
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.register(BODY, Valid()) == Registered("4711")
        sent = bytes(server.connections[0])
        goodbye.set()
        await asyncio.sleep(0.05)  # the bytes lie on the idle connection
        assert await kravia.register(BODY, Valid()) == NotSent("stale")
        await server.ended.wait()
        assert bytes(server.connections[0]) == sent


async def test_a_connection_that_the_server_closed_is_replaced() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)
        writer.close()

    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.register(BODY, Valid()) == Registered("4711")
        await server.ended.wait()
        await asyncio.sleep(0.05)  # the end of the stream reaches the client
        assert await kravia.register(BODY, Valid()) == Registered("4711")


async def test_a_query_is_not_repeated_behind_our_back() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader, 0)
        writer.close()

    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.details("1") == Unclear("lost")
        assert len(server.connections) == 1


async def test_a_refused_connection_sends_nothing() -> None:
    async with serving(silent) as server:
        url = server.url
    async with client(url) as kravia:
        assert await kravia.register(BODY, Valid()) == NotSent("connect")
        assert await kravia.details("1") == NotSent("connect")


async def test_an_unknown_name_sends_nothing() -> None:
    async with client("http://kravia.invalid") as kravia:
        assert await kravia.register(BODY, Valid()) == NotSent("dns")


async def test_a_connection_that_never_opens_sends_nothing() -> None:
    """A full backlog: the kernel drops further SYNs, so connecting hangs."""
    with contextlib.ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            filler = opened.enter_context(socket.socket())
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(listening.getsockname())
        async with client(f"http://127.0.0.1:{listening.getsockname()[1]}", connect_timeout=0.2) as kravia:
            assert await kravia.register(BODY, Valid()) == NotSent("connect")


async def test_fault_points_stand_where_they_say() -> None:
    points = Points()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader):
            assert points.seen == ["body-sent"]
            writer.write(OK)

    async with serving(handler) as server, client(server.url, faults=points) as kravia:
        assert await kravia.register(BODY, Expired()) == NotSent("expired")
        assert points.seen == []
        assert await kravia.register(BODY, Valid()) == Registered("4711")
        assert points.seen == ["body-sent", "answer-read"]


async def test_closing_waits_for_what_is_on_its_way_and_holds_the_rest() -> None:
    arrived, free = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        arrived.set()
        await free.wait()
        writer.write(OK)

    async with serving(handler) as server:
        kravia = client(server.url, max_connections=1)
        first = asyncio.create_task(kravia.register(BODY, Valid()))
        await arrived.wait()
        second = asyncio.create_task(kravia.register(BODY, Valid()))
        await asyncio.sleep(0)
        closing = asyncio.create_task(kravia.close())
        await asyncio.sleep(0)
        assert not closing.done()
        free.set()
        assert await first == Registered("4711")
        assert await second == NotSent("closed")
        await closing
        assert await kravia.register(BODY, Valid()) == NotSent("closed")
        assert await kravia.details("1") == NotSent("closed")


async def test_ids_are_escaped_in_paths_and_searches_look_like_the_guides() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await request(reader, 0):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")

    async with serving(handler) as server, client(server.url) as kravia:
        await kravia.details("a b?c#d%e")
        since = datetime(2021, 6, 1, 15, 13, 14, 404485, tzinfo=UTC)
        assert await kravia.search(since, skip=0, top=20) == SearchPage(())
        lines = bytes(server.connections[0]).split(b"\r\n")
    assert b"GET /api/v2/invoice/a%20b%3Fc%23d%25e/details HTTP/1.1" in lines
    assert (
        b"GET /api/v2/invoice/search?byAscending=True&lastUpdatedTime=2021-06-01T15:13:14.4044850"
        b"&orderBy=11&skip=0&top=20 HTTP/1.1"
    ) in lines


async def test_an_unreadable_search_is_not_an_empty_one() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader, 0)
        writer.write(OK)

    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.search(datetime.now(UTC), skip=0, top=1) == Unclear("unreadable", 200)


async def test_nothing_is_written_to_a_connection_on_which_something_came_unasked() -> None:
    class Transport(asyncio.Transport):
        def is_closing(self) -> bool:
            return False

        def write(self, data: object) -> None:
            raise AssertionError("nothing may be written")

    loop = asyncio.get_running_loop()
    protocol = ResponseHandler(loop)
    protocol.transport = Transport()
    protocol.data_received(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    departure = Departure(BODY, Valid(), 1.0)
    with pytest.raises(HeldError):
        await departure.leave(StreamWriter(protocol, loop))
    assert (departure.sent, departure.held) == (False, "stale")


async def test_a_body_is_only_written_by_the_writer_whose_write_is_synchronous() -> None:
    departure = Departure(BODY, Valid(), 1.0)
    with pytest.raises(TypeError, match="StreamWriter"):
        await departure.leave(object())  # type: ignore[arg-type]
    assert not departure.sent
