"""The simulated Kravia answers as Kravia does, and its ledger is the truth."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.unit.fakes_simulator import GUIDE, IDENTITY, TOKEN, Now, control, register
from worker.demo.simulator import Simulator
from worker.demo.simulator_ledger import from_ticks, ticks
from worker.demo.simulator_settings import SimulatorSettings


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


async def test_the_guides_example_is_registered_byte_for_byte(kravia: Simulator, http: aiohttp.ClientSession) -> None:
    assert await register(http) == (200, {"id": 100_001})
    invoice = kravia.ledger.by_identity[IDENTITY][0]
    assert invoice.body == kravia.recorded[0].body == json.dumps(GUIDE).encode()
    async with http.get("/_sim/body?id=100001") as answer:
        assert await answer.read() == invoice.body


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
