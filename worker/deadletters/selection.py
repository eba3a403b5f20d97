"""Which dead letters are meant: filters from texts, as a command line or a query string has them. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, get_args

from schemas.identity import CLAIM_TYPES
from schemas.outcomes import FailedReason, RejectedReason, Step
from worker.deadletters.board import Summary
from worker.deadletters.letters import State
from worker.model import Coordinates
from worker.replayed import coordinates

OPTIONS: Final[Mapping[str, str]] = {
    "state": "open (default), resolved, replayed, discarded, or all",
    "reason": "the outcome's reason, such as refused or in_doubt",
    "step": "fetch, register, attach or start",
    "creditor": "Kravia's creditor id",
    "claim-type": "Invoice, CreditNote or CollectionCase",
    "invoice": "an invoice number, or a whole identity (10759/Invoice/20001)",
    "origin": "topic/partition/offset of the record that failed first",
    "topic": "the topic of that record",
    "fingerprint": "the cause's fingerprint, or its first 4 digits or more",
    "text": "a part of the message or of the identity, in any case",
    "since": "failed last at this time or later: ISO 8601 (UTC where it says no offset), or 90s, 30m, 2h, 7d, 1w ago",
    "until": "failed last before this time",
    "first-since": "failed first at this time or later",
    "first-until": "failed first before this time",
}
"""Every filter, and what it takes. Values of one filter are alternatives; different filters must all fit."""

REASONS: Final = (*get_args(RejectedReason), *get_args(FailedReason))
_ALL: Final = "all"
_AGO: Final = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_ORIGIN: Final = re.compile(r"[A-Za-z0-9._-]{1,249}/\d{1,10}/\d{1,19}", re.ASCII)
_FINGERPRINT: Final = re.compile("[0-9a-f]{4,16}")


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on, until before `until`; None: no bound. Aware UTC."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether the moment lies within."""
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


UNBOUNDED: Final = Span()


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters that all must fit. An empty set filters nothing."""

    states: frozenset[State] = frozenset({State.OPEN})
    reasons: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    creditors: frozenset[int] = frozenset()
    claim_types: frozenset[str] = frozenset()
    invoices: frozenset[str] = frozenset()
    """Invoice numbers and identities."""
    origins: frozenset[Coordinates] = frozenset()
    topics: frozenset[str] = frozenset()
    fingerprints: tuple[str, ...] = ()
    """Beginnings."""
    texts: tuple[str, ...] = ()
    """Folded."""
    first: Span = UNBOUNDED
    last: Span = UNBOUNDED

    def fits(self, one: Summary) -> bool:
        """Whether this dead letter is meant."""
        return (
            one.state in self.states
            and (not self.reasons or one.reason in self.reasons)
            and (not self.steps or one.step in self.steps)
            and (not self.origins or one.origin in self.origins)
            and (not self.topics or one.origin.topic in self.topics)
            and (not self.fingerprints or one.fingerprint.startswith(self.fingerprints))
            and self.first.holds(one.first_failure)
            and self.last.holds(one.last_failure)
            and self._fits_invoice(one)
            and self._fits_text(one)
        )

    def _fits_invoice(self, one: Summary) -> bool:
        if not (self.creditors or self.claim_types or self.invoices):
            return True
        parts = one.invoice
        return (
            parts is not None
            and (not self.creditors or parts.creditor_id in self.creditors)
            and (not self.claim_types or parts.claim_type in self.claim_types)
            and (not self.invoices or not self.invoices.isdisjoint({parts.invoice_no, one.identity or ""}))
        )

    def _fits_text(self, one: Summary) -> bool:
        if not self.texts:
            return True
        words = f"{one.message}\n{one.identity or ''}".casefold()
        return any(text in words for text in self.texts)


def parse(options: Mapping[str, Sequence[str]], now: datetime) -> Selection | list[str]:
    """The selection that `options` (see `OPTIONS`) name, or a sentence for each that is wrong.

    `now`: aware; what a relative time counts from. Of the times the last one given counts.
    """
    wrong = [f"{name} is no filter" for name in options if name not in OPTIONS]

    def each(name: str, kind: Callable[[str], object | None]) -> list[object]:
        found = []
        for text in options.get(name, ()):
            value = kind(text)
            if value is None:
                wrong.append(f"{name}: {text!r} won't do: {OPTIONS[name]}")
            else:
                found.append(value)
        return found

    def time(name: str) -> datetime | None:
        found = each(name, lambda text: parse_time(text, now))
        return found[-1] if found else None  # type: ignore[return-value]  # what parse_time returned

    selection = Selection(
        states=_states(each("state", _one_of((_ALL, *State)))),
        reasons=_texts(each("reason", _one_of(REASONS))),
        steps=_texts(each("step", _one_of(get_args(Step)))),
        creditors=frozenset(int(str(one)) for one in each("creditor", _whole)),
        claim_types=_texts(each("claim-type", _one_of(CLAIM_TYPES))),
        invoices=_texts(each("invoice", _filled)),
        origins=frozenset(coordinates(str(one)) for one in each("origin", _origin)),
        topics=_texts(each("topic", _filled)),
        fingerprints=tuple(map(str, each("fingerprint", _fingerprint))),
        texts=tuple(str(one).casefold() for one in each("text", _filled)),
        first=Span(time("first-since"), time("first-until")),
        last=Span(time("since"), time("until")),
    )
    return wrong or selection


def parse_time(text: str, now: datetime) -> datetime | None:
    """`2h` ago, or ISO 8601; without an offset UTC. None: neither."""
    if ago := _AGO.fullmatch(text):
        try:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        except OverflowError:
            return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def parse_origin(text: str) -> Coordinates | None:
    """topic/partition/offset, or None."""
    return coordinates(text) if _ORIGIN.fullmatch(text) else None


def _states(values: Sequence[object]) -> frozenset[State]:
    if _ALL in values:
        return frozenset(State)
    return frozenset(State(str(value)) for value in values) or frozenset({State.OPEN})


def _texts(values: Sequence[object]) -> frozenset[str]:
    return frozenset(map(str, values))


def _one_of(known: Sequence[str]) -> Callable[[str], str | None]:
    return lambda text: text if text in known else None


def _whole(text: str) -> str | None:
    return text if text.isascii() and text.isdecimal() and len(text) < 20 else None


def _filled(text: str) -> str | None:
    return text if text.strip() else None


def _origin(text: str) -> str | None:
    return text if _ORIGIN.fullmatch(text) else None


def _fingerprint(text: str) -> str | None:
    return text.lower() if _FINGERPRINT.fullmatch(text.lower()) else None
