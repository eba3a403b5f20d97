"""Read outcomes with confluent-kafka. Needs confluent-kafka, and `schemas` (pydantic only).

python read_outcomes_confluent.py [BOOTSTRAP [TOPIC [GROUP [COUNT]]]]; it ends after COUNT outcomes, if one is given.
"""

import sys

from confluent_kafka import Consumer, KafkaException

from schemas.outcomes import OUTCOME, FailedOutcome, RejectedOutcome


def text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""


def main(
    bootstrap: str = "localhost:9092", topic: str = "invoice.outcomes", group: str = "billing", count: str = "0"
) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "isolation.level": "read_committed",  # librdkafka's default; said all the same, for it matters
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    seen = 0
    try:
        while not int(count) or seen < int(count):
            record = consumer.poll(1.0)
            if record is None:
                continue
            if (error := record.error()) is not None:
                raise KafkaException(error)
            # The same for the same input record: what was handled before a crash and is read again can be dropped.
            event_id = text(dict(record.headers() or [])["ce_id"])
            outcome = OUTCOME.validate_json(record.value() or b"")
            why = outcome.reason if isinstance(outcome, RejectedOutcome | FailedOutcome) else ""
            print(event_id, text(record.key()), outcome.outcome, why or getattr(outcome, "invoiceId", None) or "-")
            consumer.commit(message=record, asynchronous=False)  # once it is handled
            seen += 1
    finally:
        consumer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
