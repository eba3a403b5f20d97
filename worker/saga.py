"""One event's decisions: what follows each answer. Pure.

A decision is a value of a closed union; the steps carry it out. The table is failures.md's in docs/explanation/.
"""

from dataclasses import dataclass
from typing import assert_never

from worker.answers import (
    AlreadyThere,
    Answer,
    Done,
    Forbidden,
    NotSent,
    NotVisible,
    Refused,
    Registered,
    Stop,
    Throttled,
    Unclear,
    answer_class,
)
from worker.facts import Kind
from worker.model import Ending, Problem, Refusal, Rejected, Step
from worker.ports import Details


@dataclass(frozen=True, slots=True)
class Proceed:
    """Registered under this id."""

    invoice_id: str


@dataclass(frozen=True, slots=True)
class Through:
    """Attached, or started."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try the same step again, by the retry policy.

    `counts`: against the bound on attempts; an API-wide fault does not, the gate waits for its end.
    """

    why: str
    counts: bool = True
    not_visible: bool = False
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """It may have been done: `/details` is asked before it is tried again. `at_least`: seconds to wait before."""

    why: str
    at_least: float | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The register may have been carried out: the intent is in doubt."""

    why: str
    status: int | None


@dataclass(frozen=True, slots=True)
class End:
    ending: Ending


RegisterVerdict = Proceed | Again | Uncertain | End
FollowUpVerdict = Through | Again | Ask | End


def register_fact(answer: Answer) -> tuple[Kind, str | None]:
    """Which fact a register's answer is, and its class (None for the plain 2xx)."""
    match answer:
        case Registered():
            return Kind.REGISTERED, None
        case NotSent() | Throttled() | Refused() | Stop() | Forbidden() | NotVisible():
            return Kind.NOT_CARRIED_OUT, answer_class(answer)
        case AlreadyThere() | Unclear() | Done():
            return Kind.UNCLEAR, answer_class(answer)
        case _ as unreachable:
            assert_never(unreachable)


def after_register(answer: Answer) -> RegisterVerdict:
    """What follows a register's answer."""
    why = answer_class(answer)
    match answer:
        case Registered(invoice_id):
            return Proceed(invoice_id)
        case NotSent(reason):
            # The connection took longer than an intent is good for: as API-wide a fault as no connection at all.
            return Again(why, counts=reason != "expired")
        case Throttled():
            return Again(why, counts=False)
        case Stop() | NotVisible():
            return Again(why, counts=False)
        case Forbidden():
            return Again(why, forbidden=True)
        case Refused(status, hint):
            return End(_refused(Step.REGISTER, status, hint, None))
        case AlreadyThere(status) | Done(status):
            return Uncertain(why, status)
        case Unclear(_, status):
            return Uncertain(why, status)
        case _ as unreachable:
            assert_never(unreachable)


def after_follow_up(step: Step, answer: Answer, invoice_id: str) -> FollowUpVerdict:
    """What follows an answer to attach or start."""
    why = answer_class(answer)
    match answer:
        case Done():
            return Through()
        case NotSent(reason):
            # The connection took longer than an intent is good for: as API-wide a fault as no connection at all.
            return Again(why, counts=reason != "expired")
        case Throttled():
            return Again(why, counts=False)
        case Stop():
            return Again(why, counts=False)
        case Forbidden():
            return Again(why, forbidden=True)
        case NotVisible():
            return Again(why, not_visible=True)
        case Refused(status, hint):
            return End(_refused(step, status, hint, invoice_id))
        case AlreadyThere() | Registered():
            return Ask(why)
        case Unclear(_, _, retry_after):
            return Ask(why, retry_after)
        case _ as unreachable:
            assert_never(unreachable)


def _refused(step: Step, status: int, hint: str, invoice_id: str | None) -> Rejected:
    problem = Problem(
        "", f"http_{status}", f"Kravia refused {step.value} with status {status}{': ' if hint else ''}{hint}"
    )
    return Rejected(Refusal.REFUSED, (problem,), step=step, http_status=status, invoice_id=invoice_id)


@dataclass(frozen=True, slots=True)
class Resend:
    """Send it (again)."""


@dataclass(frozen=True, slots=True)
class Skip:
    """It is there already."""


@dataclass(frozen=True, slots=True)
class LeaveToPerson:
    """`/details` does not tell, and the setting leaves that to a person."""


def attach_after_details(
    details: Details, file_name: str, *, names_tell: bool, unknown_to_person: bool
) -> Resend | Skip | LeaveToPerson:
    """Whether a document that may be attached is sent again, given what `/details` tells.

    `names_tell`: only this event attached documents to the invoice. Else a document of the same name may be an earlier
    event's, which this one corrects.
    """
    if details.documents is not None and file_name not in details.documents:
        return Resend()
    if details.documents is not None and names_tell:
        return Skip()
    return LeaveToPerson() if unknown_to_person else Resend()


def start_after_details(details: Details) -> Resend | Skip:
    """Whether a Start that may have been carried out is sent again: yes unless the action is no longer available."""
    return Skip() if details.start_available is False else Resend()
