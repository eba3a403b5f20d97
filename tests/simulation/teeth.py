"""Teeth: a safeguard taken out of the core for one run, and the first seed at which the checker then objects.

`teeth_kafka` and `teeth_time` register them. A tooth without its violation means that the safeguard is not needed, is
masked by another, or is not tested: each of these must be said in its row.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from unittest.mock import patch

from tests.simulation.chaos import Weather
from tests.simulation.run import Result, simulate

Swap = tuple[object, str, object]
"""Where, which attribute, and what stands there for the run."""
Context = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Tooth:
    """One safeguard and how it is taken out."""

    without: str
    """The safeguard, in a few words."""
    remove: Context
    """Takes it out while entered: see `swap`."""
    seed: int
    """The first seed at which the run shows the violation."""
    violation: str
    """A part of what the checker then says: the promise that the safeguard is there for."""
    masked_by: str = ""
    """Another safeguard that would hide it, and that is out too; empty: none."""
    mask: Context = nullcontext
    """Takes that one out. By itself it breaks nothing at the kept seed: the violation is this safeguard's."""
    weather: Context = nullcontext
    """What the runs need beside the weather that they draw; the untouched core is clean in it too: see `stormy`."""


def swap(*swaps: Swap) -> Context:
    """A context in which every attribute is replaced."""

    @contextmanager
    def swapped() -> Iterator[None]:
        with ExitStack() as stack:
            for where, name, stands in swaps:
                stack.enter_context(patch.object(where, name, stands))
            yield

    return swapped


def stormy(**fields: float) -> Context:
    """A context in which these fields of every run's `Weather` are set, whatever is drawn."""
    draw = Weather.draw
    return swap((Weather, "draw", lambda rng: replace(draw(rng), **fields)))  # type: ignore[arg-type]  # ints are floats


def bite(tooth: Tooth, seed: int, *, removed: bool = True, trace: bool = False) -> Result:
    """A run without the safeguard; `removed` False: with it, all else the same."""

    @contextmanager
    def both() -> Iterator[None]:
        with tooth.weather(), tooth.mask(), tooth.remove() if removed else nullcontext():
            yield

    return simulate(seed, trace=trace, tooth=both)


def broken(result: Result) -> list[str]:
    """The promises that a run broke; errors of the patched code itself are none."""
    return [text for text in result.violations if not text.startswith(("unexpected", "broken"))]


def search(tooth: Tooth, seeds: Iterable[int]) -> Result | None:
    """The first run of `seeds` that shows the tooth's violation, and shows nothing when the safeguard is there."""
    for seed in seeds:
        result = bite(tooth, seed)
        if any(tooth.violation in text for text in broken(result)) and not bite(tooth, seed, removed=False).violations:
            return result
    return None
