"""What an event begins with, given what the ledger and the journal say. Pure.

The result is a value of a closed union; `pipeline` carries it out. The table is architecture.md's in docs/explanation/.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.facts import Progress
from worker.model import Ending, Failed, Problem, Reason, Refusal, Rejected, Repeated, Step
from worker.standing import Entry, State, differing


@dataclass(frozen=True, slots=True)
class Fresh:
    """Nothing is registered: begin with register."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Registered under this id. What is attached already (sha256); `started`: Start was answered 2xx before."""

    invoice_id: str
    attached: frozenset[str]
    started: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """This intent's call may have been carried out."""

    intent: int


@dataclass(frozen=True, slots=True)
class Over:
    """No call is needed."""

    ending: Ending


Beginning = Fresh | Resume | Doubt
Opening = Beginning | Over


def open_event(entry: Entry | None, digests: Mapping[str, str], progress: Progress | None) -> Opening:
    """What an event of an identity with this ledger `entry` and these journal facts begins with."""
    state = State.ABSENT if entry is None else entry.state
    if progress is not None and progress.invoice_id is not None:
        attached = progress.attached | set(entry.attached if entry else ())
        return Resume(progress.invoice_id, frozenset(attached), progress.started)
    if progress is not None and (doubt := progress.doubt) is not None:
        return Doubt(doubt)
    if entry is None or state is State.ABSENT:
        return Fresh()
    if state is State.IN_DOUBT or state is State.DISCARDED:
        return Over(Failed(Step.REGISTER, Reason.BLOCKED, attempts=0, doubt=entry.doubt))
    assert entry.invoice_id is not None, "scheduled and registered entries hold the invoice id"
    if changed := differing(entry.digests, digests):
        return Over(Rejected(Refusal.CONFLICT, _conflicts(changed), invoice_id=entry.invoice_id))
    if state is State.SCHEDULED:
        return Over(Repeated(entry.outcome or "", entry.invoice_id))
    # Attachments may have been corrected since, so those that are not known as sent are sent.
    attached = set(entry.attached) | (progress.attached if progress else set())
    return Resume(entry.invoice_id, frozenset(attached), progress.started if progress else False)


def _conflicts(fields: list[str]) -> tuple[Problem, ...]:
    sentence = "differs from what was registered under this identity before"
    return tuple(Problem(f"/invoice/{name}", "conflict", f"{name} {sentence}") for name in fields)
