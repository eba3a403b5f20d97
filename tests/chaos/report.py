"""What a run came to, for people and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_RESOLUTIONS = {"certainlynot": "not_registered"}
"""What the logs call otherwise than the metrics."""


@dataclass
class Report:
    """Counts by name; `seconds` by phase. `violations`: a sentence for each broken promise."""

    seed: int
    broker: str
    workers: int
    events: int = 0
    unclear_sends: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    dead_letters: int = 0
    missing: list[str] = field(default_factory=list)
    invoices: int = 0
    registers_per_identity_max: int = 0
    possible_double_registers: int = 0
    started_twice: int = 0
    calls: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    troubles: Mapping[str, int] = field(default_factory=dict)
    workers_ended_by_themselves: Mapping[str, int] = field(default_factory=dict)
    ownerships_lost: Mapping[str, int] = field(default_factory=dict)
    doubts: Mapping[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.missing and not self.violations

    def text(self) -> str:
        """For people; the last line is the verdict."""
        lines = [
            f"seed {self.seed}, {self.workers} workers, {self.broker}",
            f"events     {self.events} ({self.unclear_sends} of them without a clear acknowledgement upstream)",
            f"outcomes   {_counts(self.outcomes)}; {self.dead_letters} dead letters",
            f"troubles   {_counts(self.troubles)}",
            f"workers that ended by themselves, by exit status: {_counts(self.workers_ended_by_themselves)}",
            f"ownerships lost, by why: {_counts(self.ownerships_lost)}",
            f"doubts resolved: {_counts(self.doubts)}",
            f"invoices   {self.invoices}, for each identity at most {self.registers_per_identity_max}",
            f"possible double registers {self.possible_double_registers}; started twice {self.started_twice}",
            *(f"calls      {step}: {_counts(results)}" for step, results in self.calls.items()),
            f"seconds    {', '.join(f'{phase} {spent:.0f}' for phase, spent in self.seconds.items())}",
            *(f"MISSING    {one}" for one in self.missing[:20]),
            *(f"VIOLATION  {one}" for one in self.violations[:50]),
        ]
        settled = sum(self.outcomes.values())
        verdict = f"events={self.events} settled={settled} missing={len(self.missing)}"
        verdict += f" registers_per_identity_max={self.registers_per_identity_max} violations={len(self.violations)}"
        word = "BROKEN" if self.violations else "NOT SETTLED IN TIME" if self.missing else "every promise was kept"
        return "\n".join([*lines, f"verdict: {word}: {verdict}"])

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"good": self.good}


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items())) or "none"


def logged(directory: Path) -> tuple[dict[str, int], dict[str, int]]:
    """From the workers' logs, of all their lives: ownerships lost by why, doubts resolved by resolution."""
    lost, doubts = Counter[str](), Counter[str]()
    for line in _lines(directory):
        if line.get("event") == "ownership_lost":
            lost[line["why"]] += 1
        elif line.get("event") == "doubt_resolved":
            doubts[_RESOLUTIONS.get(line["resolution"], line["resolution"])] += 1
    return dict(lost), dict(doubts)


def _lines(directory: Path) -> Iterator[dict[str, Any]]:
    for log in directory.glob("*/worker.log"):
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("{"):
                try:
                    yield json.loads(line)
                except ValueError:  # cut off by kill -9
                    continue
