"""What leaves the process, when, and what a call that ended without an answer is called."""

import asyncio

import pytest

from tests.unit.fakes_ahead import LONG, Heard, go_ahead, holds, others_run
from tests.unit.fakes_http import (
    BODY,
    EMPTY,
    OK,
    Expired,
    Spy,
    Valid,
    answer_all,
    client,
    request,
    serving,
    silent,
)
from worker.answers import Done, NotSent, Registered, Stop, Unclear
from worker.kravia.leaving import Departure, GuardedBody

WAITS = {"connect_timeout", "read_timeout", "register_timeout", "attach_timeout", "start_timeout"}


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
    began: list[float] = []
    loop = asyncio.get_running_loop()

    class Checked:
        def holds(self) -> bool:
            order.append("check")
            began.append(loop.time())
            loop.time = lambda: began[0]  # type: ignore[method-assign]  # stands still until it is written
            return True

    class Deadline:
        def reschedule(self, when: float | None) -> None:
            assert when is not None
            assert when == began[0] + 30
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
    arrived, free = asyncio.Event(), asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"/document" in data:
                arrived.set()
                await free.wait()
            if data.endswith(b"--\r\n"):
                writer.write(EMPTY)

    async with (
        serving(handler) as server,
        client(
            server.url, max_connections=1, start_timeout=LONG / 2, **dict.fromkeys(WAITS - {"start_timeout"}, 2 * LONG)
        ) as kravia,
    ):
        attach = asyncio.create_task(kravia.attach("1", "a", "a/b", "eA==", Valid()))
        await arrived.wait()  # it has the only place
        start = asyncio.create_task(kravia.start("1", "m", Valid()))
        await others_run()
        go_ahead()  # longer than start may take: it must not have begun to count
        await others_run()
        assert not start.done()
        free.set()
        assert await attach == Done()
        assert await start == Done()


async def test_a_full_pool_sends_nothing() -> None:
    arrived = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)
        arrived.set()

    async with serving(handler) as server:
        times = dict.fromkeys(WAITS - {"connect_timeout"}, 2 * LONG)
        kravia = client(server.url, max_connections=1, connect_timeout=LONG / 2, **times)
        first = asyncio.create_task(kravia.register(BODY, Valid()))
        await arrived.wait()
        second = asyncio.create_task(kravia.register(BODY, Valid()))
        await others_run()
        go_ahead()
        assert await second == NotSent("pool")
        await kravia.close(abort=True)
        assert await first == Unclear("lost")


async def test_no_answer_in_time_is_in_doubt_and_resets_the_connection() -> None:
    spy = Spy()
    async with serving(silent) as server, client(server.url, register_timeout=0.1, observer=spy) as kravia:
        assert await kravia.register(BODY, Valid()) == Unclear("timeout")
        await server.ended.wait()
        assert server.resets == 1
    assert spy.calls == [("register", "timeout")]


async def test_half_an_answer_in_time_is_in_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK[:-2])

    heard = Heard(monkeypatch)
    times = dict.fromkeys(WAITS - {"register_timeout"}, 2 * LONG)
    async with serving(handler) as server, client(server.url, register_timeout=LONG / 2, **times) as kravia:
        call = asyncio.create_task(kravia.register(BODY, Valid()))
        await holds(lambda: heard.pieces > 0)
        await others_run()
        go_ahead()
        assert await call == Unclear("timeout", 200)


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
