"""Endings of one event, and the receipts that they leave."""

from datetime import UTC, datetime

from worker.model import (
    Call,
    Coordinates,
    Discarded,
    Envelope,
    Failed,
    History,
    Problem,
    Reason,
    Record,
    Refusal,
    Rejected,
    Repeated,
    Resolved,
    Scheduled,
    Step,
    TopicNames,
)
from worker.receipts import Desk, Receipt

NOW = datetime(2026, 1, 2, 3, 4, 6, 500_000, tzinfo=UTC)
ORIGIN = Coordinates("invoice.requests", 11, 7)
ENVELOPE = Envelope(ORIGIN, "e-1", "/erp", "order-1", "00-aa-bb-01", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
BARE = Envelope(ORIGIN, None, None, None, None, NOW)
IDENTITY = "10759/CreditNote/20%20001/A%2F1"
DESK = Desk("invoice worker", "0.1.0", TopicNames(), outcome_partitions=4, dead_letter_partitions=3)
RECORD = Record("invoice.requests", 11, 7, 0, b"key", b"\xff value", (("a", b"\x00"), ("a", b"2"), ("b", b"")))
HISTORY = History(2, calls=(Call(NOW, "registered:200", "owner-1", 1041),))

SCHEDULED = Scheduled("4711")
REJECTED = Rejected(
    Refusal.VALIDATION,
    (Problem("/invoice/orderLines/3/total", "wrong_type", "No."), Problem("/invoice/x", "unknown_field", "No.")),
)
REFUSED = Rejected(Refusal.REFUSED, (), Step.REGISTER, 422)
FAILED = Failed(Step.ATTACH, Reason.EXPIRED, 5, 503, "4711", None, "server_error")
IN_DOUBT = Failed(Step.REGISTER, Reason.IN_DOUBT, 1, None, None, 1041, "timeout")
REPEATED = Repeated("39619694-16c2-5743-b460-c9d6d66caeb0", "4711")
DISCARDED = Discarded("kari", "Cancelled.")
RESOLVED = Resolved("registered", "kari", "Saw it in the portal.", 1041, "4711")
ENDINGS = [SCHEDULED, REJECTED, REFUSED, FAILED, IN_DOUBT, REPEATED, DISCARDED, RESOLVED]


def receipt(ending, envelope=ENVELOPE, identity=IDENTITY, history=HISTORY):
    return Receipt(envelope, identity, ending, history, NOW, NOW)
