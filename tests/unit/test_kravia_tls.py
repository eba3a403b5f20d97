"""TLS: what is trusted, and that a handshake which fails or never ends sends nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from pydantic import SecretStr

from tests.unit.fakes_http import BODY, OK, Clock, Expired, Valid
from tests.unit.fakes_tls import CERTIFICATE, KEY
from worker.answers import Answer, NotSent, Registered, Unclear
from worker.kravia import FixedToken, KraviaClient, KraviaConfig


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    path.write_text(CERTIFICATE)
    return path


@asynccontextmanager
async def serving(directory: Path, *, tls: bool, answer: bytes | None) -> AsyncIterator[tuple[int, bytearray]]:
    """Gives the port, and all that was received in the clear. `answer` None: not a byte is sent."""
    received = bytearray()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                received.extend(data)
                if answer is not None:
                    writer.write(answer)
        except (ConnectionResetError, ssl.SSLError):
            pass  # how a client that gives up looks from here
        finally:
            writer.close()

    context = None
    if tls:
        pair = directory / "pair.pem"
        pair.write_text(KEY + CERTIFICATE)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair)
    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], received
    finally:
        server.close()


async def register(port: int, ca_file: Path | None, validity: Valid | Expired | None = None, **given: float) -> Answer:
    config = KraviaConfig(base_url=f"https://127.0.0.1:{port}", ca_file=ca_file, **given)  # type: ignore[arg-type]
    async with KraviaClient(config, FixedToken(SecretStr("token")), clock=Clock()) as kravia:
        return await kravia.register(BODY, validity or Valid())


async def over_tls(directory: Path, certificate: Path) -> None:
    async with serving(directory, tls=True, answer=OK) as (port, received):
        assert await register(port, certificate) == Registered("4711")
        assert received.endswith(BODY)
        received.clear()
        assert await register(port, certificate, Expired()) == NotSent("expired")
        assert received == b""
    async with serving(directory, tls=True, answer=None) as (port, _):
        assert await register(port, certificate, register_timeout=0.3) == Unclear("timeout")


async def test_a_trusted_server_is_called(tmp_path: Path, certificate: Path) -> None:
    await over_tls(tmp_path, certificate)


def test_uvloop_does_the_same(tmp_path: Path, certificate: Path) -> None:
    uvloop.run(over_tls(tmp_path, certificate))


async def test_an_untrusted_server_gets_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, tls=True, answer=OK) as (port, received):
        assert await register(port, None) == NotSent("tls")
        assert received == b""


async def test_a_server_that_speaks_no_tls_gets_nothing(tmp_path: Path, certificate: Path) -> None:
    async with serving(tmp_path, tls=False, answer=b"HTTP/1.1 400 Bad Request\r\n\r\n") as (port, received):
        assert await register(port, certificate) == NotSent("tls")
        assert BODY not in received


async def test_a_handshake_that_never_ends_sends_nothing(tmp_path: Path, certificate: Path) -> None:
    async with serving(tmp_path, tls=False, answer=None) as (port, received):
        assert await register(port, certificate, connect_timeout=0.3) == NotSent("connect")
        assert BODY not in received


@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_a_ca_file_that_can_not_be_used_is_refused_at_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "wrong.pem"
    if content is not None:
        path.write_text(content)
    config = KraviaConfig(ca_file=path)
    with pytest.raises(ValueError, match=r"ca_file .*PEM file"):
        KraviaClient(config, FixedToken(SecretStr("token")), clock=Clock())
