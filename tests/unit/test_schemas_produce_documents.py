"""Documents of events from Python: inline or by reference, and what the worker would refuse is refused before."""

import base64
import hashlib

import pytest
from pydantic import ValidationError

from schemas.attachments import InlineAttachment
from schemas.events import ReferencedAttachment
from schemas.produce import MAX_DOCUMENT, MAX_DOCUMENTS, inline, inline_file, reference
from tests.unit.fakes_produce import COUNT, MODES, URL, event, read
from worker.decode import DEFAULT_LIMITS
from worker.model import Attachment, Reference


@MODES
def test_a_file_travels_inline_with_its_digest(mode, tmp_path):
    (tmp_path / "faktura.pdf").write_bytes(b"%PDF-1.4\n")
    made = event(inline_file(tmp_path / "faktura.pdf"), inline(b"a,b\n", "b.csv", digest=False))
    got = read(made.to_message(partitions=COUNT, mode=mode))
    digests = [hashlib.sha256(data).hexdigest() for data in (b"%PDF-1.4\n", b"a,b\n")]
    contents = [base64.b64encode(data).decode() for data in (b"%PDF-1.4\n", b"a,b\n")]
    assert got.attachments == (
        Attachment("faktura.pdf", "application/pdf", contents[0], digests[0]),
        Attachment("b.csv", "text/csv", contents[1], digests[1]),
    )
    [first, second] = made.request.attachments
    assert (first.sha256, second.sha256) == (digests[0], None)


@MODES
def test_a_reference_is_made_from_the_document(mode):
    made = event(reference(b"%PDF-1.4\n", URL, "faktura.pdf"))
    got = read(made.to_message(partitions=COUNT, mode=mode))
    digest = hashlib.sha256(b"%PDF-1.4\n").hexdigest()
    assert got.attachments == (Reference("faktura.pdf", "application/pdf", URL, digest, 9),)


def test_a_file_may_have_another_name_and_type(tmp_path):
    (tmp_path / "1.tmp").write_bytes(b"x")
    made = inline_file(tmp_path / "1.tmp", "note.txt", "text/plain; charset=utf-8")
    assert (made.fileName, made.mediaType) == ("note.txt", "text/plain; charset=utf-8")


@pytest.mark.parametrize("name", ["scan", "scan.unknown", "scan.tar.gz"])
def test_a_type_that_cannot_be_told_must_be_given(name):
    with pytest.raises(ValueError, match="give media_type"):
        inline(b"x", name)


def test_documents_that_the_worker_would_refuse_are_refused():
    with pytest.raises(ValueError, match="is empty"):
        inline(b"", "a.pdf")
    with pytest.raises(ValueError, match="at most 10485760"):
        inline(b"x" * (MAX_DOCUMENT + 1), "a.pdf")
    with pytest.raises(ValueError, match="is empty"):
        reference(b"", URL, "a.pdf")
    with pytest.raises(ValueError, match="at /attachments/1 is taken"):
        event(inline(b"x", "a.pdf"), reference(b"x", URL, "a.pdf")).to_message()
    with pytest.raises(ValueError, match="has 21 attachments"):
        event(*[inline(b"x", f"{i}.pdf") for i in range(MAX_DOCUMENTS + 1)]).to_message()
    document = {"fileName": "a", "mediaType": "a/b", "content": base64.b64encode(bytes(MAX_DOCUMENT + 1)).decode()}
    with pytest.raises(ValueError, match="at /attachments/0 has 10485761 bytes"):
        event(InlineAttachment(**document)).to_message()
    with pytest.raises(ValidationError, match="bad_url"):
        reference(b"x", "http://documents.example.com/a.pdf", "a.pdf")
    with pytest.raises(ValidationError, match="bad_file_name"):
        inline(b"x", "../a.pdf")


def test_how_large_a_fetched_document_may_be_is_the_workers_setting():
    document = {"fileName": "a", "mediaType": "a/b", "url": URL, "sha256": "0" * 64, "size": 100 * MAX_DOCUMENT}
    assert event(ReferencedAttachment(**document)).to_message().value


def test_a_large_file_is_not_read_to_be_refused(tmp_path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(MAX_DOCUMENT * 1000)  # sparse: it takes no room
    with pytest.raises(ValueError, match="at most"):
        inline_file(path)


def test_the_limits_are_the_workers():
    assert (DEFAULT_LIMITS.attachments, DEFAULT_LIMITS.attachment_bytes) == (MAX_DOCUMENTS, MAX_DOCUMENT)
