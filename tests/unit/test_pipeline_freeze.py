"""A worker that freezes between an intent and its call: when it wakes up the intent is too old, and nothing leaves.

The real client against the simulated Kravia, over TCP and TLS. A freeze is a jump of both clocks, at the moment named.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.unit.fakes_core import JOURNAL, make_event
from tests.unit.fakes_pipeline import Bench
from tests.unit.fakes_time import VirtualClock
from tests.unit.test_kravia_tls import CERTIFICATE, KEY
from worker.demo.simulator import Simulator
from worker.facts import decode
from worker.kravia import FixedToken, KraviaClient, KraviaConfig
from worker.kravia.leaving import Departure
from worker.model import Scheduled
from worker.retry import RetryPolicy

FROZEN = 3600.0
"""Seconds: longer than every wait."""


class Frozen:
    """A bench with the real client. `freeze` lets an hour pass, once."""

    def __init__(self, client: KraviaClient) -> None:
        self.bench = Bench(policy=RetryPolicy(base=0.001, cap=0.001))
        self.bench.world.tools = replace(self.bench.world.tools, api=client)
        self.times = 0

    def freeze(self) -> None:
        if not self.times:
            self.bench.world.clock.wall_shift += FROZEN
            self.bench.world.clock.boot_shift += FROZEN
            self.times += 1

    def facts(self):
        log = self.bench.world.log
        rows = ((offset, row.record) for offset, row in enumerate(log.rows[JOURNAL]) if row.record is not None)
        facts = [(offset, decode(record[1])) for offset, record in rows]
        return [(offset, fact) for offset, fact in facts if fact.kind.value not in ("claim", "renew", "started")]


@contextlib.asynccontextmanager
async def frozen(url: str, kravia: Simulator, ca_file: Path | None = None) -> AsyncIterator[Frozen]:
    config = KraviaConfig(base_url=url, ca_file=ca_file)
    token = FixedToken(SecretStr(kravia.settings.token))
    clock = VirtualClock()
    async with KraviaClient(config, token, clock=clock) as client:
        made = Frozen(client)
        await made.bench.ready()
        yield made


async def billed_once(scene: Frozen, kravia: Simulator) -> None:
    """One intent was closed as not sent, the next one carried out; the server saw one register in all."""
    assert isinstance(await scene.bench.handle(make_event()), Scheduled)
    assert scene.times == 1
    (first, intent), (_, closed), (second, again), (_, registered) = scene.facts()
    assert (intent.kind, again.kind) == ("intent", "intent")
    assert (closed.kind, closed.answer_class, closed.intent) == ("not_carried_out", "not_sent_expired", first)
    assert (registered.kind, registered.intent) == ("registered", second)
    assert kravia.calls["register", "200"] == 1
    assert sum(count for (step, _), count in kravia.calls.items() if step == "register") == 1
    assert kravia.ledger.registered_twice == []


async def test_before_the_acknowledgement_is_read() -> None:
    async with Simulator() as kravia, frozen(kravia.url, kravia) as scene:
        producer = scene.bench.world.producers[0]
        real = producer.send

        async def send(records):
            acknowledged = await real(records)
            scene.freeze()  # the broker has it, and we do not know yet
            return acknowledged

        producer.send = send
        await billed_once(scene, kravia)


async def test_in_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator() as kravia, frozen(kravia.url, kravia) as scene:
        loop = asyncio.get_running_loop()
        real = loop.sock_connect

        async def sock_connect(sock, address):
            scene.freeze()
            return await real(sock, address)

        monkeypatch.setattr(loop, "sock_connect", sock_connect)
        await billed_once(scene, kravia)


async def test_before_the_body_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Simulator() as kravia, frozen(kravia.url, kravia) as scene:
        real = Departure.leave

        async def leave(departure, writer):
            scene.freeze()  # the connection is ready, the headers are made
            await real(departure, writer)

        monkeypatch.setattr(Departure, "leave", leave)
        await billed_once(scene, kravia)


async def test_in_the_tls_handshake(tmp_path: Path) -> None:
    pair, ca_file = tmp_path / "pair.pem", tmp_path / "ca.pem"
    pair.write_text(KEY + CERTIFICATE)
    ca_file.write_text(CERTIFICATE)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair)
    async with Simulator() as kravia:
        server = await asyncio.start_server(to(kravia), "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        try:
            async with frozen(f"https://127.0.0.1:{port}", kravia, ca_file) as scene:
                # Called between the client's hello and the server's: the client can't have sent anything else.
                context.sni_callback = lambda *_: scene.freeze()
                await billed_once(scene, kravia)
        finally:
            server.close()


def to(kravia: Simulator):
    """A server's handler that hands everything on to the simulated Kravia."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = kravia.url.removeprefix("http://").partition(":")
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))

    return handle


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass  # how a client that lets go looks from here
    finally:
        writer.close()
