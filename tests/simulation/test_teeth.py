"""The simulation has teeth: without a safeguard it finds a broken promise, and what is kept here is how soon.

A kept seed that no longer bites, after the core or the simulation changed what a seed draws, is found anew with
`python -m tests.simulation --tooth all --seeds 1000`.
"""

import pytest

from tests.simulation import teeth_kafka, teeth_time
from tests.simulation.teeth import Tooth, bite, broken

TEETH = {**teeth_kafka.TEETH, **teeth_time.TEETH}
AGAIN = "the first seed that shows it now: python -m tests.simulation --tooth {} --seeds 1000"


@pytest.mark.parametrize("name", TEETH)
def test_a_missing_safeguard_is_noticed(name: str) -> None:
    tooth = TEETH[name]
    found = broken(bite(tooth, tooth.seed))
    assert any(tooth.violation in text for text in found), (found, AGAIN.format(name))


@pytest.mark.parametrize("name", TEETH)
def test_with_the_safeguard_the_same_seed_keeps_every_promise(name: str) -> None:
    tooth = TEETH[name]
    assert not bite(tooth, tooth.seed, removed=False).violations


@pytest.mark.parametrize("name", [name for name, tooth in TEETH.items() if tooth.masked_by])
def test_a_masked_safeguard_is_masked(name: str) -> None:
    """Taken out alone it breaks nothing at that seed: the other one hides it."""
    tooth = TEETH[name]
    alone = Tooth(tooth.without, tooth.remove, tooth.seed, "", weather=tooth.weather)
    assert not broken(bite(alone, tooth.seed))
