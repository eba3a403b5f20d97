"""Write one invoice event with confluent-kafka. Needs confluent-kafka, and `schemas` (pydantic only).

python produce_confluent.py INVOICE_NO [BOOTSTRAP [TOPIC]]
"""

import sys
from decimal import Decimal
from uuid import uuid4

from confluent_kafka import KafkaException, Message, Producer

from schemas.events import REQUESTED_TYPE, Invoice, InvoiceRequest, encode, identity_of


def delivered(error: object, message: Message) -> None:
    """Called by `flush`, once for each event."""
    if error is not None:
        raise KafkaException(error)
    print("written to", f"{message.topic()}/{message.partition()}/{message.offset()}")


def main(invoice_no: str, bootstrap: str = "localhost:9092", topic: str = "invoice.requests") -> None:
    request = InvoiceRequest(
        invoice=Invoice(
            claimType="Invoice",
            creditorId=10759,
            invoiceNo=invoice_no,
            debtorName="John Doe",
            invoiceDate="2025-04-01",
            dueDate="2026-01-01",
            originalAmount=Decimal("2500.10"),
            currencyCode="NOK",
        )
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",  # librdkafka's default leads to other partitions: misrouted
            "enable.idempotence": True,
        }
    )
    producer.produce(
        topic,
        key=identity_of(request).encode(),
        value=encode(request),
        headers={
            "ce_specversion": "1.0",
            "ce_id": str(uuid4()),
            "ce_source": "/erp/oslo",
            "ce_type": REQUESTED_TYPE,
            "content-type": "application/json",
        },
        on_delivery=delivered,
    )
    if producer.flush(30):
        raise SystemExit("not written within 30 s: the brokers did not answer")


if __name__ == "__main__":
    main(*sys.argv[1:])
