"""What goes wrong, drawn from the seed: each run has a weather of its own, so that rare faults meet each other."""

import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum

from tests.simulation.process import Process


class Verdict(Enum):
    """What becomes of a request."""

    FINE = "fine"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    UNCLEAR = "acknowledged without an offset"
    """Writes only."""
    REFUSED = "refused"
    """Writes only."""


@dataclass(frozen=True, slots=True)
class Fate:
    """A request takes effect `there` seconds after it left; `back` seconds later the caller hears of it.

    Where it never hears, it gives up `patience` seconds after it asked.
    """

    verdict: Verdict
    there: float
    back: float
    patience: float


@dataclass(frozen=True, slots=True)
class Weather:
    """Probabilities for each request, call or moment; `strikes`: crashes and freezes in a run at the most."""

    delay: float = 0.0
    lost: float = 0.0
    unclear: float = 0.0
    refused: float = 0.0
    strike: float = 0.0
    crashes: float = 0.5
    """Of the strikes; the others are freezes."""
    strikes: int = 0
    evictions: int = 0
    stops: int = 0
    """Orderly stops and restarts of a worker."""
    api: float = 0.0
    """An API call that does not simply succeed."""
    api_slow: float = 0.0
    answer_slow: float = 0.0
    """A call that is carried out at once and answered seconds later."""
    haste: float = 2.0
    """Of Kravia with calls that were given up on: 1 spreads over the whole of A when they are carried out."""
    long: float = 0.25
    """Of the delays and freezes: longer than most time-outs."""
    suspends: float = 0.2
    """Of the freezes: the whole machine stands still, and its clocks but the wall's do not count them."""
    set_back: float = 0.1
    """Of the freezes: the wall clock is set back by as much when they end."""
    people: float = 0.6
    """A person decides about a doubt that was left to one."""
    twice: float = 0.4
    """... and writes the verdict twice, the second one late."""
    clerks: float = 0.5
    """A person replays, edits or discards a record that did not end well."""

    @classmethod
    def draw(cls, rng: random.Random) -> "Weather":
        """Each fault is off in many runs, rare in some, frequent in others."""

        def rate(*levels: float) -> float:
            return rng.choice((0.0, *levels))

        return cls(
            delay=rate(0.02, 0.1, 0.3),
            lost=rate(0.0, 0.01, 0.04),
            unclear=rate(0.0, 0.01, 0.04),
            refused=rate(0.0, 0.0, 0.02),
            strike=rate(0.003, 0.01, 0.03),
            crashes=rng.choice((0.0, 0.3, 0.7, 1.0)),
            strikes=rng.choice((0, 1, 2, 3, 6)),
            evictions=rng.choice((0, 0, 0, 1, 2)),
            stops=rng.choice((0, 0, 0, 1, 2)),
            api=rate(0.05, 0.2, 0.5),
            api_slow=rate(0.1, 0.4),
        )

    def __str__(self) -> str:
        return ", ".join(f"{field.name}={getattr(self, field.name)}" for field in fields(self))


CALM = Weather()


class Chaos:
    """Draws every fault of a run. `strike` is called with the process and whether it crashes (else it freezes)."""

    def __init__(self, rng: random.Random, weather: Weather) -> None:
        self.random = rng
        self.weather = weather
        self.strikes_left = weather.strikes
        self.strike: Callable[[Process, str, bool], None] = lambda process, where, crash: None

    def end(self) -> None:
        """From now on everything works."""
        self.weather = CALM
        self.strikes_left = 0

    @property
    def calm(self) -> bool:
        return self.weather is CALM

    def span(self) -> float:
        """Seconds of a delay or a freeze: mostly short, sometimes longer than every time-out."""
        roll = self.random.random
        kind = roll()
        if kind >= 1 - self.weather.long:
            return 10 + 70 * roll()
        return 0.05 + roll() if kind < 0.35 else 1 + 9 * roll()

    def request(self, *, write: bool = False) -> Fate:
        """The fate of a request to Kafka."""
        roll, weather = self.random.random, self.weather
        there, back = 0.0005 + 0.004 * roll(), 0.0005 + 0.004 * roll()
        if weather is CALM:
            return Fate(Verdict.FINE, there, back, 0.0)
        if roll() < weather.delay:
            there += self.span()
        if roll() < weather.delay:
            back += self.span()
        verdict, patience = Verdict.FINE, 0.0
        if roll() < weather.lost:
            verdict = self.random.choice((Verdict.REQUEST_LOST, Verdict.ANSWER_LOST))
            patience = 0.5 + 12 * roll()
        elif write and roll() < weather.unclear:
            verdict = Verdict.UNCLEAR
        elif write and roll() < weather.refused:
            verdict = Verdict.REFUSED
        return Fate(verdict, there, back, patience)

    def moment(self, process: Process, where: str) -> None:
        """A moment at which a crash or a freeze is interesting."""
        if self.strikes_left > 0 and self.random.random() < self.weather.strike:
            self.hit(process, where)

    def hit(self, process: Process, where: str) -> None:
        """Strike now, if any strike is left."""
        if self.strikes_left > 0 and not process.dead:
            self.strikes_left -= 1
            self.strike(process, where, self.random.random() < self.weather.crashes)
