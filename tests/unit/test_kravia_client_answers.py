"""The client at the ends of a call: redirects, endless bodies, stale connections, closing, what searches look like."""

import asyncio
import contextlib
import socket
from datetime import UTC, datetime

import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import StreamWriter

from tests.unit.fakes_ahead import Heard, holds
from tests.unit.fakes_http import (
    BODY,
    OK,
    Expired,
    Points,
    Valid,
    answer_all,
    client,
    request,
    serving,
)
from worker.answers import NotSent, Refused, Registered, Unclear
from worker.kravia.leaving import Departure, HeldError
from worker.ports import SearchPage


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


async def test_bytes_that_came_unasked_are_not_taken_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers say 408 or 400 before they close an idle connection; our next request must not read that."""
    goodbye = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)
        await goodbye.wait()
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    heard = Heard(monkeypatch)
    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.register(BODY, Valid()) == Registered("4711")
        sent = bytes(server.connections[0])
        answer = heard.pieces
        goodbye.set()
        await holds(lambda: heard.pieces > answer)  # the bytes lie on the idle connection
        assert await kravia.register(BODY, Valid()) == NotSent("stale")
        await server.ended.wait()
        assert bytes(server.connections[0]) == sent


async def test_a_connection_that_the_server_closed_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK)
        writer.close()

    heard = Heard(monkeypatch)
    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.register(BODY, Valid()) == Registered("4711")
        await holds(lambda: heard.losses == 1)
        assert await kravia.register(BODY, Valid()) == Registered("4711")


async def test_a_query_is_not_repeated_behind_our_back() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader, 0)
        writer.close()

    async with serving(handler) as server, client(server.url) as kravia:
        assert await kravia.details("1") == Unclear("lost")
        assert len(server.connections) == 1


async def test_a_refused_connection_sends_nothing() -> None:
    with socket.socket() as taken:  # and not listening: a port that was let go might be another's by now
        taken.bind(("127.0.0.1", 0))
        async with client(f"http://127.0.0.1:{taken.getsockname()[1]}") as kravia:
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
