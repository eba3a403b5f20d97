# ruff: noqa: N815 -- field names are those of the JSON, in the case that Kravia's own fields have
"""What a person decided: commands on `invoice.replays`, version 1. Written by the operator's tools only.

A command is a CloudEvent of type `kravia.invoice.command.v1`, binary or structured; its id is the command's id: one
that was seen before has no effect. The record's key is the invoice's identity, as for events.

A replay or an edit is no such event but the dead letter's record once more, with `replay-of` and the headers below.
"""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from schemas.fields import field_title
from schemas.identity import identity_parts
from schemas.violations import Violation

COMMAND_TYPE: Final = "kravia.invoice.command.v1"
REPLAY_OF: Final = "replay-of"
"""Header of every record on `invoice.replays`: topic/partition/offset of the record that failed first."""
COMMAND_ID: Final = "command-id"
COMMAND_VERB: Final = "command-verb"
"""`replay` (as it was) or `edit` (corrected)."""
COMMAND_WHO: Final = "command-who"
COMMAND_WHEN: Final = "command-when"
"""RFC 3339."""
COMMAND_WHY: Final = "command-why"
COMMAND_CHANGED: Final = "command-changed"
"""Of an edit: JSON pointers into the data of what was changed, separated by blanks (RFC 6901 needs none); no values."""
COMMAND_RUN: Final = "command-run"
"""Which run of a tool sent it: for resuming one that was interrupted."""
COMMAND_HEADERS: Final = (
    COMMAND_ID,
    COMMAND_VERB,
    COMMAND_WHO,
    COMMAND_WHEN,
    COMMAND_WHY,
    COMMAND_CHANGED,
    COMMAND_RUN,
)
"""What a replayed record has beside its own headers and those of its dead letter."""

_Text = Annotated[str, Field(min_length=1, max_length=1000)]


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, field_title_generator=field_title)

    version: Literal[1] = Field(default=1, description="Of this format.")
    who: _Text = Field(description="Who decided.")
    when: AwareDatetime = Field(description="When.")
    why: _Text = Field(description="Why, for the audit.")


class _Verdict(_Command):
    identity: str = Field(min_length=1, max_length=2000, description="The invoice that it is about.")
    doubt: int = Field(
        ge=0,
        description="The doubt that it resolves: the journal offset of its intent, as ledger entry, outcome and dead "
        "letter carry it. Obeyed only while the ledger holds that very doubt.",
    )


class RegisteredVerdict(_Verdict):
    """The doubtful register was carried out: Kravia has the invoice under this id."""

    verb: Literal["registered"]
    invoiceId: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="Kravia's id.")


class NotRegisteredVerdict(_Verdict):
    """The doubtful register was not carried out, and never will be: the invoice may be sent again."""

    verb: Literal["not_registered"]


class DiscardCommand(_Command):
    """The dead letter that the header `replay-of` names shall not be processed."""

    verb: Literal["discard"]
    identity: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        default=None, description="The invoice; absent for a dead letter whose identity can't be read."
    )
    forGood: bool = Field(
        default=False,
        description="Not the record alone but the invoice: unless it is scheduled, later events of it are refused.",
    )


CommandData = Annotated[RegisteredVerdict | NotRegisteredVerdict | DiscardCommand, Field(discriminator="verb")]
"""Data of a command."""
_VERBS: Final = ("registered", "not_registered", "discard")

COMMAND: Final[TypeAdapter[CommandData]] = TypeAdapter(CommandData)


def check_command(data: object) -> CommandData | list[Violation]:
    """The command in parsed JSON, or everything that is wrong with it."""
    try:
        command = COMMAND.validate_python(data)
    except ValidationError as error:
        return [_violation(found) for found in error.errors(include_input=False, include_url=False)]
    if command.identity is not None and identity_parts(command.identity) is None:
        return [Violation("/identity", "not_an_identity", "The identity is not creditorId/claimType/invoiceNo.")]
    return command


def _violation(found: ErrorDetails) -> Violation:
    """Pydantic's error as ours; the branch of the union is no part of the data."""
    if found["type"].startswith("union_tag"):
        return Violation("/verb", found["type"], f"verb is one of {', '.join(_VERBS)}.")
    pointer = "".join(f"/{part}" for part in found["loc"] if part not in _VERBS)
    return Violation(pointer, found["type"], f"{found['msg']}.")
