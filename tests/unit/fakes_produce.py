"""Events for `schemas.produce`, and what the worker reads of a message."""

from decimal import Decimal

import pytest

from schemas.events import Invoice, InvoiceRequest
from schemas.produce import InvoiceEvent
from schemas.rules import DEFAULT_POLICY, KEY_DIFFERS
from worker.decode import decode
from worker.model import Event, Record

COUNT = 12
MODES = pytest.mark.parametrize("mode", ["binary", "structured"])
URL = "https://documents.example.com/20003.pdf"


def request(attachments=None, **changes):
    invoice = {
        "claimType": "Invoice",
        "creditorId": 10759,
        "invoiceNo": "20003",
        "debtorName": "John Doe",
        "invoiceDate": "2025-04-01",
        "dueDate": "2026-01-01",
        "originalAmount": Decimal("2500.10"),
        "currencyCode": "NOK",
        **changes,
    }
    return InvoiceRequest(invoice=Invoice(**invoice), attachments=attachments)


def event(*attachments, **changes):
    return InvoiceEvent(request([*attachments] or None), **({"source": "/erp/oslo", "id": "e-1"} | changes))


def read(message, count=COUNT):
    """What the worker makes of it, where no rule beyond shape rejects (`schemas.rules` has tests of its own)."""
    record = Record("invoice.requests", message.partition, 7, 1, message.key, message.value, tuple(message.headers))
    result = decode(record, partition_count=count, rules=DEFAULT_POLICY.lenient)
    assert isinstance(result, Event), result
    assert KEY_DIFFERS not in {problem.code for problem in result.warnings}
    return result
