"""What a replay would do, before it is sent. Pure: the worker's own functions, on what ledger and journal say now.

A prediction is as old as what it was made of. The worker decides anew when the record comes; nothing here makes a
replay safe, it only spares useless ones.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from worker.facts import Progress
from worker.model import Command, Decoded, Event, Invalid, Record, Rejected, Repeated, Scheduled
from worker.opening import Doubt, Fresh, Over, Resume, open_event
from worker.standing import Entry, State, digests, standing_after
from worker.verdict import after_replay, before_replay


class Kind(StrEnum):
    """What a replay of one dead letter would do, in words for people."""

    REGISTER = "will register"
    ATTACH = "will resume at attach"
    START = "will resume at start"
    REPEAT = "will repeat the outcome"
    WAITS = "waits: unsettled event under way"
    SENT = "sent before in this run"
    CONFLICT = "conflict"
    INVALID = "invalid"
    IN_DOUBT = "blocked: in doubt"
    DISCARDED = "blocked: discarded"
    EARLIER = "blocked: an earlier event of this invoice is dead"
    LIMIT = "limit reached"


WORTH_SENDING: Final = frozenset({Kind.REGISTER, Kind.ATTACH, Kind.START, Kind.REPEAT, Kind.WAITS})
_HELD_BACK: Final = frozenset({Kind.REGISTER, Kind.ATTACH, Kind.START, Kind.WAITS})
"""What must not overtake an earlier event of the invoice. A repeat changes nothing."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """`details`: fields that conflict, or codes of what is invalid. `moves_to`: where a misrouted one belongs."""

    kind: Kind
    details: tuple[str, ...] = ()
    moves_to: int | None = None

    @property
    def worth_sending(self) -> bool:
        """Whether a replay can end otherwise than the dead letter did."""
        return self.kind in WORTH_SENDING

    def __str__(self) -> str:
        text = self.kind.value
        if self.details:
            what = "fields" if self.kind is Kind.CONFLICT else "codes"
            text += f": {what} {', '.join(self.details)}"
        return text if self.moves_to is None else f"misrouted → goes to partition {self.moves_to}, {text}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an invoice stands: its ledger entry, and whether the journal shows an unsettled event of it."""

    entry: Entry | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What the worker goes by: how it decodes a record of the replay topic, `replay_limit`, the ledger's digest key."""

    decode: Callable[[Record], Decoded]
    replay_limit: int
    digest_key: bytes = b""


def predict(
    record: Record, standing: Standing, rules: Rules, *, earlier_is_dead: bool = False
) -> tuple[Prediction, Standing]:
    """What `record`, as it would come from the replay topic, would do; and how the invoice stands if that goes well.

    `earlier_is_dead`: an earlier event of the invoice is dead and not sent before this one.
    """
    decoded = rules.decode(record)
    match decoded:
        case Invalid(identity=identity):
            entry = standing.entry if identity is not None else None
            over = before_replay(entry, decoded.envelope, rules.replay_limit)
            if over is not None:
                return _over(over), standing
            return Prediction(Kind.INVALID, _distinct(problem.code for problem in decoded.problems)), standing
        case Command():
            return Prediction(Kind.INVALID, ("command",)), standing
        case Event():
            prediction, after = _event(decoded, standing, rules)
            if earlier_is_dead and prediction.kind in _HELD_BACK:
                return Prediction(Kind.EARLIER), standing
            return prediction, after
        case _ as unreachable:
            assert_never(unreachable)


def _event(event: Event, standing: Standing, rules: Rules) -> tuple[Prediction, Standing]:
    entry = standing.entry
    over = before_replay(entry, event.envelope, rules.replay_limit)
    if over is not None:
        return _over(over), standing
    if standing.waits:
        return Prediction(Kind.WAITS), standing
    content = digests(rules.digest_key, event.fields)
    # A record that was not sent yet has left nothing in the journal.
    opening = open_event(entry, content, Progress())
    match opening:
        case Over(ending):
            prediction = _over(ending, entry)
            repeats = entry is not None and prediction.kind is Kind.REPEAT
            return prediction, Standing(after_replay(entry, event.envelope)) if entry and repeats else standing
        case Resume(invoice_id, attached):
            left = any(document.sha256 not in attached for document in event.attachments)
            kind = Kind.ATTACH if left else Kind.START
            return Prediction(kind), _scheduled(standing, event, content, invoice_id)
        case Fresh():
            return Prediction(Kind.REGISTER), _scheduled(standing, event, content, "?")
        case Doubt():
            return Prediction(Kind.WAITS), standing
        case _ as unreachable:
            assert_never(unreachable)


def _scheduled(standing: Standing, event: Event, content: dict[str, str], invoice_id: str) -> Standing:
    ending = Scheduled(invoice_id)
    after = standing_after(standing.entry, event, ending, digests=content, progress=Progress(), outcome="?")
    return Standing(after_replay(after, event.envelope))


def _over(ending: object, entry: Entry | None = None) -> Prediction:
    """An ending without a call, as a prediction."""
    match ending:
        case Repeated(seen=True):
            return Prediction(Kind.SENT)
        case Repeated():
            return Prediction(Kind.REPEAT)
        case Rejected(problems=problems) if any(problem.code == "replay_limit" for problem in problems):
            return Prediction(Kind.LIMIT)
        case Rejected(problems=problems):
            fields = _distinct(problem.pointer.rpartition("/")[2] for problem in problems)
            return Prediction(Kind.CONFLICT, fields)
        case _:
            discarded = entry is not None and entry.state is State.DISCARDED
            return Prediction(Kind.DISCARDED if discarded else Kind.IN_DOUBT)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
