"""An edit of one dead letter, judged by the worker's own rules before it is sent. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.jsontext import JsonValue
from worker.deadletters.changes import Wrong, assignment, with_value
from worker.deadletters.differences import Difference, differences, pointer
from worker.deadletters.payload import Json, payload_of
from worker.deadletters.predict import Prediction, Rules, Standing, predict
from worker.deadletters.sending import Decision, Letter, Target, as_replay, corrected, edit, identity_in
from worker.model import Decoded, Invalid, OutRecord, Problem, Record


@dataclass(frozen=True, slots=True)
class Edited:
    """The corrected record, what it changes (None: the original is not JSON), and what is wrong with it."""

    record: OutRecord
    identity: str | None
    differences: tuple[Difference, ...] | None
    problems: tuple[Problem, ...]


def data_of(record: Record) -> JsonValue:
    """The event's data as it is now; None where it is not JSON."""
    payload = payload_of(record)
    return payload.data if isinstance(payload, Json) else None


def with_assignments(data: JsonValue, texts: Sequence[str]) -> JsonValue | Wrong:
    """The data after each `/pointer=value`, one after another."""
    for text in texts:
        found = assignment(text)
        if isinstance(found, Wrong):
            return found
        changed = with_value(data, *found)
        if isinstance(changed, Wrong):
            return changed
        data = changed
    return data


def edited(
    letter: Letter,
    data: JsonValue,
    decision: Decision,
    target: Target,
    decode: Callable[[Record], Decoded],
    *,
    bare: bool = False,
) -> Edited:
    """The dead letter with other data; `bare` as for `sending.corrected`, `decode` as the worker does it."""
    value, headers = corrected(letter.record, data, bare=bare)
    before = payload_of(letter.record)
    after = payload_of(Record(target.topic, 0, 0, 0, None, value, headers))
    changed = None
    if isinstance(before, Json) and isinstance(after, Json):
        changed = tuple(differences(before.data, after.data))
    pointers = ["/invoice", "/attachments"] if changed is None else [pointer(one.path) for one in changed]
    record = edit(letter, value, headers, pointers, decision, target)
    decoded = decode(as_replay(record))
    problems = decoded.problems if isinstance(decoded, Invalid) else ()
    return Edited(record, identity_in(as_replay(record)), changed, problems)


def judged(made: Edited, standing: Standing, rules: Rules) -> Prediction:
    """What sending it would do."""
    prediction, _ = predict(as_replay(made.record), standing, rules)
    return prediction
