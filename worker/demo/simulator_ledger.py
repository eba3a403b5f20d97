"""What the simulated Kravia really did: the judge of *never billed twice*."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from worker.demo.simulator_wire import Part, Registration

FIRST_ID = 100_001


@dataclass(frozen=True, slots=True)
class Document:
    """An upload, by the SHA-256 of its decoded bytes. `file_name` None: it came as base64 text without one."""

    sha256: str
    size: int
    file_name: str | None
    media_type: str | None


@dataclass(slots=True)
class Invoice:
    """One carried-out register call. Times in seconds since the epoch."""

    id: int
    identity: str
    row: dict[str, object]
    body: bytes
    """Byte for byte as it came."""
    registered: float
    updated: float
    visible: float
    """From then on a search shows it."""
    documents: list[Document] = field(default_factory=list)
    started: int = 0
    messages: list[str] = field(default_factory=list)


class Ledger:
    """All invoices by id and by identity."""

    def __init__(self, now: Callable[[], float], seed: int = 0) -> None:
        self._now = now
        self._random = random.Random(seed)
        self.by_id: dict[str, Invoice] = {}
        self.by_identity: dict[str, list[Invoice]] = {}

    def register(self, registration: Registration, body: bytes, delay: float, jitter: float) -> Invoice:
        """Carry a register call out. A search shows it `delay` to `delay + jitter` seconds later."""
        now = self._now()
        invoice = Invoice(
            id=FIRST_ID + len(self.by_id),
            identity=registration.identity,
            row=registration.row,
            body=body,
            registered=now,
            updated=now,
            visible=now + delay + (self._random.uniform(0, jitter) if jitter else 0.0),
        )
        self.by_id[str(invoice.id)] = invoice
        self.by_identity.setdefault(invoice.identity, []).append(invoice)
        return invoice

    def attach(self, invoice: Invoice, content: bytes, part: Part) -> None:
        digest = hashlib.sha256(content).hexdigest()
        invoice.documents.append(Document(digest, len(content), part.file_name, part.media_type))
        invoice.updated = self._now()

    def start(self, invoice: Invoice, message: str) -> None:
        invoice.started += 1
        invoice.messages.append(message)
        invoice.updated = self._now()

    @property
    def registered_twice(self) -> list[str]:
        """Identities that were registered more than once."""
        return [identity for identity, invoices in self.by_identity.items() if len(invoices) > 1]

    def search(self, since: float, skip: int, top: int, fields: Iterable[str]) -> list[dict[str, object]]:
        """Rows of what changed at or after `since` and is visible, ordered by last change.

        ASSUMPTION: attach and start change `lastUpdatedTime`, the bound is inclusive, and a row's fields are named so.
        """
        now = self._now()
        found = sorted(
            (invoice for invoice in self.by_id.values() if invoice.updated >= since and invoice.visible <= now),
            key=lambda invoice: (invoice.updated, invoice.id),
        )
        wanted = tuple(fields)
        return [
            {
                "id": invoice.id,
                **{name: invoice.row[name] for name in wanted if name in invoice.row},
                "lastUpdatedTime": ticks(invoice.updated),
            }
            for invoice in found[skip : skip + top]
        ]

    def details(self, invoice: Invoice) -> dict[str, object]:
        """ASSUMPTION, every name: the guide says only that documents and available actions are told."""
        return {
            "id": invoice.id,
            **invoice.row,
            "documents": [
                {"type": "InvoiceAttachment"} | ({} if sent.file_name is None else {"fileName": sent.file_name})
                for sent in invoice.documents
            ],
            "availableActions": [] if invoice.started else [{"name": "Start"}],
        }

    def totals(self) -> dict[str, int]:
        started = Counter(min(invoice.started, 2) for invoice in self.by_id.values())
        return {
            "invoices": len(self.by_id),
            "identities": len(self.by_identity),
            "registered_twice": len(self.registered_twice),
            "documents": sum(len(invoice.documents) for invoice in self.by_id.values()),
            "started": started[1] + started[2],
            "started_twice": started[2],
        }

    def entries(self, identity: str | None = None) -> dict[str, list[dict[str, object]]]:
        """What is known of each identity (or of one), as JSON."""
        chosen = self.by_identity if identity is None else {identity: self.by_identity.get(identity, [])}
        return {name: [_entry(invoice) for invoice in invoices] for name, invoices in chosen.items()}


def _entry(invoice: Invoice) -> dict[str, object]:
    return {
        "id": invoice.id,
        "registered": invoice.registered,
        "visible": invoice.visible,
        "body_sha256": hashlib.sha256(invoice.body).hexdigest(),
        "documents": [
            {"sha256": sent.sha256, "size": sent.size, "file_name": sent.file_name, "media_type": sent.media_type}
            for sent in invoice.documents
        ],
        "started": invoice.started,
    }


def ticks(seconds: float) -> str:
    """A time as the guide prints it: no zone (ASSUMPTION: UTC), seven decimals."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0"


def from_ticks(text: str) -> float | None:
    """Seconds since the epoch; None when it is no such time."""
    head, _, fraction = text.partition(".")
    try:
        whole = datetime.strptime(head, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
        return whole + (float(f"0.{fraction}") if fraction else 0.0)
    except ValueError:
        return None
