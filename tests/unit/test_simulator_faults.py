"""The simulated Kravia's faults and its control: it does what it is told, and says what it was not told well."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from tests.unit.fakes_ahead import LONG, go_ahead
from tests.unit.fakes_simulator import IDENTITY, Now, control, register
from worker.demo.simulator import Simulator
from worker.demo.simulator_faults import Fault, Script
from worker.demo.simulator_settings import SimulatorSettings


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that the server does by itself."""
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - the ledger is plain data without events
            await asyncio.sleep(0.01)


@pytest.fixture
async def kravia() -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(record=True), now=Now()) as simulator:
        yield simulator


@pytest.fixture
async def http(kravia: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(kravia.url) as session:
        yield session


async def test_late_processing_is_carried_out_after_the_client_gave_up(
    kravia: Simulator, http: aiohttp.ClientSession
) -> None:
    kravia.faults(Fault(kind="late", delay=LONG / 2, status=504, times=1))
    assert (await register(http))[0] == 504
    assert kravia.ledger.by_identity == {}
    assert kravia.late == 1
    go_ahead()
    await until(lambda: not kravia.late)
    assert len(kravia.ledger.by_identity[IDENTITY]) == 1


async def test_a_slow_answer_is_carried_out_first(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    kravia.faults(Fault(kind="slow", delay=600))
    call = asyncio.create_task(register(http))
    await until(lambda: bool(kravia.ledger.by_id))
    assert not call.done()
    call.cancel()


async def test_down_refuses_everything_and_changes_nothing(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    await control(http, "down", {"mode": "503"})
    assert (await register(http))[0] == 503
    await control(http, "down", {"mode": "reset"})
    with pytest.raises(aiohttp.ClientError):
        await register(http)
    assert kravia.ledger.by_id == {}
    await control(http, "up", {})
    assert (await register(http))[0] == 200


async def test_control_tells_state_ledger_and_counts(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    await control(http, "faults", [{"kind": "status", "step": "register", "status": 500, "times": 1}])
    await register(http)
    await register(http)
    state = await control(http, "state")
    assert isinstance(state["faults"], list)
    assert state["faults"][0]["status"] == 500
    stats = await control(http, "stats")
    assert stats["calls"] == {"register": {"200": 1, "500": 1}}
    ledger = await control(http, "ledger?identity=10759/Invoice/20001")
    assert isinstance(ledger[IDENTITY], list)
    await control(http, "reset", {})
    assert (await control(http, "stats"))["invoices"] == 0
    assert kravia.script.faults == ()


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("faults", [{"kind": "explode"}], 400),
        ("faults", [{"kind": "status", "sttus": 500}], 400),
        ("settings", {"latncy": 1}, 400),
        ("settings", {"latency": -1}, 400),
        ("token", {}, 400),
        ("down", {"mode": "perhaps"}, 400),
        ("unknown", {}, 404),
        ("unknown", None, 404),
        ("body", None, 404),
    ],
)
async def test_wrong_control_requests_say_what_is_wrong(
    http: aiohttp.ClientSession, name: str, value: object, status: int
) -> None:
    answer = await control(http, name, value)
    assert answer["status"] == status
    assert answer["error"]


def test_a_fault_meets_whom_it_names_and_ends() -> None:
    script = Script()
    script.replace(
        [
            Fault(kind="reset", step="start"),
            Fault(kind="lost", identity="a", times=2),
            Fault(kind="status", status=500, times=1, per_identity=True),
        ]
    )
    kinds = [
        None if (fault := script.choose("register", identity)) is None else fault.kind
        for identity in ("a", "a", "a", "a", "b", "b")
    ]
    assert kinds == ["lost", "lost", "status", None, "status", None]
    starts = [script.choose("start", "a") for _ in range(3)]
    assert all(fault is not None and fault.kind == "reset" for fault in starts)


def test_faults_by_probability_repeat_with_their_seed() -> None:
    def drawn(seed: int) -> list[bool]:
        script = Script(seed)
        script.replace([Fault(kind="lost", probability=0.5)])
        return [script.choose("register", None) is not None for _ in range(64)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 10 < sum(drawn(1)) < 54


async def test_it_runs_as_a_process_that_says_where_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "worker.demo.simulator", "--port", "0", "--token", "t"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    url = json.loads(await process.stdout.readline())["url"]
    async with aiohttp.ClientSession(url) as http, http.get("/_sim/state") as answer:
        assert (await answer.json())["settings"]["token"] == "t"
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
