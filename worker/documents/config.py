"""What the fetcher needs to know, checked once, at start."""

from dataclasses import dataclass
from pathlib import Path

from worker.document_hosts import AllowedHost
from worker.documents.addresses import Network


@dataclass(frozen=True, slots=True)
class DocumentsConfig:
    """Where documents may come from, and how much of them. Times in seconds, sizes in bytes."""

    hosts: tuple[AllowedHost, ...] = ()
    networks: tuple[Network, ...] = ()
    """Networks that may be connected to though they are not public."""
    ca_file: Path | None = None
    connect_timeout: float = 10.0
    """For name, TCP and TLS, of each hop."""
    timeout: float = 60.0
    """For one document, redirects included."""
    redirects: int = 3
    connections: int = 16
    """Documents that are fetched at a time."""
    spool_dir: Path | None = None
    """None: the system's directory for temporary files."""
    spool_bytes: int = 512 * 1024 * 1024
    retry_after_limit: float = 3600.0
    """A longer Retry-After counts as this."""
