"""A certificate for servers of the tests, and a store of documents that serves by https."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

# A self-signed certificate for 127.0.0.1 and localhost, 2020 to 2120, made for this test; nothing trusts it elsewhere.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBpjCCAUygAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBzaW11bGF0
ZWQga3JhdmlhMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBBzaW11bGF0ZWQga3JhdmlhMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEdJvdjyhkk+D9XKSV6eM6KYlWD1xrxIhA9Z4yBcW70V5hso/hHn/ESCsmnJ6k
D7Nm7Xe7t9H89YC+8gIOEB3MaqN/MH0wGgYDVR0RBBMwEYcEfwAAAYIJbG9jYWxo
b3N0MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgKEMB0GA1UdDgQWBBRo
U0uEJp7EEGa6N0PegHf3+z6tszAfBgNVHSMEGDAWgBRoU0uEJp7EEGa6N0PegHf3
+z6tszAKBggqhkjOPQQDAgNIADBFAiEAvEsyL0ubd4sTus6byNoFMxkia2Vd+Ows
EPteCPYHDkQCIC/zi+n3Sr2DtMbn8D1miZItmUyBuK37Egzfmeqcr9tp
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLks6dRMXqiUUTwVw
tcUWL5NpnoF/NI3PRmciXYP1CP6hRANCAAR0m92PKGST4P1cpJXp4zopiVYPXGvE
iED1njIFxbvRXmGyj+Eef8RIKyacnqQPs2btd7u30fz1gL7yAg4QHcxq
-----END PRIVATE KEY-----
"""  # kingfisher:ignore - made for these tests alone

Answer = tuple[int, Mapping[str, str], bytes]
Handler = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def ca_file(directory: Path) -> Path:
    """The certificate as a file of authorities."""
    path = directory / "ca.pem"
    path.write_text(CERTIFICATE)
    return path


def server_context(directory: Path) -> ssl.SSLContext:
    """What a server with this certificate needs."""
    pair = directory / "pair.pem"
    pair.write_text(KEY + CERTIFICATE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair)
    return context


class Store:
    """Answers by path: a fixed answer, or a handler that writes what it likes. `requests`: heads as they came."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Handler] = {}
        self.requests: list[str] = []
        self.port = 0

    @property
    def paths(self) -> list[str]:
        return [head.split()[1] for head in self.requests]

    def url(self, path: str, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}{path}"

    def has(self, path: str, content: bytes, status: int = 200, **headers: str) -> None:
        """Answer so, with a right Content-Length unless one is given."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self.answers[path] = (status, {"Content-Length": str(len(content))} | named, content)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await _head(reader):
                self.requests.append(head)
                answer = self.answers.get(head.split()[1], (404, {"Content-Length": "0"}, b""))
                if not isinstance(answer, tuple):
                    await answer(head, writer)
                    return
                status, headers, content = answer
                lines = [f"HTTP/1.1 {status} X", *(f"{name}: {text}" for name, text in headers.items()), "", ""]
                writer.write("\r\n".join(lines).encode() + content)
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass  # how a client that gives up looks from here
        finally:
            writer.close()


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return ""


@contextlib.asynccontextmanager
async def storing(directory: Path) -> AsyncIterator[Store]:
    """A store on 127.0.0.1."""
    store = Store()
    server = await asyncio.start_server(store._serve, "127.0.0.1", 0, ssl=server_context(directory))
    store.port = server.sockets[0].getsockname()[1]
    try:
        yield store
    finally:
        server.close()
