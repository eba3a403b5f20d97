"""Input records for tests with real workers: good ones, and ones that are wrong on purpose."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from schemas.events import REQUESTED_TYPE
from schemas.identity import identity, partition_for
from schemas.jsontext import dumps

CREDITOR = 10759
PDF = b"%PDF-1.4\n% a sample, not a real document\n%%EOF\n"


@dataclass(frozen=True)
class Draft:
    """A record to send. `identity` is the invoice's, also where the record is too broken to tell."""

    identity: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    partition: int | None = None
    """None: where the identity leads."""

    def partition_of(self, partitions: int) -> int:
        return partition_for(self.identity.encode(), partitions) if self.partition is None else self.partition


def data(number: int | str, *, creditor: int = CREDITOR, documents: int = 0, **changes: Any) -> dict[str, Any]:
    """A good event's data; `changes` are fields of the register body."""
    invoice: dict[str, Any] = {
        "claimType": "Invoice",
        "creditorId": creditor,
        "debtorName": "Kari Nordby",
        "debtorNumber": "10001",
        "isPrivateIndividual": "true",
        "invoiceNo": str(number),
        "invoiceDate": "2026-04-01",
        "dueDate": "2026-05-01",
        "originalAmount": 2500,
        "currencyCode": "NOK",
    }
    if changes.get("claimType") != "CreditNote":  # of a credit note it would be part of the identity
        invoice["accountingInvoiceId"] = f"acc-{number}"
    made: dict[str, Any] = {"invoice": invoice | changes}
    if documents:
        made["attachments"] = [
            {
                "fileName": f"{number}-{index}.pdf",
                "mediaType": "application/pdf",
                "content": base64.b64encode(PDF + str(index).encode()).decode(),
            }
            for index in range(documents)
        ]
    return made


def headers(event_id: str, **changes: str | None) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents headers in binary mode; `changes` by attribute, None leaves one out."""
    texts: dict[str, str | None] = {
        "specversion": "1.0",
        "id": event_id,
        "source": "urn:test:billing",
        "type": REQUESTED_TYPE,
    }
    pairs = tuple((f"ce_{name}", text.encode()) for name, text in (texts | changes).items() if text is not None)
    return (*pairs, ("content-type", b"application/json"))


def event(
    number: int | str, *, event_id: str | None = None, creditor: int = CREDITOR, documents: int = 0, **changes: Any
) -> Draft:
    """A good event of an invoice; `changes` are fields of its register body."""
    name = identity(creditor, changes.get("claimType", "Invoice"), str(number), changes.get("accountingInvoiceId"))
    value = dumps(data(number, creditor=creditor, documents=documents, **changes))
    return Draft(name, name.encode(), value, headers(event_id or f"event-{number}"))


def numbers_on(partition: int, partitions: int = 4, *, creditor: int = CREDITOR, prefix: str = "") -> Iterator[str]:
    """Invoice numbers whose identities lead to this partition, without end."""
    for number in count(1):
        text = f"{prefix}{number}"
        if partition_for(identity(creditor, "Invoice", text).encode(), partitions) == partition:
            yield text
