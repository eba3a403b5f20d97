"""However many documents are on their way, they are on disk and not in memory."""

import asyncio
import hashlib
import subprocess
import sys
from pathlib import Path

import uvloop

from tests.unit.fakes_tls import ca_file, storing

COUNT, SIZE = 100, 12 * 1024 * 1024
BLOCK = b"a page of it \n" * 4681 + b"  "
HEAD = b"%PDF-1.7\n"
BOUND = 200
"""MiB for 1200 MiB of documents in flight: a hundred times a connection with TLS and a piece. Seen: 130 to 140."""


def digest():
    sha256 = hashlib.sha256(HEAD)
    for block in blocks():
        sha256.update(block)
    return sha256.hexdigest()


def blocks():
    left = SIZE - len(HEAD)
    while left:
        yield BLOCK[:left]
        left -= len(BLOCK[:left])


async def gives(head, writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (SIZE, HEAD))
    for block in blocks():
        writer.write(block)
        await writer.drain()


class Sink(asyncio.Protocol):
    """A Kravia that reads and forgets."""

    def connection_made(self, transport):
        self.transport, self.head, self.left = transport, b"", None

    def data_received(self, data):
        if self.left is None:
            self.head += data
            lines, gap, data = self.head.partition(b"\r\n\r\n")
            if not gap:
                return
            self.left = int(lines.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        self.left -= len(data)
        if self.left == 0:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            self.head, self.left = b"", None


def test_a_hundred_documents_of_12_mib_are_bounded_in_memory(tmp_path: Path) -> None:
    async def scenario() -> float:
        kravia = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
        async with storing(tmp_path) as store:
            store.answers["/a"] = gives
            ports = (store.port, kravia.sockets[0].getsockname()[1])
            spool = tmp_path / "spool"
            spool.mkdir()
            texts = map(str, (*ports, ca_file(tmp_path), spool, COUNT, SIZE, digest()))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.unit.documents_in_flight", *texts, stdout=subprocess.PIPE
            )
            printed, _ = await process.communicate()
            assert process.returncode == 0
            assert list(spool.iterdir()) == []
        kravia.close()
        return float(printed)

    grown = uvloop.run(scenario())
    assert grown < BOUND, f"{grown:.0f} MiB"
