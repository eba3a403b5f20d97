"""A record on its way through its partition's lane."""

from dataclasses import dataclass
from datetime import datetime

from worker.course import Course
from worker.model import Decoded, Envelope, Record
from worker.spans import NO_SPAN, Span


@dataclass(slots=True)
class Work:
    """A record on its way through the lane."""

    record: Record
    decoded: Decoded
    taken: datetime
    course: Course | None = None
    ended: bool = False
    span: Span = NO_SPAN

    @property
    def key(self) -> str:
        return self.decoded.identity or str(self.record.coordinates)

    @property
    def envelope(self) -> Envelope:
        return self.decoded.envelope

    @property
    def state(self) -> str:
        """Where it stands, in the words of the metrics."""
        if self.ended:
            return "settling"
        return "queued" if self.course is None else self.course.waiting
