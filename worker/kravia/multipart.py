"""The two multipart bodies, built by hand: aiohttp's FormData costs a fifth of the client's CPU.

RFC 7578 and, for names in headers, the WHATWG's HTML standard ("multipart/form-data encoding algorithm").
"""

import binascii
import re
import secrets

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
    name = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", file_name).encode("utf-8", "replace")
    kind = media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"
    disposition = b'form-data; name="file"; filename="%b"' % name
    return _form(disposition, b"Content-Type: %b\r\n" % kind.encode("ascii"), decoded)


def action(message: str) -> tuple[str, bytes]:
    """Start's form: one field `Message`. Returns content type and body."""
    return _form(b'form-data; name="Message"', b"", message.encode("utf-8", "replace"))


def _form(disposition: bytes, headers: bytes, content: bytes) -> tuple[str, bytes]:
    boundary = boundary_for(content)
    body = b"".join(
        (
            b"--", boundary, b"\r\nContent-Disposition: ", disposition, b"\r\n", headers, b"\r\n",
            content,
            b"\r\n--", boundary, b"--\r\n",
        )
    )  # fmt: skip
    return f"multipart/form-data; boundary={boundary.decode('ascii')}", body
