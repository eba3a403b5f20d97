"""What every `ports.KraviaApi` does, whatever is behind it: see `kravia_backends`."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from tests.contract.kravia_backends import BACKENDS, Backend, Expired, OnDisk, Valid
from tests.unit.fakes_ahead import go_ahead, holds, others_run
from worker.answers import (
    AlreadyThere,
    Answer,
    Done,
    Forbidden,
    NotSent,
    NotVisible,
    Refused,
    Registered,
    Stop,
    Throttled,
    Unclear,
)
from worker.demo.simulator_faults import Fault
from worker.ports import Details, SearchPage

Step = Literal["register", "attach", "start"]
STEPS: tuple[Step, ...] = ("register", "attach", "start")
CONTENT = base64.b64encode(b"a document").decode()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    async with BACKENDS[request.param]() as opened:
        yield opened


def body(number: str = "20001", **changed: object) -> bytes:
    invoice = {
        "claimType": "Invoice",
        "creditorId": 10759,
        "invoiceNo": number,
        "originalAmount": 2500,
        "currencyCode": "NOK",
        **changed,
    }
    return json.dumps(invoice).encode()


IDENTITY = "10759/Invoice/20001"


async def registered(backend: Backend) -> str:
    answer = await backend.api.register(body(), Valid())
    assert isinstance(answer, Registered)
    return answer.invoice_id


async def calls(backend: Backend, step: Step, invoice_id: str) -> Answer:
    match step:
        case "register":
            return await backend.api.register(body(), Valid())
        case "attach":
            return await backend.api.attach(invoice_id, "a.pdf", "application/pdf", CONTENT, Valid())
        case _:
            return await backend.api.start(invoice_id, "Confirming invoice action", Valid())


async def unanswered(backend: Backend, call: Coroutine[Any, Any, Answer | Details | SearchPage]) -> object:
    """What becomes of a call that is not answered: the end of its time is brought about, not waited for."""
    calling = asyncio.create_task(call)
    await holds(lambda: backend.met() > 0)
    await others_run()
    go_ahead()
    return await calling


async def test_the_three_calls_bill_an_invoice_once(backend: Backend) -> None:
    sent = b'{"claimType":"Invoice","creditorId":10759,"invoiceNo":"20001","originalAmount":0.30,"currencyCode":"NOK"}'
    answer = await backend.api.register(sent, Valid())
    assert isinstance(answer, Registered)
    invoice_id = answer.invoice_id
    assert await backend.api.attach(invoice_id, "a b.pdf", "application/pdf", CONTENT, Valid()) == Done()
    assert await backend.api.start(invoice_id, "Bekreftet, æøå", Valid()) == Done()
    assert backend.registered(IDENTITY) == 1
    assert backend.body(invoice_id) == sent, "byte for byte: amounts as they were written"
    assert backend.documents(invoice_id) == [hashlib.sha256(b"a document").hexdigest()]
    assert backend.started(invoice_id) == ["Bekreftet, æøå"]


async def test_a_fetched_document_arrives_like_an_inline_one_as_often_as_it_is_sent(backend: Backend) -> None:
    invoice_id = await registered(backend)
    document = OnDisk(b"%PDF-1.7\n" * 100_000)
    for _ in range(2):
        assert await backend.api.attach(invoice_id, "a.pdf", "application/pdf", document, Valid()) == Done()
    assert backend.documents(invoice_id) == [document.sha256] * 2
    assert await backend.api.attach(invoice_id, "a.pdf", "application/pdf", document, Expired()) == NotSent("expired")
    assert len(backend.documents(invoice_id)) == 2


async def test_details_tell_what_happened_and_never_more_than_is_known(backend: Backend) -> None:
    invoice_id = await registered(backend)
    assert await backend.api.details(invoice_id) == Details((), True)
    await backend.api.attach(invoice_id, "a.pdf", "application/pdf", CONTENT, Valid())
    await backend.api.start(invoice_id, "go", Valid())
    details = await backend.api.details(invoice_id)
    assert isinstance(details, Details)
    assert details.documents in (None, ("a.pdf",))
    assert details.start_available is False
    assert await backend.api.details("999") == NotVisible(404)


async def test_a_search_shows_what_was_registered_page_by_page(backend: Backend) -> None:
    for number in ("1", "2", "3"):
        await backend.api.register(body(number), Valid())
    pages = [await backend.api.search(LONG_AGO, skip=skip, top=2) for skip in (0, 2, 4)]
    found = [[row["invoiceNo"] for row in page.rows] for page in pages if isinstance(page, SearchPage)]
    assert found == [["1", "2"], ["3"], []]
    assert await backend.api.search(datetime.now(UTC) + timedelta(hours=1), skip=0, top=2) == SearchPage(())


@pytest.mark.parametrize("step", STEPS)
async def test_without_validity_nothing_is_sent(backend: Backend, step: Step) -> None:
    invoice_id = await registered(backend) if step != "register" else ""
    match step:
        case "register":
            answer = await backend.api.register(body(), Expired())
        case "attach":
            answer = await backend.api.attach(invoice_id, "a.pdf", "application/pdf", CONTENT, Expired())
        case _:
            answer = await backend.api.start(invoice_id, "go", Expired())
    assert answer == NotSent("expired")
    assert backend.registered(IDENTITY) == (0 if step == "register" else 1)
    if step != "register":
        assert (backend.documents(invoice_id), backend.started(invoice_id)) == ([], [])


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("status", "wait", "expected"),
    [
        (429, None, Throttled(429, None)),
        (429, 3, Throttled(429, 3.0)),
        (429, "Thu, 01 Jan 1970 00:00:00 GMT", Throttled(429, 0.0)),
        (503, 3, Throttled(503, 3.0)),
        (503, None, Unclear("server_error", 503)),
        (500, None, Unclear("server_error", 500)),
        (504, None, Unclear("server_error", 504)),
        (408, None, Unclear("request_timeout", 408)),
        (400, None, Refused(400)),
        (413, None, Refused(413)),
        (415, None, Refused(415)),
        (422, None, Refused(422)),
        (409, None, AlreadyThere(409)),
        (401, None, Stop(401)),
        (302, None, Stop(302)),
        (403, None, Forbidden(403)),
        (404, None, None),
    ],
)
async def test_every_row_of_the_table(
    backend: Backend, step: Step, status: int, wait: float | str | None, expected: Answer | None
) -> None:
    invoice_id = await registered(backend) if step != "register" else ""
    backend.misbehave(Fault(kind="status", step=step, status=status, retry_after=wait, location="/elsewhere"))
    if expected is None:
        expected = Stop(404) if step == "register" else NotVisible(404)
    assert await calls(backend, step, invoice_id) == expected
    backend.misbehave()
    if step == "register":
        assert backend.registered(IDENTITY) == 0


@pytest.mark.parametrize("step", STEPS)
async def test_a_lost_answer_is_unclear_and_the_call_was_made_once(backend: Backend, step: Step) -> None:
    invoice_id = await registered(backend) if step != "register" else ""
    backend.misbehave(Fault(kind="lost", step=step))
    assert await calls(backend, step, invoice_id) == Unclear("lost")
    assert backend.registered(IDENTITY) == 1
    if step == "attach":
        assert len(backend.documents(invoice_id)) == 1
    if step == "start":
        assert len(backend.started(invoice_id)) == 1


@pytest.mark.parametrize("step", STEPS)
async def test_a_reset_before_it_was_carried_out_looks_the_same(backend: Backend, step: Step) -> None:
    invoice_id = await registered(backend) if step != "register" else ""
    backend.misbehave(Fault(kind="reset", step=step))
    assert await calls(backend, step, invoice_id) == Unclear("lost")
    assert backend.registered(IDENTITY) == (0 if step == "register" else 1)


@pytest.mark.parametrize("step", STEPS)
async def test_no_answer_in_time_is_unclear(backend: Backend, step: Step) -> None:
    invoice_id = await registered(backend) if step != "register" else ""
    backend.misbehave(Fault(kind="hang", step=step, processed=True))
    assert await unanswered(backend, calls(backend, step, invoice_id)) == Unclear("timeout")
    assert backend.registered(IDENTITY) == 1


async def test_an_error_after_the_fact_is_unclear(backend: Backend) -> None:
    backend.misbehave(Fault(kind="status", status=502, processed=True))
    assert await backend.api.register(body(), Valid()) == Unclear("server_error", 502)
    assert backend.registered(IDENTITY) == 1


async def test_an_answer_without_an_id_names_its_fields(backend: Backend) -> None:
    backend.misbehave(Fault(kind="body", body='{"reference": "4711", "ok": true}'))
    assert await backend.api.register(body(), Valid()) == Unclear("no_id", 200, fields=("reference", "ok"))


async def test_a_wrong_token_stops_everything_and_changes_nothing(backend: Backend) -> None:
    invoice_id = await registered(backend)
    backend.revoke_token()
    assert [await calls(backend, step, invoice_id) for step in STEPS] == [Stop(401)] * 3
    assert await backend.api.details(invoice_id) == Stop(401)
    assert await backend.api.search(LONG_AGO, skip=0, top=1) == Stop(401)
    assert backend.registered(IDENTITY) == 1


async def test_what_the_api_refuses_is_refused(backend: Backend) -> None:
    answer = await backend.api.register(body(creditorId="10759"), Valid())
    assert isinstance(answer, Refused)
    assert answer.status == 422
    assert "10759" not in answer.hint


@pytest.mark.parametrize("query", ["details", "search"])
@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(kind="status", status=500), Unclear("server_error", 500)),
        (Fault(kind="status", status=429, retry_after=2), Throttled(429, 2.0)),
        (Fault(kind="lost"), Unclear("lost")),
        (Fault(kind="hang"), Unclear("timeout")),
    ],
)
async def test_a_query_that_fails_says_why(backend: Backend, query: str, fault: Fault, expected: Answer) -> None:
    invoice_id = await registered(backend)
    backend.misbehave(fault)
    asked = backend.api.details(invoice_id) if query == "details" else backend.api.search(LONG_AGO, skip=0, top=1)
    assert await (unanswered(backend, asked) if fault.kind == "hang" else asked) == expected
