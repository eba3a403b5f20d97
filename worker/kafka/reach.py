"""Why a broker can't be reached, in words: aiokafka tells no more than "Unable to bootstrap".

Connects to each broker as every client does (name, TCP, TLS, SASL, one Metadata request), and sends nothing else.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from worker.kafka.security import Connection
from worker.kafka.topic_state import Unavailable
from worker.kafka.trouble import Trouble, about_our_certificate, certificate_trouble

_TIMEOUT: Final = 10.0
"""Seconds for each step of one connection."""
_CLOSE: Final = 1.0
"""Seconds that the end of a connection is waited for."""
_FAILURES: Final = (KafkaError, OSError, EOFError, ValueError, AssertionError)
"""What aiokafka's connection raises; ValueError and AssertionError from its SASL mechanisms."""


Brokers = Mapping[int, tuple[str, int]]
"""Host and port by node id, as the brokers advertise themselves to this listener's clients."""


@dataclass(frozen=True, slots=True)
class Survey:
    """`bootstrap`: entries of KAFKA_BOOTSTRAP_SERVERS that do not answer. `astray`: brokers that do not at the address
    that they advertise. `brokers`: all that are known; none when no entry answers.
    """

    bootstrap: Mapping[str, Trouble]
    astray: Mapping[int, Trouble]
    brokers: Brokers

    @property
    def fatal(self) -> Trouble | None:
        """Why no work can be done, if so."""
        troubles = self.astray if self.brokers else self.bootstrap
        return next(iter(troubles.values()), None)


async def survey(connection: Connection) -> Survey:
    """Ask every bootstrap server, and every broker that one of them names."""
    servers = [one.strip() for one in connection.bootstrap_servers.split(",")]
    answers = await asyncio.gather(*(reach(connection, *split(server)) for server in servers))
    told = dict(zip(servers, answers, strict=True))
    brokers: dict[int, tuple[str, int]] = {}
    for answer in answers:
        if not isinstance(answer, Trouble):
            brokers |= answer
    return Survey(
        {server: _given(answer) for server, answer in told.items() if isinstance(answer, Trouble)},
        await _astray(connection, brokers),
        brokers,
    )


async def unavailable(connection: Connection, error: Exception) -> Unavailable:
    """Why an attempt that ended with `error` failed: what a survey finds, or else the error itself."""
    trouble = (await survey(connection)).fatal
    if trouble is not None:
        return Unavailable(trouble.detail, trouble.remedy)
    # A KafkaError's text begins with its class.
    return Unavailable(f"{connection.bootstrap_servers}: {str(error) or type(error).__name__}")


def _given(trouble: Trouble) -> Trouble:
    """Trouble with an address that a setting gives: name the setting, unless another one is to blame."""
    if "KAFKA_" in trouble.remedy or not trouble.remedy.startswith("check "):
        return trouble
    return replace(trouble, remedy=f"check KAFKA_BOOTSTRAP_SERVERS: {trouble.remedy.removeprefix('check ')}")


async def _astray(connection: Connection, brokers: Brokers) -> dict[int, Trouble]:
    answers = await asyncio.gather(*(reach(connection, *address) for address in brokers.values()))
    return {
        node: Trouble(
            f"broker {node} advertises itself as {answer.detail}",
            f"every client goes to that address: correct the broker's advertised.listeners, or {answer.remedy}",
        )
        for node, answer in zip(brokers, answers, strict=True)
        if isinstance(answer, Trouble)
    }


async def reach(connection: Connection, host: str, port: int) -> Brokers | Trouble:
    """The cluster's brokers as this one knows them, or why it can't be asked."""
    begun = False
    try:
        async with _open(connection, host, port) as opened:
            begun = True
            answer = await opened.send(MetadataRequest([]))
    except _FAILURES as error:
        return await (_cut_off if begun else _trouble)(connection, host, port, error)
    return {node: (name, number) for node, name, number, *_ in answer.brokers}


def split(server: str) -> tuple[str, int]:
    """Host and port of an entry of KAFKA_BOOTSTRAP_SERVERS."""
    host, _, port = server.strip().rpartition(":")
    return host.strip("[]"), int(port)


@asynccontextmanager
async def _open(connection: Connection, host: str, port: int, **changes: Any) -> AsyncIterator[AIOKafkaConnection]:
    """A connection that is ready for requests; closed to the last socket afterwards, also when it never was."""
    options = {**connection.security, **changes}
    timeout = int(min(connection.request_timeout, _TIMEOUT) * 1000)
    opened = AIOKafkaConnection(host, port, client_id=connection.client_id, request_timeout_ms=timeout, **options)
    try:
        await opened.connect()
        yield opened
    finally:
        closed = opened.close()
        if opened._protocol is not None:  # noqa: SLF001 - without one there was no socket, and `closed` never ends
            await asyncio.wait([closed], timeout=_CLOSE)


async def _trouble(connection: Connection, host: str, port: int, error: BaseException) -> Trouble:
    """From the failure of opening: name, TCP, TLS, the first answer, SASL."""
    where = f"{host}:{port}"
    match error:
        case socket.gaierror():
            return Trouble(f"{where}: this name has no address ({error.strerror})", _SPELLING)
        case ConnectionRefusedError():
            return Trouble(
                f"{where}: nothing listens there (connection refused)", "check the port, and that the broker runs"
            )
        case ssl.SSLCertVerificationError():
            return certificate_trouble(where, error)
        case SaslAuthenticationFailed():
            return Trouble(
                f"{where}: user or password is wrong (SASL: authentication failed)",
                "check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and that the user exists for KAFKA_SASL_MECHANISM="
                f"{connection.security.get('sasl_mechanism')}",
            )
        case UnsupportedSaslMechanismError():
            return Trouble(
                f"{where}: it does not take KAFKA_SASL_MECHANISM={connection.security.get('sasl_mechanism')}",
                "set it to one of the brokers' sasl.enabled.mechanisms: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN",
            )
        case IllegalSaslStateError():
            return Trouble(
                f"{where}: this listener takes no SASL",
                f"set KAFKA_SECURITY_PROTOCOL={'SSL' if _tls(connection) else 'PLAINTEXT'} and no KAFKA_SASL_…, or the "
                "port of a listener with SASL",
            )
        case TimeoutError():
            return Trouble(
                f"{where}: no answer within {_TIMEOUT:g} s",
                "check the firewall and the network; and that the port is a Kafka broker's",
            )
        case OSError(errno=errno.EHOSTUNREACH | errno.ENETUNREACH):
            return Trouble(f"{where}: no way there ({error.strerror})", "check the network and its routes")
        case _:
            return await _cut_off(connection, host, port, error)


_SPELLING: Final = "check its spelling and this machine's name servers"


async def _cut_off(connection: Connection, host: str, port: int, error: BaseException) -> Trouble:
    """The broker hung up, or TLS failed: does it speak another protocol than we do?"""
    where, protocol = f"{host}:{port}", connection.security.get("security_protocol", "PLAINTEXT")
    if alert := about_our_certificate(error):
        return Trouble(
            f"{where}: it wants a client certificate that it trusts ({alert})",
            "set KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE, signed by an authority that the broker trusts; or take "
            "the port of a listener with SASL",
        )
    if _tls(connection):
        if await _speaks_plainly(connection, host, port):
            return Trouble(
                f"{where}: it speaks without TLS, KAFKA_SECURITY_PROTOCOL is {protocol}",
                "take the port of a listener with TLS; KAFKA_SECURITY_PROTOCOL=PLAINTEXT or SASL_PLAINTEXT only where "
                "nobody can listen in",
            )
    elif await _speaks_tls(host, port):
        return Trouble(
            f"{where}: it speaks TLS, KAFKA_SECURITY_PROTOCOL is {protocol}",
            "set KAFKA_SECURITY_PROTOCOL=SASL_SSL, or SSL where there is no SASL",
        )
    if "SASL" not in protocol and await _speaks_plainly(connection, host, port, **connection.security):
        return Trouble(
            f"{where}: it hangs up on clients without SASL",
            f"set KAFKA_SECURITY_PROTOCOL={'SASL_SSL' if _tls(connection) else 'SASL_PLAINTEXT'} and the KAFKA_SASL_… "
            "settings",
        )
    return Trouble(f"{where}: it does not speak as a Kafka broker does ({_told(error)})", "check the port")


def _tls(connection: Connection) -> bool:
    return "SSL" in connection.security.get("security_protocol", "PLAINTEXT")


async def _speaks_plainly(connection: Connection, host: str, port: int, **changes: Any) -> bool:
    """Whether a broker answers ApiVersions there; without TLS and SASL unless `changes` say otherwise."""
    try:
        async with _open(connection, host, port, **(changes or {"security_protocol": "PLAINTEXT"})):
            return True
    except _FAILURES:
        return False


async def _speaks_tls(host: str, port: int) -> bool:
    """Whether there is a TLS server, whatever its certificate."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        return True
    except OSError:
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


def _told(error: BaseException) -> str:
    return getattr(error, "reason", None) or str(error) or type(error).__name__
