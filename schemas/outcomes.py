# ruff: noqa: N815 -- field names are those of the JSON, in the case that Kravia's own fields have
"""The outcome event: what the worker publishes for every input record, exactly one, on `invoice.outcomes`.

A CloudEvent in Kafka's binary mode; its type says how the input ended, and so does `outcome` in its data: a closed
union. Its id is `outcome_id` of the input's coordinates, the same however often it is computed, so a reader can drop
duplicates. A reader refuses a `version` and an `outcome` that it does not know, and passes over fields that it does
not know: a later release may add some (docs/reference/contract.md, "Versions").
"""

import uuid
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from schemas import CONTRACT_VERSION
from schemas.fields import field_title

NAMESPACE: Final = uuid.UUID("5cbc7481-2473-44dc-af27-5818cf1b2380")
"""Namespace of all outcome ids. Never to change: a reader's duplicates would come back as new outcomes."""

Step: TypeAlias = Literal["fetch", "register", "attach", "start"]
RejectedReason: TypeAlias = Literal["undecodable", "validation", "misrouted", "conflict", "document", "refused"]
FailedReason: TypeAlias = Literal[
    "in_doubt", "blocked", "forbidden", "expired", "not_visible", "attach_unknown", "document_unreachable"
]


def outcome_id(topic: str, partition: int, offset: int) -> uuid.UUID:
    """The id of the outcome of the input record that stands there: UUIDv5 of `topic/partition/offset`."""
    return uuid.uuid5(NAMESPACE, f"{topic}/{partition}/{offset}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, field_title_generator=field_title)


class Origin(_Part):
    """Where the input record stands."""

    topic: str = Field(description="Its topic.")
    partition: int = Field(ge=0, description="Its partition.")
    offset: int = Field(ge=0, description="Its offset.")


class OutcomeError(_Part):
    """One thing that was wrong with the event."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the event's data; empty: the record as a whole.")
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="One sentence that says the rule, never the value.")


class OutcomeWarning(_Part):
    """One thing that a rule of the contract found odd; the event was sent all the same."""

    pointer: str = Field(description="JSON pointer (RFC 6901) into the event's data; empty: the record as a whole.")
    code: str = Field(description="The rule's code: stable, for programs.")
    message: str = Field(description="One sentence that says the rule, never the value.")


class Timings(_Part):
    """Where the time went, in seconds."""

    queued: float = Field(ge=0, description="From the event's own time (else its record's) until the worker took it.")
    handled: float = Field(ge=0, description="From then until it was settled, waits included.")
    steps: dict[Step, float] = Field(
        default={}, description="In calls, by step, all attempts of this worker together; what made none is left out."
    )


class CommandEcho(_Part):
    """Whose decision the input was: a command, or a dead letter that was sent again."""

    id: str = Field(description="The command's id: one that was seen before has no effect.")
    verb: Literal["replay", "edit", "registered", "not_registered", "discard"] = Field(
        description="What was decided: send it again, send it corrected, a verdict on a doubt, or not at all."
    )
    who: str = Field(description="Who decided.")
    when: AwareDatetime = Field(description="When.")
    why: str = Field(description="Why.")
    changed: list[str] | None = Field(default=None, description="Of an edit: JSON pointers of what was changed.")
    seen: Literal[True] | None = Field(default=None, description="The id was seen before: this had no effect.")


class RegisterCall(_Part):
    """One register call of this identity, so that finance can account for each."""

    at: AwareDatetime = Field(description="When its intent was written.")
    answer: str = Field(
        description="`registered`, `not_carried_out`, `unclear` or `unknown` (no answer was journaled), with its class "
        "after a colon."
    )
    owner: str = Field(description="The ownership that made the call.")
    intent: int = Field(description="Journal offset of its intent.")


class _Outcome(_Part):
    version: Literal[1] = Field(description="Of this format.")
    identity: str | None = Field(
        default=None, description="The invoice; absent when it can't be read: then `origin` stands for it."
    )
    creditorId: int | None = Field(default=None, description="Of the identity.")
    claimType: str | None = Field(default=None, description="Of the identity.")
    invoiceNo: str | None = Field(default=None, description="Of the identity, in Unicode's NFC.")
    accountingInvoiceId: str | None = Field(default=None, description="Of a credit note's identity, in Unicode's NFC.")
    origin: Origin = Field(description="The input record, by its place.")
    eventId: str | None = Field(default=None, description="The input's CloudEvents id.")
    eventSource: str | None = Field(default=None, description="The input's CloudEvents source.")
    receivedAt: AwareDatetime = Field(description="The input's own time, else its record's timestamp.")
    settledAt: AwareDatetime = Field(description="When the worker settled it.")
    attempts: int = Field(default=0, ge=0, description="Calls made for this event, all steps.")
    calls: list[RegisterCall] = Field(default=[], description="Register calls of this identity, oldest first.")
    replayOf: str | None = Field(
        default=None, description="topic/partition/offset of the record that this one replays."
    )
    contractVersion: str = Field(
        default=CONTRACT_VERSION, description="Version of the contract (schemas/) that the worker read the event by."
    )
    warnings: list[OutcomeWarning] = Field(
        default=[], description="What the contract's rules found odd, at most 101 entries. It was sent all the same."
    )
    amount: str | None = Field(
        default=None, description="The event's originalAmount, as decimal text; where the event is valid."
    )
    currency: str | None = Field(default=None, description="Its ISO 4217 code.")
    command: CommandEcho | None = Field(
        default=None, description="Who decided, where a person did: of commands, and of dead letters sent again."
    )
    timings: Timings | None = Field(default=None, description="Where the time went.")
    observed: Literal[True] | None = Field(
        default=None, description="Observe mode: no call was made, this is what the worker would have answered."
    )


class ScheduledOutcome(_Outcome):
    """Registered, everything attached, started."""

    outcome: Literal["scheduled"] = Field(description="How the input ended.")
    invoiceId: str = Field(description="Kravia's id.")


class RejectedOutcome(_Outcome):
    """Ended by what the event says; it is in the dead-letter topic too."""

    outcome: Literal["rejected"] = Field(description="How the input ended.")
    reason: RejectedReason = Field(description="Why: see docs/reference/outcomes.md.")
    errors: list[OutcomeError] = Field(description="Everything that is wrong, at most 101 entries.")
    step: Step | None = Field(default=None, description="The call that Kravia refused.")
    httpStatus: int | None = Field(default=None, description="Of Kravia's answer.")
    invoiceId: str | None = Field(default=None, description="Kravia's id, when it was registered before.")


class FailedOutcome(_Outcome):
    """Ended without the event's fault; it is in the dead-letter topic too."""

    outcome: Literal["failed"] = Field(description="How the input ended.")
    reason: FailedReason = Field(description="Why: see docs/reference/outcomes.md.")
    step: Step = Field(description="The call at which it ended.")
    httpStatus: int | None = Field(default=None, description="Of the last answer.")
    invoiceId: str | None = Field(default=None, description="Kravia's id, when it was registered.")
    doubt: int | None = Field(default=None, description="Journal offset of the intent that is in doubt.")
    lastAnswer: str | None = Field(default=None, description="Class of the last answer, such as `not_sent`.")


class RepeatedOutcome(_Outcome):
    """The same invoice again: the earlier result stands, no call was made."""

    outcome: Literal["repeated"] = Field(description="How the input ended.")
    invoiceId: str | None = Field(default=None, description="Kravia's id, when it is registered.")
    earlierOutcome: str = Field(description="Id of the outcome that stands.")


class DiscardedOutcome(_Outcome):
    """A person decided that it shall not be processed."""

    outcome: Literal["discarded"] = Field(description="How the input ended.")
    who: str = Field(description="Who decided.")
    why: str = Field(description="Why, as that person wrote it.")


class ResolvedOutcome(_Outcome):
    """A person's verdict on a doubt was obeyed: the ledger says so now, no call was made."""

    outcome: Literal["resolved"] = Field(description="How the input ended.")
    verdict: Literal["registered", "not_registered"] = Field(description="What that person found out.")
    who: str = Field(description="Who decided.")
    why: str = Field(description="Why, as that person wrote it.")
    doubt: int = Field(description="Journal offset of the intent that was in doubt.")
    invoiceId: str | None = Field(default=None, description="Kravia's id, by the verdict `registered`.")


Outcome = Annotated[
    ScheduledOutcome | RejectedOutcome | FailedOutcome | RepeatedOutcome | DiscardedOutcome | ResolvedOutcome,
    Field(discriminator="outcome"),
]
"""Data of an outcome event."""

OUTCOME: Final[TypeAdapter[Outcome]] = TypeAdapter(Outcome)
"""Validates data of any outcome: `OUTCOME.validate_json(value)`; pydantic.ValidationError when it is none."""

OUTCOME_TYPES: Final = {
    "scheduled": "kravia.invoice.scheduled.v1",
    "rejected": "kravia.invoice.rejected.v1",
    "failed": "kravia.invoice.failed.v1",
    "repeated": "kravia.invoice.repeated.v1",
    "discarded": "kravia.invoice.discarded.v1",
    "resolved": "kravia.invoice.resolved.v1",
}
"""The CloudEvents type of each outcome, by the `outcome` in its data."""
