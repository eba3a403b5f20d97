"""All dead letters at once: what each says and how it stands, few hundred bytes for each, never its value.

Dead letters are taken first, then outcomes: those that replay no known dead letter are passed over unread.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from schemas.commands import REPLAY_OF
from schemas.dead_letters import DeadLetterHeaders
from schemas.identity import IdentityParts, identity_parts
from schemas.outcomes import OUTCOME, Outcome
from worker.deadletters.letters import DeadLetter, State, Unreadable, read, state_after
from worker.deadletters.payload import amount_of
from worker.model import Coordinates, Problem, Record
from worker.outcome_data import called_at
from worker.replayed import EDIT, REPLAY, coordinates, replay_of

_OUTCOME_ID: Final = "kravia.dlq.outcome-id"


@dataclass(slots=True)
class Summary:
    """The latest dead letter of one origin. Times are aware UTC; `amount`, `currency`: where they were asked for."""

    at: Coordinates
    """Where the dead letter itself stands: it is read again when its value is needed."""
    origin: Coordinates
    identity: str | None
    outcome: str
    reason: str
    step: str | None
    """Whose call it ended at; None: no call was made."""
    http_status: int | None
    invoice_id: str | None
    doubt: int | None
    attempts: int
    replays: int
    """How often it was sent again, whatever came of it."""
    first_failure: datetime
    last_failure: datetime
    fingerprint: str
    message: str
    written_ms: int
    """Timestamp of the dead letter's record."""
    state: State = State.OPEN
    since: datetime | None = None
    """When its state was settled by an outcome; None: nobody did anything about it."""
    amount: Decimal | None = None
    currency: str | None = None

    @property
    def invoice(self) -> IdentityParts | None:
        """The parts of its identity, where that can be read."""
        return None if self.identity is None else identity_parts(self.identity)


class Board:
    """Takes records of the two topics, each partition's in its order."""

    def __init__(self, replays: str, *, amounts: bool = False) -> None:
        """`replays`: the topic whose records may replay something; a producer's header `replay-of` says nothing.

        `amounts`: take amount and currency from the dead letters' values, which costs their parsing.
        """
        self.summaries: dict[Coordinates, Summary] = {}
        self.commands = 0
        """Commands that were refused: they are in the dead-letter topic, too, but are no events."""
        self.unreadable: list[Unreadable] = []
        """The first few records of the dead-letter topic without readable headers; `unread` counts all."""
        self.unread = 0
        self.unread_outcomes = 0
        """Outcomes of replays that are not of a version that this program knows."""
        self._replays = replays
        self._amounts = amounts
        self._refused: set[bytes] = set()

    def take_letter(self, record: Record) -> DeadLetter | None:
        """A record of the dead-letter topic; returned when it is a dead letter that can be read."""
        letter = read(record)
        if letter is None:
            self.commands += 1
            self._refused.update(value for name, value in record.headers if name == _OUTCOME_ID)
            return None
        if isinstance(letter, Unreadable):
            self.unread += 1
            if len(self.unreadable) < _SHOWN:
                self.unreadable.append(letter)
            return None
        known = self.summaries.get(letter.origin)
        if known is None or _is_later(record, known):
            made = _summary(letter, known)
            if self._amounts:
                made.amount, made.currency = amount_of(record)
            self.summaries[made.origin] = made
        else:
            known.first_failure = min(known.first_failure, letter.cause.first_failure)
        return letter

    def take_outcome(self, record: Record) -> Outcome | None:
        """A record of the outcome topic; returned when it says something about a dead letter that is known."""
        if not any(name == REPLAY_OF for name, _ in record.headers):
            return None
        headers = dict(record.headers)
        origin = _origin(headers)
        summary = None if origin is None else self.summaries.get(origin)
        if summary is None:
            return None
        try:
            outcome = OUTCOME.validate_json(record.value or b"")
        except ValidationError:
            self.unread_outcomes += 1
            return None
        if outcome.origin.topic != self._replays:
            return None
        # A command that was refused, or could not even be read, is no failure of the event.
        refused = headers.get("ce_id") in self._refused
        after = None if refused else state_after(outcome)
        if after is not None:
            _, state, when = after
            summary.replays += _is_replay(outcome)
            if summary.since is None or when >= summary.since:
                summary.state, summary.since = state, when
        return outcome


def _is_replay(outcome: Outcome) -> bool:
    """Sent again by a tool, or by hand, which leaves no command."""
    return outcome.command is None or outcome.command.verb in {REPLAY, EDIT}


def _origin(headers: Mapping[str, bytes]) -> Coordinates | None:
    problems: list[Problem] = []
    text = replay_of(headers, problems)
    return None if text is None else coordinates(text)


def _is_later(record: Record, known: Summary) -> bool:
    """One partition has them in their order; a misrouted event is sent again to another one."""
    if (record.topic, record.partition) == known.at[:2]:
        return record.offset > known.at.offset
    return record.timestamp_ms >= known.written_ms


def _summary(letter: DeadLetter, known: Summary | None) -> Summary:
    cause: DeadLetterHeaders = letter.cause
    at = letter.at
    topic, partition, offset = letter.origin
    return Summary(
        # Texts that are equal in many are held once.
        at=Coordinates(sys.intern(at.topic), at.partition, at.offset),
        origin=Coordinates(sys.intern(topic), partition, offset) if known is None else known.origin,
        identity=cause.identity,
        outcome=cause.outcome,
        reason=sys.intern(cause.reason),
        step=called_at(cause.reason, cause.step, cause.attempts),
        http_status=cause.http_status,
        invoice_id=cause.invoice_id,
        doubt=cause.doubt,
        attempts=cause.attempts,
        replays=0,
        first_failure=cause.first_failure if known is None else min(known.first_failure, cause.first_failure),
        last_failure=cause.last_failure,
        fingerprint=sys.intern(cause.fingerprint),
        message=sys.intern(cause.message),
        written_ms=letter.record.timestamp_ms,
    )


_SHOWN: Final = 5
