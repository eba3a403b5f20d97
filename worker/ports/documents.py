"""The stores of referenced documents, as the core needs them."""

from dataclasses import dataclass
from typing import Protocol

from worker.model import Reference


class Document(Protocol):
    """A fetched document that was verified. It is read piece by piece, as often as wanted, until it is closed."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def sha256(self) -> str: ...

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes from `offset` on. OSError when they can't be read, ValueError when it is closed."""

    def close(self) -> None:
        """Give its disk space back. Idempotent."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The store answered that it does not give this document. `code` as in `worker.fetching`."""

    code: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Altered:
    """What the store gave is not what the event declares."""

    code: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Nothing was asked, or an answer led to where nothing may be asked."""

    code: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The store did not give it this time. `why` is a class such as `timeout`; `retry_after` in seconds."""

    why: str
    status: int | None = None
    retry_after: float | None = None


class Room(Protocol):
    """A share of the space for documents."""

    def close(self) -> None:
        """Give it back. Idempotent."""


class DocumentStore(Protocol):
    """Where referenced documents come from."""

    async def room(self, size: int) -> Room:
        """Wait for so many bytes of space, in order. More than there is at all: wait until nobody else has any.

        Whoever asks holds none: two shares taken one after another could wait for each other for ever.
        """

    async def fetch(self, reference: Reference) -> Document | Missing | Altered | NotAllowed | Unreachable:
        """The document, verified against the reference's size, digest and media type. The caller has room for it."""
