"""What the client needs to know, checked once, at start."""

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from worker.forward_proxy import ForwardProxy

POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
"""A JSON pointer (RFC 6901, section 3)."""


class FileEncoding(StrEnum):
    """What the multipart field `file` of a document holds. Which of the two is meant is not documented."""

    BASE64 = "base64"
    """Base64 text without a file name: what the guide prints."""
    RAW = "raw"
    """The decoded bytes, with file name and media type."""


@dataclass(frozen=True, slots=True)
class KraviaConfig:
    """Where the API is and how long to wait for it. Times in seconds, sizes in bytes.

    Raises ValueError for what can't work, naming the field and what is allowed.
    """

    base_url: str = "https://api.kravia.ai"
    prefix: str = "/api/v2"
    connect_timeout: float = 10.0
    """For a free place in the pool, and again for name, TCP and TLS."""
    read_timeout: float = 30.0
    """The longest silence of an answer to attach, start, details or search."""
    register_timeout: float = 30.0
    """T: from the validity check on, until register's whole answer is read."""
    attach_timeout: float = 60.0
    start_timeout: float = 30.0
    query_timeout: float = 30.0
    """For details and search, from their beginning on."""
    keepalive: float = 10.0
    """An idle connection is reused for so long. On an older one a keep-alive race would be a doubt."""
    max_connections: int = 128
    """Of register's pool and of the other one, each."""
    send_buffer: int = 2 * 1024 * 1024
    """SO_SNDBUF of register's connections; the kernel caps it (Linux: net.core.wmem_max)."""
    max_answer: int = 1024 * 1024
    """An answer's body is read up to here."""
    retry_after_limit: float = 3600.0
    """A longer Retry-After counts as this."""
    id_pointer: str | None = None
    """Where register's answer holds the id (a JSON pointer); None: the usual places."""
    already_exists_patterns: tuple[str, ...] = ()
    """Regular expressions; an error body that one of them is found in means *there already*."""
    file_encoding: FileEncoding = FileEncoding.BASE64
    ca_file: Path | None = None
    """PEM file of the authorities that sign the API's certificate; None: the system's."""
    proxy: ForwardProxy | None = None
    """Every connection is a tunnel through it. Its own certificate, with https, is checked as the API's is."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("base_url: http(s)://host[:port][/path], without a user")
        if parts.query or parts.fragment:
            raise ValueError("base_url: without query or fragment")
        if self.proxy is not None and parts.scheme != "https":
            raise ValueError("proxy: only with an https base_url: else its answers can't be told from the API's")
        if self.prefix and not re.fullmatch(r"(?:/[A-Za-z0-9._~-]+)+", self.prefix):
            raise ValueError("prefix: empty, or a path such as /api/v2 without a slash at its end")
        if self.id_pointer is not None and not POINTER.fullmatch(self.id_pointer):
            raise ValueError("id_pointer: a JSON pointer (RFC 6901), for example /data/invoiceId")
        for pattern in self.already_exists_patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"already_exists_patterns: not a regular expression: {error.msg}") from None
        for item in fields(self):
            value = getattr(self, item.name)
            if item.type in (float, int) and value <= 0 and item.name != "keepalive":
                raise ValueError(f"{item.name}: more than 0")
        if self.keepalive < 0:
            raise ValueError("keepalive: 0 or more; 0 never reuses a connection")

    @property
    def root(self) -> str:
        """Base URL and prefix, without a slash at the end."""
        return self.base_url.rstrip("/") + self.prefix
