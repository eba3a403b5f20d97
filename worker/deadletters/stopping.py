"""When a run stops because its replays fail again. Pure."""

from collections import Counter
from dataclasses import dataclass, field

from schemas.outcomes import Outcome

WELL = frozenset({"scheduled", "repeated", "resolved", "discarded"})


@dataclass(slots=True)
class Tally:
    """How the outcomes of a run went. `limit`: failures in a row that end it; None: it goes on whatever comes."""

    limit: int | None = None
    results: Counter[str] = field(default_factory=Counter)
    well: int = 0
    ill: int = 0
    _row: int = 0

    def take(self, outcome: Outcome) -> bool:
        """Count one; whether it went well."""
        self.results[result_of(outcome)] += 1
        went_well = outcome.outcome in WELL
        if went_well:
            self.well, self._row = self.well + 1, 0
        else:
            self.ill, self._row = self.ill + 1, self._row + 1
        return went_well

    @property
    def stop(self) -> str | None:
        """Why to stop, in words: `limit` failures in a row, or more than half of at least twice as many outcomes."""
        if self.limit is None:
            return None
        if self._row >= self.limit:
            return f"{self._row} failed in a row"
        total = self.well + self.ill
        if total >= 2 * self.limit and self.ill * 2 > total:
            return f"{self.ill} of {total} failed"
        return None


def result_of(outcome: Outcome) -> str:
    """`scheduled`, `rejected refused`, …"""
    reason = getattr(outcome, "reason", None)
    return outcome.outcome if reason is None else f"{outcome.outcome} {reason}"
