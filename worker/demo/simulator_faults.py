"""Scripted misbehaviour of the simulated Kravia."""

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SimulatedStep = Literal["register", "attach", "start", "details", "search"]


class Fault(BaseModel):
    """One rule: which calls it meets, how often, and what happens to them. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["status", "lost", "reset", "late", "slow", "hang", "body"]
    """What happens:

    - `status`: answered with `status`, `retry_after` and `body`; carried out only when `processed`;
    - `lost`: carried out, then the connection is reset without an answer;
    - `reset`: the connection is reset, nothing was carried out;
    - `late`: the connection is reset (or `status` answered when set), and it is carried out `delay` later;
    - `slow`: carried out at once, answered `delay` later;
    - `hang`: carried out when `processed`, never answered;
    - `body`: carried out, answered with 200 (or `status`) and `body` in place of the real one.
    """
    step: SimulatedStep | Literal["*"] = "*"
    status: int | None = Field(default=None, ge=200, le=999)
    retry_after: float | str | None = None
    """Seconds, or the header's text as it is."""
    location: str | None = None
    body: str = ""
    processed: bool = False
    delay: float = Field(default=0.0, ge=0)
    identity: str | None = None
    """Only calls about this invoice."""
    probability: float = Field(default=1.0, ge=0, le=1)
    times: int | None = Field(default=None, ge=1)
    """Ends after so many calls; with `per_identity` after so many of each invoice."""
    per_identity: bool = False


class Script:
    """The rules in force, in order: the first that meets a call decides. Random but for its seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._faults: tuple[Fault, ...] = ()
        self._used: Counter[tuple[int, str | None]] = Counter()

    @property
    def faults(self) -> Sequence[Fault]:
        return self._faults

    @property
    def met(self) -> int:
        """How many calls met one of the rules in force."""
        return self._used.total()

    def replace(self, faults: Iterable[Fault]) -> None:
        """Forget the former rules and their counts."""
        self._faults = tuple(faults)
        self._used.clear()

    def choose(self, step: SimulatedStep, identity: str | None) -> Fault | None:
        """What happens to this call; counts it."""
        for number, fault in enumerate(self._faults):
            if fault.step not in ("*", step) or (fault.identity is not None and fault.identity != identity):
                continue
            counted = (number, identity if fault.per_identity else None)
            if fault.times is not None and self._used[counted] >= fault.times:
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            self._used[counted] += 1
            return fault
        return None
