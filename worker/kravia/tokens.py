"""Where the API's secret token comes from.

Kravia's guides: header `Authorization: <secret token>`, the bare token without `Bearer`.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

_LEGAL = re.compile(r"[\x21-\x7e]+")
"""Printable ASCII without blanks: what a header value carries unchanged (RFC 9110, section 5.5)."""
_MAX_BYTES = 64 * 1024


class TokenSource(Protocol):
    """Gives the token for the next call; asked once for each, so it is cheap."""

    def __call__(self) -> SecretStr: ...

    @property
    def generation(self) -> int:
        """Grows whenever the token's value changes: what a closed gate watches to try again."""


def is_legal(token: str) -> bool:
    """Whether it can be sent as it is: printable ASCII, no blanks, not empty."""
    return _LEGAL.fullmatch(token) is not None


class FixedToken:
    """A token that never changes. Raises ValueError when it can't be a header's value."""

    generation = 0

    def __init__(self, token: SecretStr) -> None:
        if not is_legal(token.get_secret_value()):
            raise ValueError("the Kravia token must be printable ASCII without blanks: it goes into a header as it is")
        self._token = token

    def __call__(self) -> SecretStr:
        return self._token


class FileToken:
    """The token in a file, read again when the file changes; blanks and line ends around it are ignored.

    The file is looked at (time of change, size and inode; links are followed, as a mounted Kubernetes Secret needs)
    at most once in `interval` seconds of `monotonic`. A file that can't be read, is empty or is not a token leaves the
    last good token in place: see `problem`. The first read raises ValueError instead.
    """

    def __init__(self, path: Path, monotonic: Callable[[], float], interval: float = 1.0) -> None:
        self._path = path
        self._monotonic = monotonic
        self._interval = interval
        self._generation = 0
        self._problem: str | None = None
        self._looked = monotonic()
        self._seen: tuple[int, int, int] | None = None
        found = self._read()
        if found is None:
            raise ValueError(f"{self._problem}: give a readable file that holds the Kravia token and nothing else")
        self._token = found

    def __call__(self) -> SecretStr:
        self._refresh()
        return self._token

    @property
    def generation(self) -> int:
        """How many times the value changed; looks at the file, too, when it is due."""
        self._refresh()
        return self._generation

    @property
    def problem(self) -> str | None:
        """Why the file as it is now could not be used, without its content; None when all is well."""
        return self._problem

    def _refresh(self) -> None:
        now = self._monotonic()
        if now - self._looked < self._interval:
            return
        self._looked = now
        found = self._read()
        if found is not None and found.get_secret_value() != self._token.get_secret_value():
            self._token = found
            self._generation += 1

    def _read(self) -> SecretStr | None:
        """The token, when the file is new or has changed and holds one."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                mark = (status.st_mtime_ns, status.st_size, status.st_ino)
                if mark == self._seen:
                    return None
                content = file.read(_MAX_BYTES + 1)
        except OSError as error:
            self._problem = f"the token file {self._path} can't be read ({error.strerror})"
            self._seen = None  # look again even when the same file comes back
            return None
        self._seen = mark
        text = content.decode("ascii", "replace").strip()
        if len(content) > _MAX_BYTES or not is_legal(text):
            self._problem = f"the token file {self._path} holds no token (printable ASCII without blanks)"
            return None
        self._problem = None
        return SecretStr(text)
