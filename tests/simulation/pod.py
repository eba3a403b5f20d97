"""A place for a worker process, and who is in it now."""

from dataclasses import dataclass

from tests.simulation.chaos import Weather
from tests.simulation.clock import SimClock
from tests.simulation.member import Member
from tests.simulation.process import Process


@dataclass(slots=True)
class Pod:
    """`clocks`: what the present freeze does to its clocks: `suspend`, `set back` or nothing."""

    name: str
    incarnations: int = 0
    process: Process | None = None
    member: Member | None = None
    clock: SimClock | None = None
    frozen_at: float = 0.0
    clocks: str = ""

    def freeze(self, now: float, roll: float, weather: Weather) -> None:
        """`roll` in [0, 1) decides about its clocks.

        Never both: one clock may take an old intent for a young one, the two at once are beyond what is promised.
        """
        self.frozen_at, self.clocks = now, ""
        if roll < weather.suspends:
            self.clocks = "suspend"
        elif roll < weather.suspends + weather.set_back:
            self.clocks = "set back"

    def thaw(self, now: float) -> None:
        """The clocks show what the freeze did to them."""
        if self.clock is None:
            return
        if self.clocks == "suspend":
            self.clock.suspend(now - self.frozen_at)
        elif self.clocks == "set back":
            self.clock.set_back(now - self.frozen_at)
