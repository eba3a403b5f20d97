"""What was read about one invoice, picked out of whole partitions. Pure, bounded."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from schemas.dead_letters import DeadLetterHeaders, read_headers
from schemas.outcomes import OUTCOME, Outcome
from worker.decode import decode
from worker.facts import Fact, Kind, Progress, UnreadableRecordError
from worker.facts import decode as decode_fact
from worker.inquiry.subject import Target
from worker.model import Command, Coordinates, Envelope, Record, TopicNames
from worker.standing import Entry, decode_entry

KEPT: Final = 200
"""The latest of each kind that are kept: an invoice has a handful."""
KEPT_FACTS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An input record without an outcome. `command`: it is a person's verdict."""

    envelope: Envelope
    command: bool


@dataclass(slots=True)
class Evidence:
    """Everything that Kafka tells of a target.

    Read the input first and ledger and outcomes after it: what was settled meanwhile is known as settled then.
    """

    target: Target
    topics: TopicNames
    partitions: int
    """Of the input topics."""
    inputs: deque[Unsettled] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Records at or after the committed offsets."""
    facts: deque[tuple[int, Fact]] = field(default_factory=lambda: deque(maxlen=KEPT_FACTS))
    """Facts and their offsets in the journal."""
    claim: Fact | None = None
    """The latest owner's."""
    entry: Entry | None = None
    outcomes: deque[tuple[Coordinates, Outcome]] = field(default_factory=lambda: deque(maxlen=KEPT))
    letters: deque[tuple[Coordinates, DeadLetterHeaders]] = field(default_factory=lambda: deque(maxlen=KEPT))
    unreadable: list[Coordinates] = field(default_factory=list)
    """Records of ours that a newer version wrote, or nobody; the first few."""

    def take_input(self, record: Record) -> None:
        """A record at or after the committed offset of its input topic."""
        commands = record.topic == self.topics.replays
        decoded = decode(record, partition_count=self.partitions, commands=commands)
        named, asked = decoded.identity, self.target.identity
        if named == asked if asked else record.coordinates == self.target.record:
            self.inputs.append(Unsettled(decoded.envelope, isinstance(decoded, Command)))

    def take_fact(self, record: Record) -> None:
        """A record of the partition's journal."""
        try:
            fact = decode_fact(record.value or b"")
        except UnreadableRecordError:
            self._cannot_read(record)
            return
        if fact.kind is Kind.CLAIM:
            self.claim = fact
        elif fact.identity is not None and fact.identity == self.target.identity:
            self.facts.append((record.offset, fact))

    def take_entry(self, record: Record) -> None:
        """A record of the partition's ledger."""
        if record.key != self.target.key or record.value is None:
            return
        try:
            self.entry = decode_entry(record.value)
        except UnreadableRecordError:
            self._cannot_read(record)

    def take_outcome(self, record: Record) -> None:
        """A record of the outcome topic."""
        if record.key != self.target.key or record.value is None:
            return
        try:
            self.outcomes.append((record.coordinates, OUTCOME.validate_json(record.value)))
        except ValidationError:
            self._cannot_read(record)

    def take_letter(self, record: Record) -> None:
        """A record of the dead-letter topic."""
        headers = read_headers((name, value or b"") for name, value in record.headers)
        if not isinstance(headers, DeadLetterHeaders):
            return
        record_of = Coordinates(headers.topic, headers.partition, headers.offset)
        mine = headers.identity == self.target.identity if self.target.identity else record_of == self.target.record
        if mine:
            self.letters.append((record.coordinates, headers))

    def _cannot_read(self, record: Record) -> None:
        if len(self.unreadable) < KEPT:
            self.unreadable.append(record.coordinates)

    @property
    def unsettled(self) -> list[Unsettled]:
        """The input records that have no outcome yet."""
        settled = self.entry.settled if self.entry else (-1, -1)
        ended = {Coordinates(o.origin.topic, o.origin.partition, o.origin.offset) for _, o in self.outcomes}
        return [
            one
            for one in self.inputs
            if one.envelope.origin not in ended
            and one.envelope.origin.offset > settled[self.topics.inputs.index(one.envelope.origin.topic)]
        ]

    def progress(self, origin: Coordinates) -> Progress:
        """What the journal says of one input record."""
        made = Progress()
        for offset, fact in self.facts:
            if fact.input == origin and fact.kind is not Kind.RENEW:
                made.add(offset, fact)
        return made
