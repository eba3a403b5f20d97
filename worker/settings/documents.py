"""`DOCUMENT_*`."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from worker.document_hosts import ALLOWED, AllowedHost, parse_hosts
from worker.settings.fields import count, optional_file, seconds, size

NETWORKS = "networks in CIDR notation, separated by commas, for example 10.20.0.0/16,fd00:20::/48"
_MIB = 1024 * 1024


def _hosts(text: str) -> str:
    parse_hosts(text)
    return text


def _networks(text: str) -> str:
    for number, entry in enumerate(_entries(text), 1):
        try:
            ipaddress.ip_network(entry)
        except ValueError:
            raise ValueError(f"{NETWORKS}; entry {number} is none") from None
    return text


def _entries(text: str) -> list[str]:
    return [entry for entry in re.split(r"[,\s]+", text) if entry]


class DocumentSettings(BaseModel):
    """Documents that events name by reference: from where, how much, how long."""

    document_allow_hosts: Annotated[str, AfterValidator(_hosts)] = Field(
        default="",
        description="Hosts that documents may be fetched from, by https. `*.domain` allows every host below it. Empty: "
        "events that refer to documents are rejected.",
        json_schema_extra={"allowed": ALLOWED},
    )
    document_allow_networks: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="Networks that an allowed host's address may be in though they are not public. All others that are "
        "private, local or special are refused.",
        json_schema_extra={"allowed": NETWORKS},
    )
    document_ca_file: Path | None = optional_file(
        "PEM file of the certificate authorities that sign the stores' certificates; absent: the system's."
    )
    document_max_bytes: int = size(25 * _MIB, "Most bytes of one document that is fetched.", at_most=2**40)
    document_connect_timeout: float = seconds(10, "Longest wait for a connection: name, TCP and TLS.", at_most=600)
    document_timeout: float = seconds(60, "Longest duration of one document's fetch, redirects included.", at_most=3600)
    document_redirects: int = count(3, "Most redirects of one document; each is judged anew.", at_least=0, at_most=20)
    document_connections: int = count(16, "Documents that are fetched at a time.", at_most=10_000)
    document_spool_dir: Path | None = Field(
        default=None,
        description="Directory for documents on their way; their files have no name in it. Absent: the system's for "
        "temporary files. Where that is memory (tmpfs), documents count against the container's memory.",
    )
    document_spool_bytes: int = size(
        512 * _MIB,
        "Most bytes of documents on their way in this process. An event that needs more goes alone.",
        at_least=_MIB,
        at_most=2**50,
    )

    @property
    def allowed_hosts(self) -> tuple[AllowedHost, ...]:
        """The list of hosts, parsed."""
        return parse_hosts(self.document_allow_hosts)

    @property
    def allowed_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The list of networks, parsed."""
        return tuple(ipaddress.ip_network(entry) for entry in _entries(self.document_allow_networks))
