"""Hundreds of seeds of the whole core against crash, freeze, fencing, loss and delay: every promise is kept.

More of them: `python -m tests.simulation --seeds 10000`.
"""

import pytest

from tests.simulation.run import simulate

SEEDS = 240
BLOCKS = 12


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_promise_is_kept(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        result = simulate(seed)
        if result.violations:
            again = simulate(seed, trace=True)
            pytest.fail(
                "\n".join(
                    (
                        *again.trace[-200:],
                        f"seed {seed}: {'; '.join(result.violations)}",
                        f"replay: python -m tests.simulation --seed {seed} --trace",
                    )
                ),
                pytrace=False,
            )


def test_a_seed_is_the_same_run_again() -> None:
    first, second = (simulate(7, trace=True) for _ in range(2))
    assert (first.seconds, first.callbacks, first.counts) == (second.seconds, second.callbacks, second.counts)
    assert len(first.trace) == len(second.trace) > 100


def test_the_seeds_meet_what_they_are_there_for() -> None:
    """A simulation without faults would prove nothing."""
    met = sum((simulate(seed).counts for seed in range(1, SEEDS, 4)), start=simulate(SEEDS).counts)
    for what in (
        "crash",
        "freeze",
        "ownership fenced",
        "ownership timeout",
        "doubt adopted",
        "doubt certainlynot",
        "resolved",
    ):
        assert met[what] > 0, what
