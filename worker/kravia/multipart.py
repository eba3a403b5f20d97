"""The multipart bodies, built by hand: aiohttp's FormData costs a fifth of the client's CPU.

RFC 7578 and, for names in headers, the WHATWG's HTML standard ("multipart/form-data encoding algorithm").
"""

import binascii
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from worker.ports import Document

_PIECE = 3 * 64 * 1024
"""Bytes of a document that are read at a time: a multiple of 3, so that only the last piece's base64 is padded."""

_MEDIA_TYPE = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:; ?[a-z]+=[!-!#-:<-\[\]-~]+)?")
"""`type/subtype` with at most one unquoted parameter (RFC 9110, section 8.3.1)."""
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\]')

_BOUNDARY = f"invoice-worker-{secrets.token_hex(16)}".encode()
"""Random, once for each process: a producer can't know it."""


def boundary_for(content: bytes, preferred: bytes = _BOUNDARY) -> bytes:
    """A boundary that does not occur in `content`: the process's own unless, against all odds, it does."""
    boundary = preferred
    while boundary in content:
        boundary = f"invoice-worker-{secrets.token_hex(16)}".encode()
    return boundary


def document_as_text(content: str) -> tuple[str, bytes]:
    """The guide's form: one field `file` that holds base64 text. Returns content type and body."""
    return _form(b'form-data; name="file"', b"", content.encode("ascii", "replace"))


def document_as_bytes(file_name: str, media_type: str, content: str) -> tuple[str, bytes] | None:
    """The usual form of an upload: the decoded bytes with name and type. None: `content` is not base64.

    The name goes in as UTF-8, with quotes, backslashes and control characters percent-encoded; a media type that is
    none becomes `application/octet-stream`: neither can add a header.
    """
    try:
        decoded = binascii.a2b_base64("".join(content.split()).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return _form(*_upload(file_name, media_type), decoded)


def _upload(file_name: str, media_type: str) -> tuple[bytes, bytes]:
    """Disposition and further headers of an upload."""
    name = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", file_name).encode("utf-8", "replace")
    kind = media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"
    return b'form-data; name="file"; filename="%b"' % name, b"Content-Type: %b\r\n" % kind.encode("ascii")


@dataclass(frozen=True, slots=True)
class Streamed:
    """A body that is made while it is sent. `size` in bytes; `first` is its beginning, `rest` gives all behind that."""

    size: int
    first: bytes
    rest: Iterable[bytes]


def stream_as_text(document: Document) -> tuple[str, Streamed]:
    """Like `document_as_text`, of a document on disk. Its pieces are read as they are asked for (OSError)."""
    return _stream(b'form-data; name="file"', b"", (document.size + 2) // 3 * 4, map(_base64, _pieces(document)))


def stream_as_bytes(file_name: str, media_type: str, document: Document) -> tuple[str, Streamed]:
    """Like `document_as_bytes`, of a document on disk. Its pieces are read as they are asked for (OSError)."""
    return _stream(*_upload(file_name, media_type), document.size, _pieces(document))


def _base64(piece: bytes) -> bytes:
    return binascii.b2a_base64(piece, newline=False)


def _pieces(document: Document) -> Iterator[bytes]:
    for offset in range(0, document.size, _PIECE):
        yield document.read(offset, min(_PIECE, document.size - offset))


def _stream(disposition: bytes, headers: bytes, size: int, pieces: Iterable[bytes]) -> tuple[str, Streamed]:
    # Random and made for this one body: it can't be looked for in what is not read yet, and nobody can know it.
    boundary = f"invoice-worker-{secrets.token_hex(16)}".encode()
    content_type, frame = _frame(boundary, disposition, headers)
    head, tail = frame

    def rest() -> Iterator[bytes]:
        yield from pieces
        yield tail

    return content_type, Streamed(len(head) + size + len(tail), head, rest())


def action(message: str) -> tuple[str, bytes]:
    """Start's form: one field `Message`. Returns content type and body."""
    return _form(b'form-data; name="Message"', b"", message.encode("utf-8", "replace"))


def _form(disposition: bytes, headers: bytes, content: bytes) -> tuple[str, bytes]:
    content_type, (head, tail) = _frame(boundary_for(content), disposition, headers)
    return content_type, b"".join((head, content, tail))


def _frame(boundary: bytes, disposition: bytes, headers: bytes) -> tuple[str, tuple[bytes, bytes]]:
    """The content type, and what stands before and behind the one part's content."""
    head = b"".join((b"--", boundary, b"\r\nContent-Disposition: ", disposition, b"\r\n", headers, b"\r\n"))
    tail = b"".join((b"\r\n--", boundary, b"--\r\n"))
    return f"multipart/form-data; boundary={boundary.decode('ascii')}", (head, tail)
