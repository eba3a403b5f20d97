"""Documents by reference: a real worker fetches them by https, verifies them, and hands them to Kravia."""

import hashlib
from dataclasses import replace

import pytest

from schemas.jsontext import dumps
from tests.integration.events import data, event
from tests.integration.harness import Scene
from tests.unit.fakes_tls import Store, ca_file, storing

LARGE = b"%PDF-1.7\n" + b"a page of a large document\n" * 466_034
"""12 MiB: more than a document may have that travels in its event."""
assert len(LARGE) > 12_000_000


@pytest.fixture
async def store(tmp_path):
    async with storing(tmp_path) as made:
        made.has("/large.pdf?sig=s3cret", LARGE)
        yield made


def referring(number: int, store: Store, path: str, content: bytes = LARGE, **changes):
    """An event whose one document is in the store."""
    reference = {
        "fileName": f"{number}.pdf",
        "mediaType": "application/pdf",
        "url": store.url(path),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
    }
    return replace(event(number), value=dumps(data(number) | {"attachments": [reference | changes]}))


async def running(scene: Scene, store: Store, tmp_path, **settings: str):
    spool = tmp_path / "spool"
    spool.mkdir()
    worker = scene.worker(
        **{
            "DOCUMENT_ALLOW_HOSTS": f"localhost:{store.port}",
            "DOCUMENT_ALLOW_NETWORKS": "127.0.0.0/8,::1/128",
            "DOCUMENT_CA_FILE": str(ca_file(tmp_path)),
            "DOCUMENT_SPOOL_DIR": str(spool),
            "WORKER_RETRY_ATTEMPTS": "3",
        }
        | settings
    )
    await worker.run()
    return worker, spool


async def test_a_document_of_12_mb_goes_from_its_store_to_kravia(scene: Scene, store: Store, tmp_path):
    worker, spool = await running(scene, store, tmp_path)
    draft = referring(1, store, "/large.pdf?sig=s3cret")
    sent = await scene.send(draft)
    outcomes = await scene.close_books(sent)
    outcome = outcomes[sent[0]]
    assert outcome.ending == "scheduled"
    invoice = scene.invoice(draft.identity)
    [document] = invoice.documents
    assert (document.sha256, document.size) == (hashlib.sha256(LARGE).hexdigest(), len(LARGE))
    assert invoice.started == 1
    assert outcome.data["timings"]["steps"].keys() == {"fetch", "register", "attach", "start"}
    assert list(spool.iterdir()) == []
    assert "s3cret" not in worker.log_end()


async def test_a_document_that_can_not_be_had_registers_nothing(scene: Scene, store: Store, tmp_path):
    await running(scene, store, tmp_path)
    store.has("/expired.pdf", b"", 403)
    store.has("/other.pdf", LARGE[:-1] + b"x")
    store.has("/away.pdf", b"", 503)
    drafts = [
        referring(1, store, "/none.pdf"),
        referring(2, store, "/expired.pdf"),
        referring(3, store, "/other.pdf"),
        referring(4, store, "/large.pdf", url="https://elsewhere.example/large.pdf"),
        referring(5, store, "/away.pdf"),
        referring(6, store, "/large.pdf", size=26 * 1024 * 1024),
    ]
    sent = await scene.send(*drafts)
    outcomes = await scene.close_books(sent)
    told = [outcomes[origin] for origin in sent]
    assert [one.ending for one in told] == [
        *["rejected document"] * 4,
        "failed document_unreachable",
        "rejected validation",
    ]
    assert [one.data["errors"][0]["code"] for one in told if one.ending.startswith("rejected")] == [
        "document_missing",
        "document_forbidden",
        "document_digest",
        "document_host",
        "too_large",
    ]
    assert {one.data["errors"][0]["pointer"] for one in told[:4]} == {"/attachments/0/url"}
    assert (told[4].data["step"], told[4].data["httpStatus"]) == ("fetch", 503)
    assert all(scene.registers(draft.identity) == 0 for draft in drafts)


async def test_without_an_allowed_host_references_are_rejected_with_the_settings_name(
    scene: Scene, store: Store, tmp_path
):
    await running(scene, store, tmp_path, DOCUMENT_ALLOW_HOSTS="")
    sent = await scene.send(referring(1, store, "/large.pdf"))
    outcomes = await scene.close_books(sent)
    [error] = outcomes[sent[0]].data["errors"]
    assert error["code"] == "document_host"
    assert "DOCUMENT_ALLOW_HOSTS" in error["message"]
    assert store.requests == []
