"""All that is known of single dead letters: failures, outcomes, and events as they came and as they were corrected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from schemas.dead_letters import DeadLetterHeaders
from schemas.outcomes import OUTCOME, Outcome
from worker.deadletters.board import Board, Summary
from worker.deadletters.differences import Difference, differences
from worker.deadletters.letters import DeadLetter, read
from worker.deadletters.payload import Json, payload_of
from worker.deadletters.selection import parse_origin
from worker.deadletters.source import Source, each
from worker.model import Coordinates, Record
from worker.ports import Lost
from worker.receipts import receipt_id
from worker.replayed import EDIT

MAX_CASES: Final = 20
"""Origins that are told of one identity: the latest. More have one identity only where something sends in a loop."""
MAX_ENTRIES: Final = 50
"""Dead letters, and outcomes, that are told of one origin: the first and the latest."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One dead letter, without its value."""

    at: Coordinates
    cause: DeadLetterHeaders


@dataclass(frozen=True, slots=True)
class Edit:
    """A corrected event. `differences`: from the original to it; None: one of them is gone, or is not JSON."""

    outcome: Outcome
    differences: tuple[Difference, ...] | None
    before: Json | None
    after: Json | None


@dataclass(slots=True)
class Case:
    """One origin. `failures` in the order of the dead-letter topic, `outcomes` by time."""

    summary: Summary
    failures: list[Failure] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    omitted: int = 0
    """Failures and outcomes that are left out."""
    record: Record | None = None
    """The latest dead letter; None: it is gone meanwhile."""
    edits: list[Edit] = field(default_factory=list)


@dataclass(slots=True)
class Cases:
    """The answer to a question, the latest first. `omitted`: older origins of the same identity."""

    cases: list[Case]
    omitted: int


async def look_up(source: Source, subject: str) -> Cases | Lost:
    """What is known of `subject`: an origin, the coordinates of a dead letter, or an identity (all its origins)."""
    origins = await _origins(source, subject)
    if isinstance(origins, Lost):
        return origins
    finder = _Finder(source.topics.replays, origins[:MAX_CASES])
    lost = await each(source.letters(), finder.take_letter)
    if lost is None:
        lost = await each(source.outcomes(), finder.take_outcome)
    if lost is not None:
        return lost
    cases = sorted(finder.cases.values(), key=lambda case: case.summary.last_failure, reverse=True)
    for case in cases:
        case.failures.sort(key=lambda failure: (failure.cause.replay_count, failure.cause.last_failure))
        case.outcomes.sort(key=lambda outcome: outcome.settledAt)
        lost = await _fill(source, case)
        if lost is not None:
            return lost
    return Cases(cases, max(0, len(origins) - MAX_CASES))


async def _origins(source: Source, subject: str) -> list[Coordinates] | Lost:
    """Whose cases are meant, the one that failed latest first. An edit may give an origin another identity."""
    at = parse_origin(subject)
    if at is not None and at.topic == source.topics.dead_letters:
        record = await source.one(at)
        if isinstance(record, Lost):
            return record
        letter = None if record is None else read(record)
        return [letter.origin] if isinstance(letter, DeadLetter) else []
    if at is not None:
        return [at]
    found: dict[Coordinates, datetime] = {}

    def take(record: Record) -> None:
        letter = read(record)
        if isinstance(letter, DeadLetter) and letter.identity == subject:
            found[letter.origin] = letter.cause.last_failure

    lost = await each(source.letters(), take)
    return sorted(found, key=lambda origin: found[origin], reverse=True) if lost is None else lost


class _Finder:
    """Keeps what belongs to these origins, without values: there may be dozens, of megabytes each."""

    def __init__(self, replays: str, origins: Sequence[Coordinates]) -> None:
        self.cases: dict[Coordinates, Case] = {}
        self._wanted = frozenset(origins)
        self._board = Board(replays)
        self._ids = {receipt_id(origin).encode(): origin for origin in origins}

    def take_letter(self, record: Record) -> None:
        letter = self._board.take_letter(record)
        if letter is None:
            return
        if letter.origin not in self._wanted:
            del self._board.summaries[letter.origin]
            return
        summary = self._board.summaries[letter.origin]
        case = self.cases.setdefault(letter.origin, Case(summary))
        case.summary = summary
        case.failures.append(Failure(letter.at, letter.cause))
        _cut(case, case.failures)

    def take_outcome(self, record: Record) -> None:
        event_id = next((value for name, value in record.headers if name == "ce_id"), b"")
        origin = self._ids.get(event_id or b"")
        outcome = self._board.take_outcome(record) if origin is None else _outcome(record)
        if origin is None and outcome is not None:
            origin = parse_origin(outcome.replayOf or "")
        case = None if origin is None else self.cases.get(origin)
        if case is not None and outcome is not None:
            case.outcomes.append(outcome)
            _cut(case, case.outcomes)


def _outcome(record: Record) -> Outcome | None:
    try:
        return OUTCOME.validate_json(record.value or b"")
    except ValidationError:
        return None


def _cut(case: Case, entries: list[Failure] | list[Outcome]) -> None:
    if len(entries) > MAX_ENTRIES:
        del entries[1]
        case.omitted += 1


async def _fill(source: Source, case: Case) -> Lost | None:
    """Read the values that are shown: the latest dead letter's, and of edits the original's and the corrected one's."""
    latest = await source.one(case.summary.at)
    if isinstance(latest, Lost):
        return latest
    case.record = latest
    edits = [outcome for outcome in case.outcomes if outcome.command is not None and outcome.command.verb == EDIT]
    if not edits:
        return None
    original = await source.one(case.failures[0].at)
    if isinstance(original, Lost):
        return original
    for outcome in edits:
        at = Coordinates(outcome.origin.topic, outcome.origin.partition, outcome.origin.offset)
        corrected = await source.one(at)
        if isinstance(corrected, Lost):
            return corrected
        case.edits.append(_edit(outcome, original, corrected))
    return None


def _edit(outcome: Outcome, original: Record | None, corrected: Record | None) -> Edit:
    before, after = _json(original), _json(corrected)
    if before is None or after is None:
        return Edit(outcome, None, None, None)
    return Edit(outcome, tuple(differences(before.data, after.data)), before, after)


def _json(record: Record | None) -> Json | None:
    payload = None if record is None else payload_of(record)
    return payload if isinstance(payload, Json) else None
