"""The forms: read back by the simulator's parser, which was written apart from the builder."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from worker.demo.simulator_wire import Part, read_form
from worker.kravia.multipart import action, boundary_for, document_as_bytes, document_as_text


def test_the_guides_form_has_one_plain_field() -> None:
    kind, body = document_as_text("aGVsbG8=")
    boundary = kind.removeprefix("multipart/form-data; boundary=")
    assert body == (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\naGVsbG8=\r\n--{boundary}--\r\n'.encode()
    )


def test_raw_bytes_travel_with_name_and_type() -> None:
    form = document_as_bytes("faktura 1.pdf", "application/pdf", "aGVs\nbG8=")
    assert form is not None
    assert read_form(*form) == Part("file", "faktura 1.pdf", "application/pdf", b"hello")


def test_content_that_is_not_base64_is_no_form() -> None:
    assert document_as_bytes("a", "a/b", "not base64!") is None
    assert document_as_bytes("a", "a/b", "æøå") is None


@given(st.text(), st.text(), st.binary())
def test_names_and_types_can_not_add_headers_or_fields(name: str, media_type: str, content: bytes) -> None:
    form = document_as_bytes(name, media_type, base64.b64encode(content).decode())
    assert form is not None
    part = read_form(*form)
    assert part is not None
    assert part.name == "file"
    assert part.content == content
    assert part.media_type is not None
    assert "\n" not in part.media_type


def test_an_injected_header_stays_a_name() -> None:
    form = document_as_bytes('a"\r\nX-Evil: 1\r\n\r\n.pdf', "text/html\r\nX-Evil: 1", "aGVsbG8=")
    assert form is not None
    part = read_form(*form)
    assert part == Part("file", "a%22%0D%0AX-Evil: 1%0D%0A%0D%0A.pdf", "application/octet-stream", b"hello")


@given(st.text())
def test_any_message_arrives(message: str) -> None:
    part = read_form(*action(message))
    assert part is not None
    assert (part.name, part.file_name) == ("Message", None)
    assert part.content == message.encode("utf-8", "replace")


def test_a_boundary_that_occurs_in_the_content_is_replaced() -> None:
    content = b"x--invoice-worker-1--y"
    boundary = boundary_for(content, preferred=b"invoice-worker-1")
    assert boundary not in content
    assert boundary_for(b"x", preferred=b"invoice-worker-1") == b"invoice-worker-1"
