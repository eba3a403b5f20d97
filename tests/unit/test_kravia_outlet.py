"""Over TLS the kernel is asked what it took: the event loops' transports don't tell what waits below them."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.fakes_http import EMPTY, Spy, Valid, client, serving
from tests.unit.fakes_proxy import LOOPS
from tests.unit.fakes_tls import ca_file, server_context
from worker.answers import Registered, Unclear

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
LARGE = 16 * 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n4711"
Loop = Callable[[], asyncio.AbstractEventLoop]


def run(loop: Loop, scenario: "asyncio._CoroutineLike[None]") -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(scenario)  # type: ignore[arg-type]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_register_that_does_not_fit_is_told_and_never_leaves_after_the_timeout(tmp_path: Path, loop: Loop) -> None:
    spy = Spy()

    async def scenario() -> None:
        received, timed_out = 0, asyncio.Event()

        async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            nonlocal received
            await timed_out.wait()
            while data := await reader.read(65536):
                received += len(data)

        given = {"ca_file": ca_file(tmp_path), "register_timeout": 0.5}
        tls = server_context(tmp_path)
        async with serving(handler, tls) as server, client(server.url, observer=spy, **given) as kravia:
            assert await kravia.register(b"x" * LARGE, Valid()) == Unclear("timeout")
            timed_out.set()
            await server.ended.wait()
        assert received < LARGE / 2

    run(loop, scenario())
    assert spy.warnings == ["register_body_buffered"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("size", [1, 16_384, 60_000])
def test_one_that_fits_is_not(tmp_path: Path, loop: Loop, size: int) -> None:
    """Again and again on one connection: acknowledgements come at any moment."""
    spy = Spy()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                await reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionResetError):
                return
            writer.write(OK)

    async def scenario() -> None:
        tls, ca = server_context(tmp_path), ca_file(tmp_path)
        async with serving(handler, tls) as server, client(server.url, observer=spy, ca_file=ca) as kravia:
            for _ in range(50):
                assert await kravia.register(b"x" * size, Valid()) == Registered("4711")
            assert len(server.connections) == 1, "what was taken for unsent would close it"

    run(loop, scenario())
    assert spy.warnings == []


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_was_answered_early_is_not_used_again(tmp_path: Path, loop: Loop) -> None:
    """The answer came before the body had left: its rest must not leave later."""

    async def scenario() -> None:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(EMPTY)

        tls, ca = server_context(tmp_path), ca_file(tmp_path)
        async with serving(handler, tls) as server, client(server.url, ca_file=ca) as kravia:
            for _ in range(2):
                await kravia.register(b"x" * LARGE, Valid())
            assert len(server.connections) == 2

    run(loop, scenario())
