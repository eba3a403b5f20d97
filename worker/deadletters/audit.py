"""What people decided: every outcome that names a command, for whoever must account for it. Pure."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from pydantic import ValidationError

from schemas.outcomes import OUTCOME, CommandEcho, FailedOutcome, Outcome, RejectedOutcome
from worker.deadletters.selection import UNBOUNDED, Span, parse_time
from worker.model import Coordinates, Record

VERBS: Final[tuple[str, ...]] = get_args(CommandEcho.model_fields["verb"].annotation)
OPTIONS: Final[Mapping[str, str]] = {
    "since": "settled at this time or later: ISO 8601 (UTC where it says no offset), or 90s, 30m, 2h, 7d, 1w ago",
    "until": "settled before this time",
    "who": "who decided, exactly as it was written",
    "verb": f"one of {', '.join(VERBS)}",
}
"""Every filter of `parse`, and what it takes."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One command and what came of it. Times are aware UTC."""

    settled: datetime
    when: datetime
    """When it was decided, as the person's tool wrote it."""
    who: str
    verb: str
    why: str
    identity: str | None
    of: str | None
    """The dead letter that it is about: topic/partition/offset of the record that failed first."""
    result: str
    """The outcome; with its reason where it did not end well."""
    effect: bool
    """False: it changed nothing, being refused, seen before, or about what did not hold any more."""
    codes: tuple[str, ...]
    changed: tuple[str, ...]
    """Of an edit: JSON pointers."""
    command: str
    """Its id."""
    at: Coordinates
    """Where the command stands on the replay topic."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which decisions are meant; an empty set filters nothing."""

    span: Span = UNBOUNDED
    who: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()

    def fits(self, one: Decision) -> bool:
        """Whether this decision is meant."""
        return (
            self.span.holds(one.settled)
            and (not self.who or one.who in self.who)
            and (not self.verbs or one.verb in self.verbs)
        )


def parse(options: Mapping[str, Sequence[str]], now: datetime) -> AuditFilter | list[str]:
    """The filter that `options` (see `OPTIONS`) name, or a sentence for each that is wrong."""
    wrong = [f"{name} is no filter" for name in options if name not in OPTIONS]
    times = {}
    for name in ("since", "until"):
        for text in options.get(name, ()):
            times[name] = parse_time(text, now)
            if times[name] is None:
                wrong.append(f"{name}: {text!r} won't do: {OPTIONS[name]}")
    wrong += [f"verb: {verb!r} won't do: {OPTIONS['verb']}" for verb in options.get("verb", ()) if verb not in VERBS]
    span = Span(times.get("since"), times.get("until"))
    return wrong or AuditFilter(span, frozenset(options.get("who", ())), frozenset(options.get("verb", ())))


def decision_of(record: Record) -> Decision | None:
    """The decision that a record of the outcome topic tells of; None: of none, or in a version that is not known."""
    value = record.value or b""
    if b'"command"' not in value:
        return None
    try:
        outcome = OUTCOME.validate_json(value)
    except ValidationError:
        return None
    return None if outcome.command is None else _decision(outcome, outcome.command)


def _decision(outcome: Outcome, command: CommandEcho) -> Decision:
    reason = f" {outcome.reason}" if isinstance(outcome, RejectedOutcome | FailedOutcome) else ""
    origin = outcome.origin
    return Decision(
        settled=outcome.settledAt,
        when=command.when,
        who=sys.intern(command.who),
        verb=command.verb,
        why=sys.intern(command.why),
        identity=outcome.identity,
        of=outcome.replayOf,
        result=sys.intern(f"{outcome.outcome}{reason}"),
        effect=_had_effect(outcome, command),
        codes=tuple(error.code for error in outcome.errors) if isinstance(outcome, RejectedOutcome) else (),
        changed=tuple(command.changed or ()),
        command=command.id,
        at=Coordinates(sys.intern(origin.topic), origin.partition, origin.offset),
    )


def _had_effect(outcome: Outcome, command: CommandEcho) -> bool:
    """A verdict or a discard that was refused changed nothing; an event that was sent again was at least tried."""
    if command.seen:
        return False
    if command.verb in {"replay", "edit"}:
        return not (isinstance(outcome, RejectedOutcome) and any(e.code == "replay_limit" for e in outcome.errors))
    return outcome.outcome in {"resolved", "discarded"}
