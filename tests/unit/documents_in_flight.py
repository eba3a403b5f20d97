"""A process that fetches many documents at once and attaches them at once, and prints its peak memory in MiB.

`python -m tests.unit.documents_in_flight <store's port> <Kravia's port> <CA file> <directory> <count> <size> <sha256>`
"""

import asyncio
import contextlib
import ipaddress
import sys
from pathlib import Path

import uvloop
from pydantic import SecretStr

from tests.unit.fakes_http import Valid
from worker.answers import Done
from worker.clock import SystemClock
from worker.document_hosts import AllowedHost
from worker.documents import DocumentsConfig, HttpsDocuments
from worker.kravia import FixedToken, KraviaClient, KraviaConfig
from worker.model import Reference
from worker.ports import Missing, Observer, Unreachable

PATIENCE = 600.0
"""Seconds: how long a busy machine takes for all of them says nothing about memory."""


def _memory(field: str) -> float:
    """VmRSS (now) or VmHWM (the peak) in MiB; unlike getrusage's, not that of whoever forked us."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[field].split()[0]) / 1024


async def main(store: str, kravia: str, ca_file: str, directory: str, count: str, size: str, sha256: str) -> None:
    """Print the MiB by which the peak is above what this process had before."""
    number, each = int(count), int(size)
    config = DocumentsConfig(
        (AllowedHost("localhost", int(store)),),
        (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")),
        Path(ca_file),
        connections=number,
        spool_dir=Path(directory),
        spool_bytes=number * each,
        connect_timeout=PATIENCE,
        timeout=PATIENCE,
    )
    reference = Reference("a.pdf", "application/pdf", f"https://localhost:{store}/a", sha256, each)
    api_config = KraviaConfig(
        base_url=f"http://127.0.0.1:{kravia}",
        max_connections=number,
        connect_timeout=PATIENCE,
        read_timeout=PATIENCE,
        attach_timeout=PATIENCE,
    )
    async with (
        HttpsDocuments(config, SystemClock(), Observer()) as documents,
        KraviaClient(api_config, FixedToken(SecretStr("token")), clock=SystemClock()) as api,
    ):
        before = _memory("VmRSS")

        async def one() -> None:
            with contextlib.closing(await documents.room(each)):
                fetched = await documents.fetch(reference)
                assert not isinstance(fetched, Missing | Unreachable), fetched
                await everyone.wait()  # all are on disk before the first is sent
                with contextlib.closing(fetched):
                    answer = await api.attach("1", "a.pdf", "application/pdf", fetched, Valid())
                    assert answer == Done(), answer

        everyone = asyncio.Barrier(number)
        async with asyncio.TaskGroup() as group:
            for _ in range(number):
                group.create_task(one())
        print(_memory("VmHWM") - before)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
