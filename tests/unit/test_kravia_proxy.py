"""Through a forward proxy: every call goes through it, and what it is told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.fakes_http import BODY, Clock, Expired, Valid, request
from tests.unit.fakes_proxy import LOOPS, UNREACHABLE, answering, client, each_call, kravia_behind, on
from tests.unit.fakes_tls import ca_file
from worker.answers import Answer, Done, Forbidden, NotSent, Registered, Stop, Unclear
from worker.forward_proxy import parse_proxy
from worker.kravia import FixedToken, KraviaClient, KraviaConfig
from worker.ports import Details


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tls_to_proxy", [False, True], ids=["http", "https"])
def test_every_call_goes_through_it(tmp_path: Path, loop: Callable, tls_to_proxy: bool) -> None:
    async def scenario() -> None:
        async with kravia_behind(tmp_path, tls_to_proxy=tls_to_proxy) as (api, proxy):
            async with client(tmp_path, proxy.url()) as kravia:
                registered, attached, started, details, found = await each_call(kravia)
                assert await kravia.register(BODY, Expired()) == NotSent("expired")
            assert (registered, attached, started) == (Registered("4711"), Done(), Done())
            assert isinstance(details, Details)
            assert found == Unclear("unreadable", 200)
            assert len(api.connections) == proxy.tunnels == len(proxy.asked)
            assert {head.split("\r\n")[0] for head in proxy.asked} == {f"CONNECT {UNREACHABLE} HTTP/1.1"}
            told = "".join(proxy.asked)
            assert "the-token" not in told
            assert "/invoice/" not in told
            received = b"".join(map(bytes, api.connections))
            assert received.count(b"Authorization: the-token\r\n") == 5
            assert b"Proxy-" not in received

    on(loop, scenario())


async def test_a_tunnel_is_used_again(tmp_path: Path) -> None:
    async with kravia_behind(tmp_path) as (_, proxy), client(tmp_path, proxy.url()) as kravia:
        for _ in range(3):
            assert await kravia.register(BODY, Valid()) == Registered("4711")
        assert proxy.tunnels == 1


async def test_the_environment_alone_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with kravia_behind(tmp_path) as (api, proxy), client(tmp_path, proxy.url()) as kravia:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "*")
        assert await kravia.register(BODY, Valid()) == Registered("4711")
        assert (proxy.tunnels, len(api.connections)) == (1, 1)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url())
        direct = KraviaConfig(base_url=f"https://{UNREACHABLE}", ca_file=ca_file(tmp_path))
        async with KraviaClient(direct, FixedToken(SecretStr("t")), clock=Clock()) as without:
            assert await without.register(BODY, Valid()) == NotSent("connect")
        assert proxy.tunnels == 1


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    "opened",
    [
        b"HTTP/1.0 200 Connection established\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nProxy-Agent: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
    ],
    ids=["1.0", "length", "chunked"],
)
def test_proxies_say_in_several_ways_that_the_tunnel_stands(tmp_path: Path, loop: Callable, opened: bytes) -> None:
    async def scenario() -> None:
        async with kravia_behind(tmp_path) as (_, proxy), client(tmp_path, proxy.url()) as kravia:
            proxy.opened = opened
            assert await kravia.register(BODY, Valid()) == Registered("4711")

    on(loop, scenario())


@pytest.mark.parametrize(
    ("login", "written"),
    [("user:secret", "user:secret"), ("jörg:p@:/ß", "j%C3%B6rg:p%40%3A%2F%C3%9F"), ("key:", "key")],
)
async def test_user_and_password_go_to_the_proxy_alone(tmp_path: Path, login: str, written: str) -> None:
    async with kravia_behind(tmp_path) as (api, proxy):
        proxy.login = login
        async with client(tmp_path, proxy.url(written)) as kravia:
            registered, *_ = await each_call(kravia)
        assert registered == Registered("4711")
        assert b"Proxy-Authorization" not in b"".join(map(bytes, api.connections))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (answering(403), Forbidden()),
        (answering(401), Stop(401)),
        (answering(407), None),
        (answering(502), Unclear("server_error", 502)),
    ],
)
async def test_what_kravia_says_through_the_tunnel_still_counts(
    tmp_path: Path, answer: bytes, expected: Answer | None
) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(answer)

    async with kravia_behind(tmp_path, handler) as (_, proxy), client(tmp_path, proxy.url()) as kravia:
        found = await kravia.register(BODY, Valid())
        assert not isinstance(found, NotSent)
        assert expected is None or found == expected


def test_it_needs_https_and_shows_no_password() -> None:
    proxy = parse_proxy("http://user:s3cret@proxy.example.com:3128")
    with pytest.raises(ValueError, match="proxy: only with an https base_url"):
        KraviaConfig(base_url="http://localhost", proxy=proxy)
    assert "s3cret" not in repr(KraviaConfig(proxy=proxy))
    assert "dXNlcj" not in repr(KraviaConfig(proxy=proxy)), "nor in base64"
