"""The simulated Kravia does what it is told, and its ledger is the truth."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from worker.demo.simulator import Simulator
from worker.demo.simulator_faults import Fault, Script
from worker.demo.simulator_ledger import from_ticks, ticks
from worker.demo.simulator_settings import SimulatorSettings
from worker.demo.simulator_wire import Faulty, Registration, read_form, read_registration

TOKEN = {"Authorization": "simulated-token"}
JSON = TOKEN | {"Content-Type": "application/json"}
GUIDE = {
    "claimType": "Invoice",
    "creditorId": 10759,
    "accountingInvoiceId": None,
    "debtorName": "John Doe",
    "debtorNumber": "10001",
    "email": "john@example.com",
    "ssn": None,
    "organizationNumber": None,
    "isPrivateIndividual": "true",
    "postalAddress": {
        "addressAddressLine1": "Karl Johan Gate",
        "addressPostalCode": "1000",
        "addressCity": "Oslo",
        "addressCountryCode": "NO",
    },
    "invoiceNo": "20001",
    "invoiceDate": "2025-04-01",
    "dueDate": "2026-01-01",
    "originalAmount": 2500,
    "currencyCode": "NOK",
    "description": "…",
    "orderLines": [
        {
            "description": "Service A",
            "unitPrice": 125,
            "count": 10,
            "vatInPercent": 25,
            "unit": "g",
            "total": 1250,
            "discountInPercent": 0,
        }
    ],
}
IDENTITY = "10759/Invoice/20001"


class Now:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that the server does by itself."""
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - the ledger is plain data without events
            await asyncio.sleep(0.01)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
async def kravia(now: Now) -> AsyncIterator[Simulator]:
    async with Simulator(SimulatorSettings(record=True), now=now) as simulator:
        yield simulator


@pytest.fixture
async def http(kravia: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(kravia.url) as session:
        yield session


async def register(http: aiohttp.ClientSession, **changed: object) -> tuple[int, object]:
    body = json.dumps(GUIDE | changed).encode()
    async with http.post("/api/v2/invoice/register", data=body, headers=JSON) as answer:
        text = await answer.text()
        return answer.status, json.loads(text) if text else None


async def control(http: aiohttp.ClientSession, name: str, value: object = None) -> dict[str, object]:
    """GET without a value, else POST."""
    if value is None:
        async with http.get(f"/_sim/{name}") as answer:
            return {"status": answer.status, **await answer.json()}
    async with http.post(f"/_sim/{name}", json=value) as answer:
        return {"status": answer.status, **await answer.json()}


async def test_the_guides_example_is_registered_byte_for_byte(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    assert await register(http) == (200, {"id": 100_001})
    invoice = kravia.ledger.by_identity[IDENTITY][0]
    assert invoice.body == kravia.recorded[0].body == json.dumps(GUIDE).encode()
    async with http.get("/_sim/body?id=100001") as answer:
        assert await answer.read() == invoice.body


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"isPrivateIndividual": True}, "isPrivateIndividual"),
        ({"creditorId": "10759"}, "creditorId"),
        ({"creditorId": True}, "creditorId"),
        ({"creditorId": None}, "creditorId"),
        ({"originalAmount": "2500"}, "originalAmount"),
        ({"claimType": "Letter"}, "claimType"),
        ({"colour": "red"}, "colour"),
        ({"orderLines": [{"total": "1"}]}, "orderLines[0].total"),
        ({"postalAddress": "Oslo"}, "postalAddress"),
    ],
)
def test_wrong_types_are_refused_by_name(changed: dict[str, object], field: str) -> None:
    found = read_registration(json.dumps(GUIDE | changed).encode())
    assert isinstance(found, Faulty)
    assert list(found.errors) == [field]


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    assert isinstance(read_registration(body), Faulty)


def test_a_credit_note_is_told_apart_by_its_own_id() -> None:
    note = GUIDE | {"claimType": "CreditNote", "accountingInvoiceId": "K/1", "invoiceNo": "20 001"}
    found = read_registration(json.dumps(note).encode())
    assert isinstance(found, Registration)
    assert found.identity == "10759/CreditNote/20%20001/K%2F1"


async def test_a_second_register_bills_twice_and_is_counted(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    await register(http)
    assert kravia.ledger.registered_twice == []
    await register(http)
    assert kravia.ledger.registered_twice == [IDENTITY]
    assert (await control(http, "stats"))["registered_twice"] == 1
    kravia.settings.on_duplicate = "conflict"
    assert (await register(http))[0] == 409
    assert len(kravia.ledger.by_identity[IDENTITY]) == 2


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("number", 100_001),
        ("string", "100001"),
        ("invoiceId", {"invoiceId": 100_001}),
        ("claimId", {"claimId": 100_001}),
        ("none", {"registered": True, "reference": {"number": 100_001}}),
    ],
)
async def test_the_id_comes_in_every_form(
    kravia: Simulator, http: aiohttp.ClientSession, form: str, expected: object
) -> None:
    await control(http, "settings", {"id_form": form})
    assert await register(http) == (200, expected)


async def test_multipart_must_be_real(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    await register(http)
    url = "/api/v2/invoice/100001/document?type=InvoiceAttachment"
    for body, kind, status in [
        (b"aGVsbG8=", "application/octet-stream", 500),
        (b"aGVsbG8=", "multipart/form-data", 500),
        (b"aGVsbG8=", "multipart/form-data; boundary=x", 500),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n!\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            422,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\nYQ==\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            422,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nYQ==\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
            200,
        ),
    ]:
        async with http.post(url, data=body, headers=TOKEN | {"Content-Type": kind}) as answer:
            assert answer.status == status
    form = aiohttp.FormData()
    form.add_field("file", b"raw", filename="a.pdf", content_type="application/pdf")
    async with http.post(url, data=form, headers=TOKEN) as answer:
        assert answer.status == 200
    documents = kravia.ledger.by_id["100001"].documents
    assert [(sent.size, sent.file_name, sent.media_type) for sent in documents] == [
        (1, None, None),
        (3, "a.pdf", "application/pdf"),
    ]


def test_a_form_with_two_fields_is_not_accepted() -> None:
    field = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nYQ==\r\n'
    assert read_form("multipart/form-data; boundary=x", field + field + b"--x--\r\n") is None


async def test_unknown_invoices_and_paths_are_404(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    for method, path in [
        ("GET", "/api/v2/invoice/1/details"),
        ("POST", "/api/v2/invoice/1/document?type=InvoiceAttachment"),
        ("POST", "/api/v2/invoice/1/action?action=Start"),
        ("GET", "/api/v2/invoice/register"),
        ("GET", "/elsewhere"),
    ]:
        async with http.request(method, path, headers=TOKEN) as answer:
            assert answer.status == 404


async def test_the_token_is_checked_and_rotates(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    await control(http, "token", {"token": "next"})
    assert (await register(http))[0] == 401
    assert kravia.ledger.by_id == {}
    kravia.settings.token = "simulated-token"
    assert (await register(http))[0] == 200


async def test_a_search_shows_invoices_late_and_out_of_order(
    kravia: Simulator, http: aiohttp.ClientSession, now: Now
) -> None:
    await control(http, "settings", {"search_delay": 100, "search_jitter": 50})
    for number in range(20):
        await register(http, invoiceNo=str(number))
        now.seconds += 1

    async def shown() -> list[object]:
        query = f"byAscending=True&lastUpdatedTime={ticks(0)}&orderBy=11&skip=0&top=100"
        async with http.get(f"/api/v2/invoice/search?{query}", headers=TOKEN) as answer:
            assert answer.status == 200
            return [row["invoiceNo"] for row in await answer.json()]

    assert await shown() == []
    seen: list[object] = []
    for _ in range(200):
        now.seconds += 1
        seen += [number for number in await shown() if number not in seen]
    assert len(seen) == 20
    assert seen != sorted(seen, key=lambda number: int(str(number)))


async def test_a_search_row_shows_only_what_is_set(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    await register(http)
    await control(http, "settings", {"row_fields": []})
    query = f"byAscending=True&lastUpdatedTime={ticks(0)}&orderBy=11&skip=0&top=1"
    async with http.get(f"/api/v2/invoice/search?{query}", headers=TOKEN) as answer:
        assert [sorted(row) for row in await answer.json()] == [["id", "lastUpdatedTime"]]
    async with http.get("/api/v2/invoice/search?lastUpdatedTime=now", headers=TOKEN) as answer:
        assert answer.status == 400


def test_times_have_seven_decimals_and_come_back() -> None:
    assert ticks(1_622_560_394.4044853) == "2021-06-01T15:13:14.4044850"
    assert from_ticks("2021-06-01T15:13:14.4044853") == pytest.approx(1_622_560_394.4044853)
    assert from_ticks("2021-06-01T15:13:14") == 1_622_560_394.0
    assert from_ticks("yesterday") is None


async def test_late_processing_is_carried_out_after_the_client_gave_up(
    kravia: Simulator, http: aiohttp.ClientSession
) -> None:
    kravia.faults(Fault(kind="late", delay=0.05, status=504, times=1))
    assert (await register(http))[0] == 504
    assert kravia.ledger.by_identity == {}
    assert kravia.late == 1
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
