"""Teeth of time: waits, ages, clocks, witnesses and verdicts. See `teeth`.

Some need a weather of their own, in which the untouched core is clean too: what a setting grants (a search that is
as slow as `D` says) hides what the witness is for, so there the search is slower.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.simulation import world
from tests.simulation.kravia_server import Rows
from tests.simulation.teeth import Context, Tooth, stormy, swap
from tests.simulation.teeth_weather import (
    BUSY,
    CERTAIN,
    LATE,
    ROOM,
    SLOW_SEARCH,
    doubting,
    frozen_at_intents,
    searching,
    together,
)
from worker import register, settling
from worker.doubt import Doubt, DoubtPolicy, identity_of
from worker.facts import Fact
from worker.matching import Identity
from worker.model import Command, Coordinates, Ending, Event
from worker.ownership import Ownership
from worker.ownership.validity import Age
from worker.ports import Lost
from worker.reconcile import Reconciler
from worker.standing import Entry
from worker.verdict import obey

# Ages


def _aged_at_acknowledgement() -> Context:
    write = Ownership.write

    async def written(own: Ownership, origin: Coordinates, fact: Fact, age: Age | None = None) -> int | Lost:
        offset = await write(own, origin, fact, age)
        if age is not None:
            object.__setattr__(age, "boottime", age.clock.boottime())
            object.__setattr__(age, "wall", age.clock.now())
        return offset

    return swap((Ownership, "write", written))


def _young_by_boottime(age: Age) -> bool:
    return age.clock.boottime() - age.boottime < age.limit


def _young_by_wall(age: Age) -> bool:
    return age.clock.now() - age.wall < timedelta(seconds=age.limit)


# Waits


def _inherited_at_once(policy: DoubtPolicy, event: Event, intent: int, since: datetime, claimed: float) -> Doubt:
    return Doubt(intent, identity_of(event), since, claimed, claimed, claimed + policy.witness_timeout)


def _own_at_once(policy: DoubtPolicy, event: Event, intent: int, since: datetime, ended: float) -> Doubt:
    return Doubt(intent, identity_of(event), since, ended, ended, ended + policy.witness_timeout)


# Witnesses


def _dated_by_answer() -> Context:
    registered = Reconciler.registered

    def answered(reconciler: Reconciler, invoice_id: str, identity: Identity, sent: float) -> None:
        registered(reconciler, invoice_id, identity, reconciler._clock.boottime())

    return swap((Reconciler, "registered", answered))


def _any_row_bears_witness() -> Context:
    conclude = Reconciler._conclude

    def believed(
        reconciler: Reconciler, case: Any, found: Any, decided: bool, witnesses: list[float], began: float, ended: float
    ) -> None:
        conclude(reconciler, case, found, decided, [math.inf], began, ended)

    return swap((Reconciler, "_conclude", believed))


def _one_sweep_is_enough() -> Context:
    conclude = Reconciler._conclude

    def at_once(reconciler: Reconciler, case: Any, *said: Any) -> None:
        conclude(reconciler, case, *said)
        if case.witnessed is not None and not case.answer.done():
            case.witnessed = -math.inf
            conclude(reconciler, case, *said)

    return swap((Reconciler, "_conclude", at_once))


# Verdicts


def _any_doubt(entry: Entry | None, command: Command) -> tuple[Ending, Entry]:
    held = None if entry is None else entry.doubt
    return obey(entry, command if held is None else replace(command, doubt=held))


TEETH: Mapping[str, Tooth] = {
    "age-from-acknowledgement": Tooth(
        "the age of an intent is counted from before it is sent",
        _aged_at_acknowledgement(),
        17,
        "REGISTERED 2 TIMES",
        weather=frozen_at_intents(),
    ),
    "no-validity-check": Tooth(
        "an intent's age is checked as the last act before the call leaves",
        swap((Age, "holds", lambda age: True)),
        3,
        "REGISTERED 2 TIMES",
        weather=frozen_at_intents(),
    ),
    "no-wait-inherited": Tooth(
        "nothing is believed about an inherited doubt before V + T + A + D + E",
        swap((register, "inherited_doubt", _inherited_at_once)),
        277,
        "REGISTERED 2 TIMES",
        weather=together(BUSY, LATE, CERTAIN),
    ),
    "no-wait-own": Tooth(
        "nothing is believed about an own doubt (5xx, time-out, lost answer) before A + D",
        swap((register, "own_doubt", _own_at_once)),
        266,
        "REGISTERED 2 TIMES",
        weather=together(BUSY, LATE, CERTAIN),
    ),
    "any-doubt-obeyed": Tooth(
        "a verdict is obeyed only while the ledger holds its doubt",
        swap((settling, "obey", _any_doubt)),
        2,
        "REGISTERED 2 TIMES",
        weather=together(
            stormy(api=0.5, people=1.0, twice=1.0),
            doubting(witness_timeout=0.0),
            swap((world, "FAULTS_END", 300.0)),
        ),
    ),
    "no-witness": Tooth(
        "not found counts only with a witness",
        _any_row_bears_witness(),
        55,
        "REGISTERED 2 TIMES",
        weather=SLOW_SEARCH,
    ),
    "witness-dated-by-answer": Tooth(
        "a witness is dated by our own sending",
        _dated_by_answer(),
        569,
        "REGISTERED 2 TIMES",
        weather=together(
            BUSY,
            ROOM,
            stormy(api=0.2, haste=0.3, answer_slow=0.7, unclear=0.0, strikes=0),
            searching(rows=Rows.FULL, lag=40.0, disorder=0.0),
            doubting(quarantine=False, search_delay=0.0, disorder=0.0, sweep_interval=0.5),
        ),
    ),
    "no-disorder-span": Tooth(
        "sweeps with a witness span more than the search's disorder",
        _one_sweep_is_enough(),
        55,
        "REGISTERED 2 TIMES",
        weather=together(
            BUSY, LATE, searching(rows=Rows.FULL, lag=20.0, disorder=10.0), doubting(disorder=10.0, quarantine=False)
        ),
    ),
    "no-wall-clock": Tooth(
        "an intent's age is read on the wall clock too: a suspended machine's others stand still",
        swap((Age, "holds", _young_by_boottime)),
        3,
        "REGISTERED 2 TIMES",
        weather=frozen_at_intents(suspends=1.0),
    ),
    "no-boottime-clock": Tooth(
        "an intent's age is read on CLOCK_BOOTTIME too: the wall clock may be set back",
        swap((Age, "holds", _young_by_wall)),
        3,
        "REGISTERED 2 TIMES",
        weather=frozen_at_intents(set_back=1.0),
    ),
}
"""By name."""
