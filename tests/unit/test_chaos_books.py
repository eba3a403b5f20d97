"""The chaos run's checker has teeth: each broken promise is found, and books that are right are left alone."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.chaos.books import Books
from tests.chaos.feed import KIND
from tests.integration.events import PDF, Draft, event
from tests.integration.results import DeadLetter, Outcome
from worker.demo.samples import Kind
from worker.model import Call, Coordinates
from worker.standing import Entry, State

INVOICE_ID = 100_001
REGISTERED = Call(datetime(2026, 4, 1, tzinfo=UTC), "registered", "owner", 7)


@dataclass(frozen=True)
class Input:
    """What the checker looks at of a ConsumerRecord."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    topic: str = "requests"
    partition: int = 0


def record(offset: int, draft: Draft, kind: Kind) -> Input:
    return Input(offset, draft.key, draft.value, (*draft.headers, (KIND, kind.value.encode())))


def at(offset: int) -> Coordinates:
    return Coordinates("requests", 0, offset)


def outcome(offset: int, ending: str, **data: Any) -> Outcome:
    name, _, reason = ending.partition(" ")
    return Outcome(at(offset), None, {}, {"outcome": name} | ({"reason": reason} if reason else {}) | data)


def dead(written: Input) -> DeadLetter:
    return DeadLetter(at(written.offset), written.key, written.value, written.headers, None)


GOOD, CHANGED, BAD = event(1, documents=1), event(1, originalAmount=99), event(2)
INPUTS = [
    record(0, GOOD, Kind.GOOD),
    record(1, GOOD, Kind.REPEAT),
    record(2, CHANGED, Kind.CONFLICT),
    record(3, BAD, Kind.INVALID),
]
INVOICE = {
    "id": INVOICE_ID,
    "registered": 1.0,
    "documents": [{"sha256": hashlib.sha256(PDF + b"0").hexdigest()}],
    "started": 1,
}
RIGHT = Books(
    INPUTS,
    {
        at(0): [outcome(0, "scheduled", invoiceId=str(INVOICE_ID))],
        at(1): [outcome(1, "repeated")],
        at(2): [outcome(2, "rejected conflict")],
        at(3): [outcome(3, "rejected validation")],
    },
    {at(2): [dead(INPUTS[2])], at(3): [dead(INPUTS[3])]},
    {GOOD.identity: [INVOICE]},
    {GOOD.identity: Entry(State.SCHEDULED, invoice_id=str(INVOICE_ID), calls=(REGISTERED,))},
)


def test_books_that_are_right_are_left_alone():
    assert list(RIGHT.violations()) == []
    assert RIGHT.missing == []
    assert RIGHT.most_registers == 1
    assert RIGHT.possible_doubles == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"invoices": {GOOD.identity: [INVOICE, INVOICE | {"id": 100_002}]}}, "REGISTERED 2 TIMES"),
        ({"outcomes": {at(1): [outcome(1, "repeated")] * 2}}, "2 outcomes of requests/0/1"),
        ({"outcomes": {at(9): [outcome(9, "repeated")]}}, "requests/0/9, which nobody wrote"),
        ({"outcomes": {at(0): [outcome(0, "failed in_doubt")]}}, "(good) ended 'failed in_doubt', not scheduled"),
        ({"outcomes": {at(1): [outcome(1, "scheduled", invoiceId="1")]}}, "(repeat) ended 'scheduled', not repeated"),
        ({"outcomes": {at(2): [outcome(2, "repeated")]}}, "(conflict) ended 'repeated', not rejected conflict"),
        ({"outcomes": {at(3): [outcome(3, "repeated")]}}, "(invalid) ended 'repeated'"),
        ({"dead_letters": {at(2): []}}, "0 dead letters of requests/0/2, not 1"),
        ({"dead_letters": {at(0): [dead(INPUTS[0])]}}, "1 dead letters of requests/0/0, not 0"),
        ({"dead_letters": {at(3): [replace(dead(INPUTS[3]), value=b"{}")]}}, "is not what was written"),
        ({"invoices": {GOOD.identity: [INVOICE | {"started": 0}]}}, "never started"),
        ({"invoices": {GOOD.identity: [INVOICE | {"documents": []}]}}, "lacks 1 documents"),
        ({"invoices": {GOOD.identity: [INVOICE | {"id": 5}]}}, "was scheduled as 100001, which is None"),
        ({"invoices": {BAD.identity: [INVOICE | {"id": 5}]}}, "the worker's ledger says absent"),
        ({"ledger": {GOOD.identity: Entry()}}, "the worker's ledger says absent"),
        (
            {"ledger": {GOOD.identity: replace(RIGHT.ledger[GOOD.identity], calls=(REGISTERED, REGISTERED))}},
            "counts as a possible double register: registered (intent 7), registered (intent 7)",
        ),
    ],
)
def test_each_broken_promise_is_found(wrong: dict[str, dict[Any, Any]], told: str):
    changes = {name: getattr(RIGHT, name) | values for name, values in wrong.items()}
    assert any(told in violation for violation in replace(RIGHT, **changes).violations())


def test_what_has_no_outcome_is_missing_and_what_the_ledger_says_of_it_is_not_judged():
    late = replace(RIGHT, outcomes={at(0): [], **{at(n): RIGHT.outcomes[at(n)] for n in (2, 3)}}, ledger={})
    assert late.missing == [f"requests/0/{offset}, key {GOOD.identity}" for offset in (0, 1)]
    assert list(late.violations()) == []
