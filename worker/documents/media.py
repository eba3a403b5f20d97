"""What a document's first bytes say of its type. Pure.

A handful of signatures and no library: only a clear contradiction counts, and each of a library's hundreds of guesses
would be one more way to reject a good document.
"""

from typing import Final

HEAD: Final = 8
"""Bytes that are looked at."""
_SIGNATURES: Final = (
    (b"%PDF-", ("application/pdf", "application/x-pdf")),
    (b"\x89PNG\r\n\x1a\n", ("image/png", "image/x-png", "image/apng")),
    (b"\xff\xd8\xff", ("image/jpeg", "image/jpg", "image/pjpeg")),
    (b"GIF8", ("image/gif",)),
    (b"II*\x00", ("image/tiff",)),
    (b"MM\x00*", ("image/tiff",)),
)
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
"""Zip files are also what office documents and others are made of, so these contradict only a type of the list above
and plain text."""
_ANY: Final = "application/octet-stream"


def contradicts(declared: str, head: bytes) -> bool:
    """Whether bytes that begin with `head` are certainly not of this media type. Unknown bytes contradict nothing."""
    kind = declared.partition(";")[0].strip().lower()
    if kind == _ANY:
        return False
    for signature, kinds in _SIGNATURES:
        if head.startswith(signature):
            return kind not in kinds
    if head.startswith(_ZIP):
        return kind.startswith("text/") or any(kind in kinds for _, kinds in _SIGNATURES)
    return False
