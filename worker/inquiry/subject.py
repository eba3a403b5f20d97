"""What somebody asks about: an invoice, a record, or an event's id. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from schemas.identity import identity_parts
from worker.model import Coordinates, TopicNames

_COORDINATES: Final = re.compile(r"([A-Za-z0-9._-]{1,249})/(\d{1,10})/(\d{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class OfInvoice:
    identity: str


@dataclass(frozen=True, slots=True)
class OfRecord:
    """Of an input topic, or the dead letter or outcome that became of one."""

    record: Coordinates


@dataclass(frozen=True, slots=True)
class OfEvent:
    """CloudEvents' id, as the producer chose it."""

    event_id: str


Subject = OfInvoice | OfRecord | OfEvent


def subject_of(text: str, topics: TopicNames) -> Subject:
    """What `text` names. An id that looks like an identity or like one of our topics' records is taken for that."""
    text = text.strip()
    if identity_parts(text) is not None:
        return OfInvoice(text)
    match = _COORDINATES.fullmatch(text)
    if match and match[1] in (*topics.inputs, topics.outcomes, topics.dead_letters):
        return OfRecord(Coordinates(match[1], int(match[2]), int(match[3])))
    return OfEvent(text)


@dataclass(frozen=True, slots=True)
class Target:
    """Whose story is told: an invoice of a partition, or a record that names none (`identity` None)."""

    identity: str | None
    partition: int
    record: Coordinates | None = None

    @property
    def key(self) -> bytes:
        """Of its ledger entry and its outcomes."""
        assert self.identity is not None or self.record is not None, "a target has a name"
        return (self.identity or str(self.record)).encode()
