"""What nobody can explain: each check writes its finds into the store's table `unexplained`. Reads the store only.

Order: `check_records`, `check_calls`, then, where Kravia was asked, `worker.finance.comparing`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from worker.finance.period import from_micros
from worker.finance.store import Store

WHAT_TO_DO: Final[Mapping[str, str]] = {
    "doubt_open": "Decide it: docs/how-to/doubts.md.",
    "call_unresolved": "Look the invoice up at Kravia; once is right, more must be credited. `worker why` tells more.",
    "possible_double": "Stop the invoice at Kravia: docs/how-to/doubts.md, “`possible_double_registers` is not 0”.",
    "not_at_kravia": "Ask Kravia's support for this id. Do not send the event again before they have answered.",
    "not_looked_up": "Run the statement again when Kravia answers.",
    "identity_differs": "Compare the two at Kravia: one of them is billed under the other's id.",
    "double_at_kravia": "Have the surplus one credited at Kravia; if none of ours, ask the creditor who sent it.",
    "unknown_at_kravia": "Is an event of it under way, ask again. A doubt: verdict `registered`. Else: who sent it?",
    "search_incomplete": "Run the statement again; until then a double at Kravia may be hidden.",
    "input_without_outcome": "Keep the topics as they are and report it: each settled record must have an outcome.",
    "outcome_without_input": "Was the input topic recreated or cut? docs/how-to/out-of-range.md.",
    "outcome_twice": "Keep the topics as they are and report it: readers must drop the second by its id.",
    "no_ledger_entry": "Stop the workers and find out who cut the ledger: what it forgot is billed again.",
    "outcomes_gone": "Take these days from an earlier statement: the topic's retention ended them.",
    "unreadable": "Run the statement of the newer worker that wrote it.",
}
"""By kind: the one thing that helps."""

OF_THE_PERIOD: Final = (
    "(SELECT identity FROM outcome WHERE at >= :start AND at < :end AND identity LIKE :mine"
    " UNION SELECT identity FROM call WHERE at >= :start AND at < :end AND identity LIKE :mine)"
)
"""Identities that a statement judges."""


@dataclass(slots=True)
class Bounds:
    """What Kafka still holds of the inputs and how far they are settled: offsets by topic and partition.

    `outcomes_since`: microseconds since the epoch, by partition of the outcomes, where their beginning is gone.
    """

    earliest: dict[tuple[str, int], int] = field(default_factory=dict)
    settled: dict[tuple[str, int], int] = field(default_factory=dict)
    outcomes_since: dict[int, int] = field(default_factory=dict)


def check_records(store: Store, bounds: Bounds) -> None:
    """Inputs against outcomes: each settled input has exactly one, and each outcome its input."""
    for partition, since in bounds.outcomes_since.items():
        if since > store.start:
            why = f"outcomes of partition {partition} before {from_micros(since)} are gone"
            store.blame("outcomes_gone", f"outcomes/{partition}", why, identity=False)
    gone_until = max(bounds.outcomes_since.values(), default=0)
    missing = store.ask(
        "SELECT topic, part, place, input.at FROM input LEFT JOIN outcome USING (topic, part, place)"
        " WHERE outcome.at IS NULL AND input.at >= :start AND input.at < :end"
    )
    for topic, part, place, at in missing:
        # Younger than the outcomes that are gone, and below what the group has committed.
        if place < bounds.settled.get((topic, part), 0) and at >= gone_until:
            why = f"the record of {from_micros(at)} is settled and has no outcome"
            store.blame("input_without_outcome", f"{topic}/{part}/{place}", why, identity=False)
    orphans = store.ask(
        "SELECT topic, part, place, identity, amount, currency FROM outcome LEFT JOIN input USING (topic, part, place)"
        " WHERE input.at IS NULL AND outcome.at >= :start AND outcome.at < :end"
        " AND (identity IS NULL OR identity LIKE :mine)"
    )
    for topic, part, place, identity, amount, currency in orphans:
        if place >= bounds.earliest.get((topic, part), 0):
            where = f"{topic}/{part}/{place}"
            why = f"its input {where} is not there, though the topic's retention has not reached it"
            store.blame(
                "outcome_without_input", identity or where, why, (amount, currency), identity=identity is not None
            )
    twice = store.ask(
        "SELECT topic, part, place, identity, times, amount, currency FROM outcome"
        " WHERE times > 1 AND at >= :start AND at < :end AND (identity IS NULL OR identity LIKE :mine)"
    )
    for topic, part, place, identity, times, amount, currency in twice:
        where = f"{topic}/{part}/{place}"
        why = f"the record {where} has {times} outcomes"
        store.blame("outcome_twice", identity or where, why, (amount, currency), identity=identity is not None)


def check_calls(store: Store) -> None:
    """Register calls and the ledger: open doubts, calls that nobody resolved, identities that may be billed twice."""
    doubts = store.ask(
        f"SELECT identity, doubt, amount, currency FROM entry WHERE state = 'in_doubt' AND identity IN {OF_THE_PERIOD}"
    )
    for identity, doubt, amount, currency in doubts:
        why = f"doubt {doubt} is open: whether the invoice is registered nobody has decided"
        store.blame("doubt_open", identity, why, (amount, currency), identity=True)
    calls = store.ask(
        "SELECT call.identity, intent, at, answer, amount, currency FROM call LEFT JOIN entry USING (identity)"
        " WHERE at >= :start AND at < :end AND call.identity LIKE :mine"
        " AND (answer LIKE 'unclear%' OR answer LIKE 'unknown%')"
        " AND NOT (entry.state IS 'in_doubt' AND entry.doubt IS call.intent)"
    )
    for identity, intent, at, answer, amount, currency in calls:
        why = f"register call {intent} of {from_micros(at)} was answered {answer}, and nothing resolved it"
        store.blame("call_unresolved", identity, why, (amount, currency), identity=True)
    doubles = store.ask(
        "SELECT identity, MAX(IFNULL(entry.maybe, 0), IFNULL(told.maybe, 0)) AS most, entry.amount, entry.currency"
        f" FROM {OF_THE_PERIOD} LEFT JOIN entry USING (identity) LEFT JOIN"
        " (SELECT identity, SUM(answer NOT LIKE 'not_carried_out%') AS maybe FROM call GROUP BY identity) AS told"
        " USING (identity) WHERE most > 1"
    )
    for identity, most, amount, currency in doubles:
        why = f"{most} register calls of it may have been carried out"
        store.blame("possible_double", identity, why, (amount, currency), identity=True)
    lost = store.ask(
        "SELECT DISTINCT identity FROM outcome LEFT JOIN entry USING (identity)"
        " WHERE at >= :start AND at < :end AND identity LIKE :mine AND entry.state IS NULL"
    )
    for (identity,) in lost:
        store.blame("no_ledger_entry", identity, "it has an outcome, and the ledger knows nothing of it", identity=True)
