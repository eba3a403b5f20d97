"""The values that the worker's parts hand to each other: records, decoded events, endings.

Nothing here reads a clock, does I/O or knows asyncio.
"""

from worker.model.endings import (
    Call,
    Discarded,
    Ending,
    Failed,
    History,
    Problem,
    Reason,
    Refusal,
    Rejected,
    Repeated,
    Resolved,
    Scheduled,
    Step,
)
from worker.model.events import Attachment, Audit, Command, Decoded, Envelope, Event, Invalid, Reference
from worker.model.records import Coordinates, OutRecord, Partition, Record, TopicNames

__all__ = [
    "Attachment",
    "Audit",
    "Call",
    "Command",
    "Coordinates",
    "Decoded",
    "Discarded",
    "Ending",
    "Envelope",
    "Event",
    "Failed",
    "History",
    "Invalid",
    "OutRecord",
    "Partition",
    "Problem",
    "Reason",
    "Record",
    "Reference",
    "Refusal",
    "Rejected",
    "Repeated",
    "Resolved",
    "Scheduled",
    "Step",
    "TopicNames",
]
