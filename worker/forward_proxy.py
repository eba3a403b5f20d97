"""Where an HTTP forward proxy is and what it is told about us: a URL of the operator's, taken apart. Pure.

A user and a password in it are secrets: they are in no text that this module makes, errors included.
"""

import base64
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

ALLOWED: Final = (
    "http://host[:port] or https://host[:port] (without a port: 80, 443), without path, query or fragment; "
    "user:password@ before the host where the proxy asks for it, with %XX for what a URL would read otherwise "
    "(%40 for @, %2F for /)"
)
"""How it is written."""
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:.]+")
_PORTS: Final = {"http": 80, "https": 443}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class ForwardProxy:
    """`scheme`: `https` when the connection to the proxy itself is TLS, else `http`.

    `authorization`: the value of Proxy-Authorization (Basic, RFC 7617), where the URL names a user.
    """

    scheme: str
    host: str
    port: int
    authorization: SecretStr | None = None

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Without user and password."""
        return f"{self.scheme}://{self.place}"


def parse_proxy(text: str) -> ForwardProxy:
    """The URL as a setting has it. Raises ValueError, in words for the operator, without anything of the value."""
    if not text.isascii() or re.search(r"[\s\x00-\x1f\x7f]", text):
        raise ValueError(f"{ALLOWED}; this one holds blanks or what is not ASCII")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # its message repeats the value
        raise ValueError(f"{ALLOWED}; host or port of this one can't be read") from None
    if parts.scheme not in _PORTS or not text.partition(":")[2].startswith("//"):
        raise ValueError(f"{ALLOWED}; this one begins with neither http:// nor https://")
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError(f"{ALLOWED}; this one has a path, query or fragment")
    if not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise ValueError(f"{ALLOWED}; host or port of this one can't be read")
    return ForwardProxy(
        parts.scheme, parts.hostname or "", _PORTS[parts.scheme] if port is None else port, _basic(parts.netloc)
    )


def _basic(authority: str) -> SecretStr | None:
    told, at, _ = authority.rpartition("@")
    if not at:
        return None
    user, _, password = told.partition(":")
    try:
        user, password = (unquote(part, errors="strict") for part in (user, password))
    except UnicodeDecodeError:
        raise ValueError(f"{ALLOWED}; user or password of this one is not UTF-8 behind its %XX") from None
    if not user or ":" in user or _CONTROL.search(user + password):
        raise ValueError(
            f"{ALLOWED}; the user of this one is empty or holds a colon, or one of the two holds a control character, "
            "which Basic authentication can't carry (RFC 7617)"
        )
    return SecretStr("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
