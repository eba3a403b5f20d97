"""This machine: open files, the server's port, where fetched documents lie, and the hosts that they come from."""

import asyncio
import errno
import resource
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from worker.doctor.findings import Finding, fail, ok, warn
from worker.document_hosts import AllowedHost
from worker.documents.addresses import may_connect
from worker.settings import Settings

_AREA: Final = "machine"
_DOCUMENTS: Final = "documents"
_MIB: Final = 1024 * 1024
_SPARE_FILES: Final = 200
"""Connections to brokers, logs, the server's own, libraries."""

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of a host, for a port. Raises OSError."""


async def resolve(host: str, port: int) -> list[str]:
    """By the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for _, _, _, _, address in found})


def machine_findings(settings: Settings) -> Iterator[Finding]:
    """Open files and the port."""
    wanted = 2 * settings.worker_max_in_flight + settings.document_connections + _SPARE_FILES
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield open_files(soft, wanted)
    yield port_finding(settings.worker_http_host, settings.worker_http_port)


def open_files(limit: int, wanted: int) -> Finding:
    """`limit`: the process's, as `resource` has it."""
    if limit == resource.RLIM_INFINITY or limit >= wanted:
        return ok(_AREA, "open files", f"limit {'none' if limit == resource.RLIM_INFINITY else limit}, {wanted} needed")
    return warn(
        _AREA,
        "open files",
        f"limit {limit}; {wanted} may be needed (two connections for each of WORKER_MAX_IN_FLIGHT)",
        f"ulimit -n {wanted}, or lower WORKER_MAX_IN_FLIGHT",
    )


def port_finding(host: str, port: int) -> Finding:
    """Whether the server of metrics and probes could listen."""
    what = f"WORKER_HTTP_PORT={port}"
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trying:
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trying.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return warn(_AREA, what, "in use", "fine when a worker runs here already; else choose another port")
            return fail(
                _AREA, what, f"can't be bound on {host} ({error.strerror})", "check WORKER_HTTP_HOST and the port"
            )
    return ok(_AREA, what, f"free on {host}")


async def document_findings(settings: Settings, ask: Resolve = resolve) -> AsyncIterator[Finding]:
    """Where documents by reference come from, and where they lie meanwhile."""
    if not settings.allowed_hosts:
        yield ok(
            _DOCUMENTS,
            "DOCUMENT_ALLOW_HOSTS",
            "empty: events that refer to documents are rejected; inline ones are not",
        )
        return
    yield await asyncio.to_thread(
        spool_finding, settings.document_spool_dir or Path(tempfile.gettempdir()), settings.document_spool_bytes
    )
    for host in settings.allowed_hosts:
        yield await _host(host, settings, ask)


def spool_finding(directory: Path, wanted: int) -> Finding:
    """Whether documents can be written there, and `wanted` bytes of them."""
    what = f"spool {directory}"
    try:
        with tempfile.TemporaryFile(dir=directory) as trying:
            trying.write(b"\0" * 4096)
            trying.flush()
        free = shutil.disk_usage(directory).free
    except OSError as error:
        return fail(
            _DOCUMENTS,
            what,
            f"can't be written to ({error.strerror or type(error).__name__})",
            "set DOCUMENT_SPOOL_DIR to a directory that this user can write to",
        )
    told = f"{free // _MIB} MiB free, DOCUMENT_SPOOL_BYTES is {wanted // _MIB} MiB"
    if free < wanted:
        return warn(_DOCUMENTS, what, told, "give it room, or lower DOCUMENT_SPOOL_BYTES")
    return ok(_DOCUMENTS, what, f"writable; {told}")


async def _host(host: AllowedHost, settings: Settings, ask: Resolve) -> Finding:
    what = f"host {'*.' if host.below else ''}{host.host}:{host.port}"
    if host.below:
        return ok(_DOCUMENTS, what, "every host below this domain; none can be looked up ahead")
    try:
        addresses = await ask(host.host, host.port)
    except OSError as error:
        why = error.strerror or type(error).__name__
        return warn(_DOCUMENTS, what, f"has no address ({why})", "check its spelling and the name servers")
    refused = [address for address in addresses if not may_connect(address, settings.allowed_networks)]
    if len(refused) == len(addresses):
        return fail(
            _DOCUMENTS,
            what,
            f"its addresses are not public ({', '.join(refused)}): every document of it would be refused",
            "name its network in DOCUMENT_ALLOW_NETWORKS, if it is yours",
        )
    return ok(_DOCUMENTS, what, f"{len(addresses)} addresses, {len(addresses) - len(refused)} of them allowed")
