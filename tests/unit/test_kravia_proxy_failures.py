"""What a proxy says or fails to do is never taken for an answer of Kravia's; after the body left it is a doubt."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.fakes_http import BODY, OK, Clock, Spy, Valid, request
from tests.unit.fakes_proxy import LOOPS, UNREACHABLE, answering, client, each_call, kravia_behind, on
from worker.answers import NotSent, Registered, Unclear
from worker.forward_proxy import parse_proxy
from worker.kravia import FixedToken, KraviaClient, KraviaConfig

REFUSALS = [
    (answering(407, 'Proxy-Authenticate: Negotiate, Basic realm="x"', body=b"<p>who?"), "proxy_407"),
    (answering(401), "proxy_401"),
    (answering(403, "Content-Type: text/html", body=b"<p>not allowed"), "proxy_403"),
    (answering(400), "proxy_400"),
    (answering(302, "Location: https://login.example.com/"), "proxy_302"),
    (answering(404), "proxy_404"),
    (answering(409), "proxy_409"),
    (answering(429, "Retry-After: 600"), "proxy_429"),
    (answering(502, "Connection: close", body=b"no way"), "proxy_502"),
    (answering(503, "Retry-After: 600"), "proxy_503"),
    (answering(504), "proxy_504"),
    (answering(204), "proxy_204"),
    (b"", "proxy_lost"),
    (b"HTTP/1.1 4", "proxy_lost"),
    (b"\x15\x03\x01\x00\x02\x02\x28", "proxy_lost"),
    (answering(200), "proxy_lost"),
    (answering(200) + OK, "proxy_lost"),
]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(("says", "why"), REFUSALS, ids=[f"{why}-{number}" for number, (_, why) in enumerate(REFUSALS)])
def test_what_it_says_in_place_of_a_tunnel_is_no_answer(tmp_path: Path, loop: Callable, says: bytes, why: str) -> None:
    async def scenario() -> None:
        spy = Spy()
        async with kravia_behind(tmp_path) as (api, proxy):
            proxy.says = says
            async with client(tmp_path, proxy.url(), spy) as kravia:
                assert await each_call(kravia) == [NotSent(why)] * 5
            assert len(proxy.asked) == 5, "nothing is tried again by itself"
            assert api.connections == []
        assert {status for _, status in spy.calls} == {"not_sent"}

    on(loop, scenario())


async def test_a_wrong_password_is_407(tmp_path: Path) -> None:
    async with kravia_behind(tmp_path) as (_, proxy):
        proxy.login = "user:right"
        for written in ("", "user:wrong"):
            async with client(tmp_path, proxy.url(written)) as kravia:
                assert await each_call(kravia) == [NotSent("proxy_407")] * 5


@pytest.mark.parametrize("loop", LOOPS)
def test_a_proxy_that_is_down_and_comes_back(tmp_path: Path, loop: Callable) -> None:
    async def scenario() -> None:
        async with kravia_behind(tmp_path) as (_, proxy), client(tmp_path, proxy.url()) as kravia:
            proxy.down()
            assert await each_call(kravia) == [NotSent("proxy_connect")] * 5
            await proxy.up()
            assert await kravia.register(BODY, Valid()) == Registered("4711")

    on(loop, scenario())


async def test_a_proxy_without_a_name_or_without_our_trust(tmp_path: Path) -> None:
    async with client(tmp_path, "http://no-such-proxy.invalid:3128") as kravia:
        assert await each_call(kravia) == [NotSent("proxy_dns")] * 5
    async with kravia_behind(tmp_path, tls_to_proxy=True) as (_, proxy):
        config = KraviaConfig(base_url=f"https://{UNREACHABLE}", proxy=parse_proxy(proxy.url()))
        async with KraviaClient(config, FixedToken(SecretStr("t")), clock=Clock()) as kravia:
            assert await each_call(kravia) == [NotSent("proxy_tls")] * 5
        assert proxy.asked == []


async def test_an_api_that_is_not_trusted_gets_nothing_through_it_either(tmp_path: Path) -> None:
    async with kravia_behind(tmp_path) as (api, proxy):
        config = KraviaConfig(base_url=f"https://{UNREACHABLE}", proxy=parse_proxy(proxy.url()))
        async with KraviaClient(config, FixedToken(SecretStr("t")), clock=Clock()) as kravia:
            assert await each_call(kravia) == [NotSent("tls")] * 5
        assert b"".join(map(bytes, api.connections)) == b""


async def test_a_proxy_that_never_answers_sends_nothing(tmp_path: Path) -> None:
    async with kravia_behind(tmp_path) as (_, proxy):
        hung = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hung.wait()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        try:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with client(tmp_path, url, connect_timeout=0.2) as kravia:
                assert await each_call(kravia) == [NotSent("connect")] * 5
        finally:
            hung.set()
            server.close()
        assert proxy.asked == []


@pytest.mark.parametrize("loop", LOOPS)
def test_a_proxy_that_dies_after_the_body_left_is_a_lost_answer(tmp_path: Path, loop: Callable) -> None:
    async def scenario() -> None:
        killed: list[Callable[[], None]] = []

        async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await request(reader, len(BODY) if len(api.connections) == 1 else 0)
            killed[0]()

        async with kravia_behind(tmp_path, handler) as (api, proxy), client(tmp_path, proxy.url()) as kravia:
            killed.append(proxy.down)
            assert await kravia.register(BODY, Valid()) == Unclear("lost")
            [received] = api.connections
            assert received.endswith(BODY)
            # A search changes nothing; yet it left, and is told as what it is.
            await proxy.up()
            assert await kravia.search(Clock().now(), skip=0, top=1) == Unclear("lost")

    on(loop, scenario())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tls_to_proxy", [False, True], ids=["http", "https"])
def test_what_has_not_left_at_the_timeout_never_does(tmp_path: Path, loop: Callable, tls_to_proxy: bool) -> None:
    """What the kernel and the proxy hold by then is out of our hands."""
    size = 48 * 1024 * 1024
    received = 0
    timed_out = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        nonlocal received
        await timed_out.wait()
        while data := await reader.read(65536):
            received += len(data)

    async def scenario() -> None:
        async with (
            kravia_behind(tmp_path, handler, tls_to_proxy=tls_to_proxy) as (api, proxy),
            client(tmp_path, proxy.url(), register_timeout=0.3) as kravia,
        ):
            assert await kravia.register(b"x" * size, Valid()) == Unclear("timeout")
            timed_out.set()
            await api.ended.wait()

    on(loop, scenario())
    assert received < size / 2
