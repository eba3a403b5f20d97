"""The events that both sides of the benchmark carry out: all alike but for their numbers, all good."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from schemas.events import REQUESTED_TYPE
from schemas.identity import identity, partition_for
from schemas.jsontext import Writable, dumps
from worker.decode import decode
from worker.kravia import multipart
from worker.model import Event, Record, Reference

_CREDITOR = 10759
_DOCUMENT = base64.b64encode(b"%PDF-1.4\n" + b"% a sample, not a real document\n" * 24 + b"%%EOF\n").decode()
"""One small document, about 1 KB of base64 text."""


@dataclass(frozen=True, slots=True)
class Message:
    """A record for the requests topic."""

    identity: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    partition: int


@dataclass(frozen=True, slots=True)
class Calls:
    """The bodies of the three calls of one event, byte for byte as the worker sends them; forms with content type."""

    register: bytes
    attach: tuple[str, bytes]
    start: tuple[str, bytes]


def messages(tag: str, count: int, partitions: int) -> Iterator[Message]:
    """`count` events for a topic of `partitions`; no other tag makes the same invoices."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for number in range(count):
        invoice_no = f"{tag}-{number}"
        name = identity(_CREDITOR, "Invoice", invoice_no)
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"event-{invoice_no}",
            "ce_source": "urn:bench",
            "ce_type": REQUESTED_TYPE,
            "ce_time": now,
            "content-type": "application/json",
        }
        key = name.encode()
        yield Message(
            name,
            key,
            dumps(_data(invoice_no)),
            tuple((header, text.encode()) for header, text in headers.items()),
            partition_for(key, partitions),
        )


def calls(tag: str, count: int) -> list[Calls]:
    """What the worker would send for `messages(tag, count, …)`: its own decoder and its own forms make the bytes."""
    made = []
    for offset, message in enumerate(messages(tag, count, 1)):
        event = decode(Record("bench", 0, offset, 0, message.key, message.value, message.headers), partition_count=1)
        if not isinstance(event, Event):
            raise TypeError(f"the benchmark's event is not valid: {event!r}")
        attachment = event.attachments[0]
        if isinstance(attachment, Reference):
            raise TypeError("the benchmark's documents travel in their events")
        document = multipart.document_as_text(attachment.content)
        made.append(Calls(event.body, document, multipart.action(event.start_message)))
    return made


def _data(invoice_no: str) -> dict[str, Writable]:
    line: dict[str, Writable] = {
        "unitPrice": Decimal(125),
        "count": 10,
        "vatInPercent": 25,
        "unit": "g",
        "total": Decimal(1250),
    }
    return {
        "invoice": {
            "claimType": "Invoice",
            "creditorId": _CREDITOR,
            "accountingInvoiceId": f"acc-{invoice_no}",
            "debtorName": "John Doe",
            "debtorNumber": "10001",
            "email": "john@example.com",
            "ssn": None,
            "organizationNumber": None,
            "isPrivateIndividual": "true",
            "postalAddress": {
                "addressAddressLine1": "Karl Johan Gate",
                "addressPostalCode": "1000",
                "addressCity": "Oslo",
                "addressCountryCode": "NO",
            },
            "invoiceNo": invoice_no,
            "invoiceDate": "2025-04-01",
            "dueDate": "2026-01-01",
            "originalAmount": Decimal(2500),
            "currencyCode": "NOK",
            "description": "A sample invoice with two lines",
            "orderLines": [{"description": "Service A", **line}, {"description": "Service B", **line}],
        },
        "attachments": [{"fileName": "invoice.pdf", "mediaType": "application/pdf", "content": _DOCUMENT}],
        "startMessage": "Confirming invoice action",
    }
