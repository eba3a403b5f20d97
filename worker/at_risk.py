"""Money at risk: invoices that may be unpaid or billed twice until somebody acts, or that wait for a sick API. Pure.

Every invoice counts once, with the amount of its event. Sums are exact: an amount has at most 40 digits
(`schemas.fields.MAX_DIGITS`), the context below has room for as many of them as memory holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from enum import StrEnum
from typing import Final

from worker.standing import Entry, State

CURRENCIES: Final = ("NOK", "SEK", "DKK", "EUR", "GBP", "USD", "CHF", "PLN", "ISK")
OTHER_CURRENCY: Final = "other"
"""All others together, and what has none: their sum says little, their count does."""
_EXACT: Final = Context(prec=100, traps=[Inexact])
_NOTHING: Final = Decimal(0)


class Risk(StrEnum):
    """Why an invoice's money is at risk."""

    IN_DOUBT = "in_doubt"
    """It may be registered or not: being reconciled, or left to a person."""
    DEAD = "dead"
    """It ended as a dead letter: not registered, or registered and not started."""
    BEHIND_GATE = "behind_gate"
    """It waits until the API is well again."""


@dataclass(frozen=True, slots=True)
class Stake:
    """One invoice at risk. `currency`: one of `CURRENCIES`, else `other`; `amount`: 0 where nobody knows it."""

    risk: Risk
    currency: str
    amount: Decimal


def stake(risk: Risk, amount: Decimal, currency: str | None) -> Stake:
    """An invoice of any currency at risk."""
    return Stake(risk, currency if currency in CURRENCIES else OTHER_CURRENCY, amount)


def stake_of(entry: Entry) -> Stake | None:
    """What is at risk of an identity that stands so; None: nothing.

    An entry of an absent invoice without an amount is of a record that was never valid, or that was discarded.
    """
    match entry.state:
        case State.IN_DOUBT:
            risk = Risk.IN_DOUBT
        case State.REGISTERED:
            risk = Risk.DEAD
        case State.ABSENT if entry.amount is not None:
            risk = Risk.DEAD
        case _:
            return None
    return stake(risk, _NOTHING if entry.amount is None else Decimal(entry.amount), entry.currency)


def pack(at_stake: Stake) -> bytes:
    """A few bytes that `unpack` reads: for a table of many."""
    places = (tuple(Risk).index(at_stake.risk), (*CURRENCIES, OTHER_CURRENCY).index(at_stake.currency))
    return bytes(places) + f"{at_stake.amount:f}".encode()


def unpack(data: bytes) -> Stake:
    """What was packed."""
    return Stake(tuple(Risk)[data[0]], (*CURRENCIES, OTHER_CURRENCY)[data[1]], Decimal(data[2:].decode()))


@dataclass(slots=True)
class Exposure:
    """Counts and sums of what is at risk, by risk and currency. What is not there is 0."""

    counts: dict[tuple[Risk, str], int] = field(default_factory=dict)
    sums: dict[tuple[Risk, str], Decimal] = field(default_factory=dict)

    def add(self, at_stake: Stake, times: int = 1) -> None:
        """Count an invoice in; out, with `times` -1."""
        key = (at_stake.risk, at_stake.currency)
        count = self.counts.get(key, 0) + times
        if count == 0:
            self.counts.pop(key, None)
            self.sums.pop(key, None)
            return
        self.counts[key] = count
        signed = at_stake.amount if times > 0 else -at_stake.amount
        self.sums[key] = _EXACT.add(self.sums.get(key, _NOTHING), signed)

    def merge(self, other: "Exposure") -> None:
        """Add another one's counts and sums."""
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count
            self.sums[key] = _EXACT.add(self.sums.get(key, _NOTHING), other.sums[key])

    def copy(self) -> "Exposure":
        """One that may be changed."""
        return Exposure(dict(self.counts), dict(self.sums))

    def rows(self) -> Iterator[tuple[Risk, str, int, Decimal]]:
        """Risk, currency, count and sum of all that is not 0, in the order of the labels."""
        for risk in Risk:
            for currency in (*CURRENCIES, OTHER_CURRENCY):
                if count := self.counts.get((risk, currency)):
                    yield risk, currency, count, self.sums[risk, currency]

    def report(self) -> Mapping[str, Mapping[str, Mapping[str, int | str]]]:
        """For JSON: risk → currency → count, and the sum as decimal text."""
        told: dict[str, dict[str, Mapping[str, int | str]]] = {}
        for risk, currency, count, total in self.rows():
            told.setdefault(risk.value, {})[currency] = {"invoices": count, "sum": f"{total:f}"}
        return told
