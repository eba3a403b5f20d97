"""The seams of the worker: what its core needs from Kafka, Kravia, the clock and telemetry, and no more.

Failures are values. Implementations live in `worker/kafka`, `worker/kravia` and `worker/documents`, fakes in `tests`;
one contract suite runs on both.
"""

from worker.ports.documents import Altered, Document, DocumentStore, Missing, NotAllowed, Room, Unreachable
from worker.ports.kafka import (
    Acked,
    Committed,
    Intake,
    Isolation,
    LogAdmin,
    LogProducer,
    LogReader,
    Lost,
    LostWhy,
    Scan,
    Sink,
    Tail,
)
from worker.ports.kravia import Details, KraviaApi, KraviaQueries, SearchPage, Validity
from worker.ports.observer import Observer
from worker.ports.process import Clock, Faults

__all__ = [
    "Acked",
    "Altered",
    "Clock",
    "Committed",
    "Details",
    "Document",
    "DocumentStore",
    "Faults",
    "Intake",
    "Isolation",
    "KraviaApi",
    "KraviaQueries",
    "LogAdmin",
    "LogProducer",
    "LogReader",
    "Lost",
    "LostWhy",
    "Missing",
    "NotAllowed",
    "Observer",
    "Room",
    "Scan",
    "SearchPage",
    "Sink",
    "Tail",
    "Unreachable",
    "Validity",
]
