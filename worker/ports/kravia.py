"""Kravia's API, as the core needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from worker.answers import Answer
from worker.ports.documents import Document


class Validity(Protocol):
    """How long an acknowledged intent is good for, checked as the last act before bytes leave."""

    def holds(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Details:
    """What `/details` tells. None: it does not tell (field names are undocumented)."""

    documents: tuple[str, ...] | None
    """File names of the documents that are there."""
    start_available: bool | None
    raw: Mapping[str, object] = field(default_factory=dict, compare=False)
    """The whole answer, where it is a JSON object: the reconciler looks for identity fields in it."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Rows of one page of `/invoice/search`, as parsed JSON objects (fields undocumented)."""

    rows: tuple[Mapping[str, object], ...]


class KraviaQueries(Protocol):
    """What can be asked without changing anything."""

    async def details(self, invoice_id: str) -> Details | Answer:
        """GET /invoice/{id}/details; an `Answer` is why it could not be read."""

    async def search(self, since: datetime, *, skip: int, top: int) -> SearchPage | Answer:
        """GET /invoice/search of what changed since `since`, oldest first; an `Answer` is why it could not be read.

        `since` without a zone is a time as a row printed it; an aware one is sent as UTC.
        """


class KraviaApi(KraviaQueries, Protocol):
    async def register(self, body: bytes, validity: Validity) -> Answer:
        """POST /invoice/register, at most once. Never `Done` or `NotVisible`."""

    async def attach(
        self, invoice_id: str, file_name: str, media_type: str, content: str | Document, validity: Validity
    ) -> Answer:
        """POST /invoice/{id}/document. `content`: base64 text, or a fetched document. Never `Registered`."""

    async def start(self, invoice_id: str, message: str, validity: Validity) -> Answer:
        """POST /invoice/{id}/action?action=Start. Never `Registered`."""
