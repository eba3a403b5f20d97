"""Input records of a run: invoices once and again, corrected, with documents, undecodable, in aborted transactions."""

import base64
import hashlib
import json
import random
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from schemas.identity import identity, partition_for
from tests.simulation.documents import STORE
from worker.model import Coordinates, OutRecord, TopicNames

CREDITORS = (10759, 10760)
DOCUMENTS = ("JVBERi0xLjQK", "ZGF5LGhvdXJzCg==")
"""In base64. The first travels in the event, the second is fetched."""
CONTENTS = {f"{STORE}1": DOCUMENTS[1]}
"""What the store has, by URL."""
_FETCHED = base64.b64decode(DOCUMENTS[1])
_REFERENCE: dict[str, Any] = {"url": f"{STORE}1", "sha256": hashlib.sha256(_FETCHED).hexdigest(), "size": len(_FETCHED)}


@dataclass(frozen=True, slots=True)
class Sample:
    """A record that a producer writes `at` this virtual second; `aborted`: in a transaction that it aborts."""

    at: float
    record: OutRecord
    aborted: bool = False


@lru_cache(maxsize=4096)
def event(creditor: int, number: str, amount: int, documents: int, accounting: str | None) -> bytes:
    """An invoice event's data."""
    invoice: dict[str, Any] = {
        "claimType": "Invoice",
        "creditorId": creditor,
        "accountingInvoiceId": accounting,
        "debtorName": "John Doe",
        "debtorNumber": "10001",
        "isPrivateIndividual": "true",
        "postalAddress": {
            "addressAddressLine1": "Karl Johan Gate",
            "addressPostalCode": "1000",
            "addressCity": "Oslo",
            "addressCountryCode": "NO",
        },
        "invoiceNo": number,
        "invoiceDate": "2025-04-01",
        "dueDate": "2026-01-01",
        "originalAmount": amount,
        "currencyCode": "NOK",
        "orderLines": [{"description": "Service A", "unitPrice": amount, "count": 1, "total": amount}],
    }
    sources = ({"content": DOCUMENTS[0]}, _REFERENCE)[:documents]
    attachments = [
        source | {"fileName": f"document-{index}.pdf", "mediaType": "application/pdf"}
        for index, source in enumerate(sources)
    ]
    return json.dumps({"invoice": invoice, "attachments": attachments}).encode()


def draw(rng: random.Random, topics: TopicNames, partitions: int, until: float) -> list[Sample]:
    """The records of a run, in the order in which they are written: most before second `until`."""
    samples = []
    names = [(rng.choice(CREDITORS), f"{rng.randrange(1000, 1999)}") for _ in range(rng.randrange(1, 7))]
    records: list[OutRecord] = []
    for creditor, number in names:
        documents = rng.choice((0, 0, 1, 2))
        accounting = rng.choice((None, f"A-{number}"))
        records.append(invoice(topics, partitions, creditor, number, 2500, documents, accounting))
        if rng.random() < 0.3:  # the same again
            records.append(invoice(topics, partitions, creditor, number, 2500, documents, accounting))
        if rng.random() < 0.1:  # other content under the same identity
            records.append(invoice(topics, partitions, creditor, number, 2600, documents, accounting))
    if rng.random() < 0.3:
        records.append(OutRecord(topics.requests, rng.randrange(partitions), b"key", b"not JSON", (("a", b"b"),)))
    if rng.random() < 0.3:
        rng.shuffle(records)
    burst = rng.random() < 0.5
    at = 0.0
    for record in records:
        at = min(until, at + (0.0 if burst else rng.expovariate(1.0) * until / 8))
        samples.append(Sample(at, record, aborted=rng.random() < 0.05))
        if rng.random() < 0.06:
            again = (("replay-of", str(Coordinates(record.topic, record.partition, 0)).encode()),)
            replay = OutRecord(topics.replays, record.partition, record.key, record.value, record.headers + again)
            samples.append(Sample(min(until, at + 20 * rng.random()), replay))
    for later in range(rng.choice((0, 0, 4, 8))):
        # Others, later: where their registers show in a search, they bear witness about doubts.
        record = invoice(topics, partitions, rng.choice(CREDITORS), f"{2000 + later}", 900, 0, None)
        samples.append(Sample(until + 100 * rng.random(), record))
    return sorted(samples, key=lambda sample: sample.at)


def invoice(
    topics: TopicNames, partitions: int, creditor: int, number: str, amount: int, documents: int, accounting: str | None
) -> OutRecord:
    """The record of an invoice event."""
    key = identity(creditor, "Invoice", number, accounting).encode()
    value = event(creditor, number, amount, documents, accounting)
    return OutRecord(topics.requests, partition_for(key, partitions), key, value)
