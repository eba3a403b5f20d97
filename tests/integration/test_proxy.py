"""Real workers behind a forward proxy that goes away, asks for another password, and dies in the middle of a call."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_asyncio

from tests.brokers.waiting import until
from tests.integration.doubts import PATIENCE, WAITS, settled_among_others
from tests.integration.events import event
from tests.integration.harness import Scene
from tests.integration.results import Outcome
from tests.integration.test_why import worker_command
from tests.integration.worker_process import WorkerProcess
from tests.unit.fakes_proxy import UNREACHABLE, Proxy, proxying
from tests.unit.fakes_tls import ca_file, server_context
from worker.demo.simulator import Simulator

LOGIN = "user:s3cret-way-out"


class WayOut:
    """The simulated Kravia by https, and a proxy that alone knows where it is."""

    def __init__(self, kravia: Simulator, directory: Path) -> None:
        self.proxy: Proxy
        self.connections = 0
        self.dies_at = b""
        """The proxy dies once: when Kravia has carried out the call that holds this, and its answer comes."""
        self.directory = directory
        self._kravia = kravia

    def settings(self) -> dict[str, str]:
        return {
            "KRAVIA_BASE_URL": f"https://{UNREACHABLE}",
            "KRAVIA_CA_FILE": str(ca_file(self.directory)),
            "KRAVIA_PROXY": self.proxy.url(LOGIN),
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        host, _, port = self._kravia.url.removeprefix("http://").partition(":")
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        asked: list[bytes] = []

        async def there() -> None:
            while data := await reader.read(65536):
                asked.append(data)
                inner_writer.write(data)

        async def back() -> None:
            while data := await inner_reader.read(65536):
                if self.dies_at and self.dies_at in b"".join(asked):
                    self.dies_at = b""
                    self.proxy.drop()
                    return
                writer.write(data)
                asked.clear()

        async def pump(way: Coroutine[None, None, None]) -> None:
            try:
                await way
            except OSError:  # ssl.SSLError is one: how `drop` looks from here
                pass
            finally:
                writer.close()
                inner_writer.close()

        await asyncio.gather(pump(there()), pump(back()))


@pytest_asyncio.fixture
async def way_out(scene: Scene, tmp_path: Path) -> AsyncIterator[WayOut]:
    """What lies between the scene's workers and its Kravia."""
    made = WayOut(scene.kravia, tmp_path)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=server_context(tmp_path))
    try:
        async with proxying({UNREACHABLE: server.sockets[0].getsockname()[1]}) as proxy:
            proxy.login = LOGIN
            made.proxy = proxy
            yield made
    finally:
        server.close()


def answers(outcome: Outcome) -> list[str]:
    """What became of each register call, as the outcome tells it."""
    return [call["answer"] for call in outcome.data["calls"]]


async def gate_closed(worker: WorkerProcess, why: str) -> None:
    """Wait until it calls nobody, for this reason."""

    async def look() -> str:
        return (await worker.ask("readyz"))[1]

    await until(look, lambda told: why in told, PATIENCE)


async def test_a_proxy_that_goes_away_or_turns_us_away_costs_nothing(scene: Scene, way_out: WayOut) -> None:
    worker = scene.worker(**way_out.settings())
    await worker.run()
    sent = await scene.send(*(event(f"well-{number}", documents=1) for number in range(3)))
    await scene.settled(sent, PATIENCE)

    way_out.proxy.down()
    away = await scene.send(*(event(f"away-{number}", documents=1) for number in range(12)))
    await gate_closed(worker, "not_sent_proxy_connect")
    await way_out.proxy.up()
    await scene.settled(away, PATIENCE)

    way_out.proxy.login = "user:another"
    way_out.proxy.drop()
    refused = await scene.send(*(event(f"refused-{number}", documents=1) for number in range(12)))
    await gate_closed(worker, "not_sent_proxy_407")
    told = [await worker.ask(page) for page in ("readyz", "status", "metrics")]
    assert not any("stop_401" in text or "unauthorized" in text for _, text in told[:2])
    way_out.proxy.login = LOGIN
    await scene.settled(refused, PATIENCE)

    assert await worker.metric("doubts_resolved_total") == await worker.metric("possible_double_registers") == 0
    outcomes = await scene.close_books([*sent, *away, *refused])
    assert set(scene.tally(outcomes.values())) == {"scheduled"}
    calls = {answer for outcome in outcomes.values() for answer in answers(outcome)}
    assert all(answer == "registered" or answer.startswith("not_carried_out:not_sent_") for answer in calls)
    assert {"registered", "not_carried_out:not_sent_proxy_407"} <= calls
    assert way_out.connections <= way_out.proxy.tunnels, "nothing went around it"
    shown = "\n".join([*worker.log_lines(), *(text for _, text in told)])
    assert "s3cret" not in shown
    assert "dXNlcj" not in shown, "nor in base64"


async def test_a_proxy_that_dies_after_the_body_left_leaves_a_doubt(scene: Scene, way_out: WayOut) -> None:
    # So that on a slow machine nothing but this call is in doubt.
    patient = {"KRAVIA_REGISTER_TIMEOUT": "15", "WORKER_INTENT_VALIDITY": "10"}
    worker = scene.worker(static=True, **(WAITS | patient), **way_out.settings())
    await worker.run()
    warm = await scene.send(event("warm"))
    await scene.settled(warm, PATIENCE)
    lost = event("lost", documents=1)
    way_out.dies_at = b"acc-lost"
    sent = await scene.send(lost)
    others = await settled_among_others(scene, sent)
    assert not way_out.dies_at
    assert await worker.metric("doubts_resolved_total", resolution="adopted") >= 1
    outcomes = await scene.close_books([*warm, *sent, *others])
    assert answers(outcomes[sent[0]])[-1] == "registered:adopted"
    assert scene.registers(lost.identity) == 1


async def test_doctor_and_statement_go_the_same_way(scene: Scene, way_out: WayOut) -> None:
    worker = scene.worker(**way_out.settings())
    await worker.run()
    sent = await scene.send(event("one"))
    await scene.settled(sent)
    await scene.stop()
    before = way_out.proxy.tunnels
    _, told, _ = await worker_command(scene, "doctor", **way_out.settings())
    assert f"KRAVIA_PROXY at localhost:{way_out.proxy.port}: reached" in told
    assert f"search at https://{UNREACHABLE}: answered; the token is good" in told
    assert way_out.connections <= way_out.proxy.tunnels == before + 1

    now = datetime.now(UTC)
    period = ("--from", (now - timedelta(days=1)).isoformat(), "--to", (now + timedelta(days=1)).isoformat())
    status, told, err = await worker_command(scene, "statement", *period, **way_out.settings())
    assert (status, told.splitlines()[-1:]) == (0, ["unexplained: 0"]), err
    assert way_out.connections <= way_out.proxy.tunnels > before + 1
    await scene.close_books(sent)
