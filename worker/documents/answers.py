"""What a store's answer says before its body is read. Pure.

A document is there, or for certain not to be had (then trying again mends nothing), or not this time. 401 and 403 are
of the second kind: the worker has no credentials of its own, and a signed URL that has expired stays so.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

from worker import fetching
from worker.documents.config import DocumentsConfig
from worker.ports import Altered, Missing, Unreachable
from worker.retry import retry_after

_NO_SUCH = frozenset({404, 410})
_FORBIDDEN = frozenset({401, 403, 407})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({408, 425, 429})


class Given(Enum):
    """The answer's body is the document."""

    DOCUMENT = "document"


def given(
    status: int, headers: Mapping[str, str], size: int, now: datetime, config: DocumentsConfig
) -> Given | Missing | Altered | Unreachable | str:
    """What follows from status and headers for a document of `size` bytes; a text is where a redirect leads."""
    if status == 200:
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        length = headers.get("Content-Length", str(size))
        if encoding not in ("", "identity"):
            return Altered(fetching.ENCODED, status)
        return Given.DOCUMENT if length == str(size) else Altered(fetching.SIZE, status)
    if status in _REDIRECTS and (location := headers.get("Location")):
        return location
    if status in _NO_SUCH:
        return Missing(fetching.MISSING, status)
    if status in _FORBIDDEN:
        return Missing(fetching.FORBIDDEN, status)
    if status in _LATER or not 300 <= status < 500:
        wait = retry_after(headers.get("Retry-After"), now, config.retry_after_limit)
        kind = "throttled" if status == 429 else "server_error" if status >= 500 else "status"
        return Unreachable(kind, status, wait)
    return Missing(fetching.REFUSED, status)
