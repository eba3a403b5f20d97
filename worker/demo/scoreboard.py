"""What was sent, how it ended, and the verdict. Pure: no clock, no I/O.

The verdict trusts nobody: what was sent is what the broker acknowledged to the producer, how it ended is what a
read_committed reader of the outcomes sees, and what was billed is what the simulated Kravia's own ledger holds.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from worker.model import Coordinates

OUTCOMES = ("scheduled", "rejected", "failed", "repeated", "discarded")
OutcomeId = Callable[[str, int, int], UUID]
"""The deterministic id of the outcome of the input record at topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went. Outcomes are of sent records; both of the last two must be 0."""

    sent: int
    outcomes: Mapping[str, int]
    registered_twice: int
    """Identities that Kravia's ledger holds more than once."""
    lost: int
    """Sent records without exactly one committed outcome."""

    @property
    def ok(self) -> bool:
        return self.registered_twice == 0 and self.lost == 0

    def line(self) -> str:
        """For machines: the field names and their order are fixed."""
        outcomes = " ".join(f"{name}={self.outcomes.get(name, 0)}" for name in OUTCOMES)
        return f"verdict: sent={self.sent} {outcomes} registered_twice={self.registered_twice} lost={self.lost}"


class Scoreboard:
    """Matches outcomes with what was sent, in whatever order the two are heard of."""

    def __init__(self, outcome_id: OutcomeId) -> None:
        self._outcome_id = outcome_id
        self._sent: dict[str, Coordinates] = {}
        self._outcomes: dict[str, list[str]] = {}
        self._settled = 0
        self.dead_letters = 0
        """Committed dead letters seen."""

    def sent(self, coordinates: Coordinates) -> None:
        """The broker acknowledged an input record."""
        outcome = str(self._outcome_id(*coordinates))
        self._sent[outcome] = coordinates
        self._settled += outcome in self._outcomes

    def outcome(self, outcome_id: str, name: str) -> None:
        """A committed outcome was read; `name` is one of OUTCOMES."""
        seen = self._outcomes.setdefault(outcome_id, [])
        self._settled += not seen and outcome_id in self._sent
        seen.append(name)

    @property
    def sent_count(self) -> int:
        return len(self._sent)

    @property
    def settled_count(self) -> int:
        """Sent records that have an outcome, or several."""
        return self._settled

    def by_outcome(self) -> Counter[str]:
        """Sent records by their first outcome."""
        return Counter(self._outcomes[sent][0] for sent in self._sent if sent in self._outcomes)

    def without_one(self) -> list[tuple[Coordinates, int]]:
        """Sent records that do not have exactly one outcome, and how many they have."""
        counts = ((where, len(self._outcomes.get(outcome, ()))) for outcome, where in self._sent.items())
        return [(where, count) for where, count in counts if count != 1]

    def verdict(self, registrations: Mapping[str, int]) -> Verdict:
        """The verdict; `registrations` says how often Kravia's ledger holds each identity."""
        return Verdict(
            sent=self.sent_count,
            outcomes=self.by_outcome(),
            registered_twice=sum(count > 1 for count in registrations.values()),
            lost=len(self.without_one()),
        )
