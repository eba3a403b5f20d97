"""Which hosts documents may be fetched from: the operator's list, and what a URL comes to. Pure.

A URL is taken apart once, and the request is built from the parts that were judged: no second parser can see another
host in it. A host that looks like an IPv4 address in any spelling must be one in the usual spelling (four decimal
numbers), since resolvers take `0x7f.1` and `2130706433` for addresses, too.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from yarl import URL

from worker.fetching import BAD_URL, HOST

ALLOWED: Final = (
    "hosts or *.domain, each with a port where it is not 443, separated by commas, for example "
    "documents.example.com,*.files.example.net:8443"
)
"""How the list is written."""
_NAME: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")
_ENTRY: Final = re.compile(r"(?P<any>\*\.)?(?P<host>\[[^\]]+\]|[^\[\]:/@?#\s]+)(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry of the list. `below`: any host below this domain, and not the domain itself."""

    host: str
    port: int = 443
    below: bool = False

    def allows(self, host: str, port: int) -> bool:
        """`host` as `Place` has it."""
        return port == self.port and (host.endswith(f".{self.host}") if self.below else host == self.host)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is. `host` is a name in ASCII and lower case without a dot at its end, or an IP address."""

    url: URL
    host: str
    port: int


def parse_hosts(text: str) -> tuple[AllowedHost, ...]:
    """The list as a setting has it. Raises ValueError, in words for the operator, naming the entry by its number."""
    found = []
    for number, entry in enumerate(re.split(r"[,\s]+", text.strip(", \t\n")) if text.strip(", \t\n") else (), 1):
        match = _ENTRY.fullmatch(entry)
        host = None if match is None else _host_of(match["host"].strip("[]"))
        port = int((match and match["port"]) or 443)
        if match is None or host is None or not 0 < port < 65_536 or (match["any"] and _address(host) is not None):
            raise ValueError(f"{ALLOWED}; entry {number} is none")
        found.append(AllowedHost(host, port, below=match["any"] is not None))
    return tuple(found)


def place_of(url: str | URL, allowed: Sequence[AllowedHost]) -> Place | str:
    """Where this URL leads, or the code of why it may not be asked for (`worker.fetching`)."""
    try:
        parsed = URL(url, encoded=url.isascii()) if isinstance(url, str) else url
        port = 443 if parsed.explicit_port is None else parsed.explicit_port
        host = _host_of(parsed.raw_host or "")
    except ValueError:
        return BAD_URL
    if parsed.scheme != "https" or host is None or "@" in parsed.raw_authority:
        return BAD_URL
    if not any(entry.allows(host, port) for entry in allowed):
        return HOST
    authority = f"[{host}]" if ":" in host else host
    return Place(
        URL.build(
            scheme="https",
            authority=authority if port == 443 else f"{authority}:{port}",
            path=parsed.raw_path or "/",
            query_string=parsed.raw_query_string,
            encoded=True,
        ),
        host,
        port,
    )


def _host_of(text: str) -> str | None:
    """A host in its one spelling; None when it is none, or an address that is spelt in another way."""
    try:
        host = (URL.build(scheme="https", host=text).raw_host or "") if not text.isascii() else text
    except ValueError:
        return None
    host = host.lower().removesuffix(".")
    if (address := _address(host)) is not None:
        return str(address)
    if len(host) > 253 or not _NAME.fullmatch(host) or _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    return host


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address without a zone: a zone names an interface of this machine."""
    try:
        return None if "%" in host else ipaddress.ip_address(host)
    except ValueError:
        return None
