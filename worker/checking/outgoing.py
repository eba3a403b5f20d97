"""The record that an item becomes when it is sent. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from schemas.events import REQUESTED_TYPE
from worker.checking.items import Form, Item
from worker.checking.judge import Judged
from worker.model import OutRecord

SOURCE: Final = "urn:kravia-invoice-worker:emit"
"""CloudEvents source of an event that came as bare data."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record, whose it is, and its event's id, where they are known."""

    record: OutRecord
    identity: str | None
    event_id: str | None


def outgoing(item: Item, judged: Judged, topic: str, *, event_id: str, now: datetime, source: str = SOURCE) -> Outgoing:
    """The record of an item that was judged for this topic's partitions.

    Bare data becomes a CloudEvent in binary mode, with `event_id`, `source` and `now` (aware) as its attributes; what
    has attributes keeps them, and its bytes. A record that leads nowhere (sent by force) goes to partition 0.
    """
    bare = item.form is Form.DATA
    headers = binary_headers(event_id, source, now) if bare else item.headers
    record = OutRecord(topic, judged.partition or 0, judged.key, item.value, headers)
    return Outgoing(record, judged.identity, event_id if bare else judged.event_id)


def binary_headers(event_id: str, source: str, time: datetime) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents attributes of an invoice event in Kafka's binary mode."""
    texts = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": source,
        "ce_type": REQUESTED_TYPE,
        "ce_time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "content-type": "application/json",
    }
    return tuple((name, text.encode()) for name, text in texts.items())
