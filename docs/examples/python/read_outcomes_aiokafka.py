"""Read outcomes with aiokafka. Needs aiokafka, and `schemas` (pydantic only).

python read_outcomes_aiokafka.py [BOOTSTRAP [TOPIC [GROUP [COUNT]]]]; it ends after COUNT outcomes, if one is given.
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer

from schemas.outcomes import OUTCOME, FailedOutcome, RejectedOutcome, ScheduledOutcome


async def main(
    bootstrap: str = "localhost:9092", topic: str = "invoice.outcomes", group: str = "billing", count: str = "0"
) -> None:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        isolation_level="read_committed",  # aiokafka's default shows outcomes that were aborted
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    seen = 0
    try:
        async for record in consumer:
            # The same for the same input record: what was handled before a crash and is read again can be dropped.
            event_id = dict(record.headers)["ce_id"].decode()
            match OUTCOME.validate_json(record.value):
                case ScheduledOutcome() as outcome:
                    print(event_id, outcome.identity, "scheduled", outcome.invoiceId)
                case RejectedOutcome() | FailedOutcome() as outcome:
                    print(event_id, record.key.decode(), outcome.outcome, outcome.reason)
                case outcome:
                    print(event_id, record.key.decode(), outcome.outcome, getattr(outcome, "invoiceId", None) or "-")
            await consumer.commit()  # once it is handled
            seen += 1
            if seen == int(count):
                break
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
