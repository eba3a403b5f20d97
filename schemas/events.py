# ruff: noqa: N815 -- field names are Kravia's own, so that code, JSON and the API's guide say the same word
"""The invoice event: what a producer writes to `invoice.requests`.

A CloudEvent of type `kravia.invoice.requested.v1` in Kafka's binary or structured mode; its data is `InvoiceRequest`:
the body of Kravia's register call field by field, attachments, and the start call's message. `check` validates data
and reports every problem; unknown fields are refused. A null stands for an absent field everywhere. What a valid event
may still get wrong (sums, check digits, codes that do not exist) is `schemas.rules`' business.

The parts are in `schemas.claims` and `schemas.attachments` and may be imported from here. To write an event: see
`schemas.produce`.
"""

from typing import Annotated, Any, Final, cast

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from schemas.attachments import MAX_ATTACHMENTS, Attachment, InlineAttachment, ReferencedAttachment
from schemas.claims import (
    MINIMAL,
    REGISTER_FIELDS,
    BookkeepingDetail,
    Claim,
    CollectionCase,
    CreditNote,
    CreditorId,
    Invoice,
    OrderLine,
    PostalAddress,
)
from schemas.fields import Reference
from schemas.identity import CLAIM_TYPES, ClaimType, identity
from schemas.jsontext import dumps
from schemas.parts import Part, config
from schemas.texts import FILLED
from schemas.violations import Violation, bounded, pointer, violation

__all__ = [
    "DEFAULT_START_MESSAGE",
    "MAX_ATTACHMENTS",
    "REGISTER_FIELDS",
    "REQUESTED_TYPE",
    "Attachment",
    "BookkeepingDetail",
    "Claim",
    "CollectionCase",
    "CreditNote",
    "InlineAttachment",
    "Invoice",
    "InvoiceRequest",
    "OrderLine",
    "PostalAddress",
    "ReferencedAttachment",
    "check",
    "encode",
    "identity_of",
    "readable_identity",
]

REQUESTED_TYPE: Final = "kravia.invoice.requested.v1"
"""The CloudEvents type of an invoice event."""
DEFAULT_START_MESSAGE: Final = "Confirming invoice action"
"""What the start call says when the event names nothing: the example of Kravia's guide."""
MAX_NAMES: Final = 2000
"""Fields of one object, known or not. Ours: bounds what a broken producer can make us list as wrong."""


_EXAMPLE: Final = {"claimType": "Invoice", **MINIMAL}


class _IdentityFields(BaseModel):
    claimType: ClaimType
    creditorId: CreditorId
    invoiceNo: Reference
    accountingInvoiceId: Reference | None


class InvoiceRequest(Part):
    """Data of `kravia.invoice.requested.v1`: register this, attach these, start it."""

    model_config = config(invoice=_EXAMPLE, startMessage=DEFAULT_START_MESSAGE)

    invoice: Annotated[Claim, Field(discriminator="claimType")] = Field(
        description="The body of Kravia's register call.", examples=[_EXAMPLE]
    )
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] | None = Field(
        default=None,
        description="Documents to attach, in this order.",
        examples=[[{"fileName": "a.pdf", "mediaType": "application/pdf", "content": "JVBERi0xLjQK"}]],
    )
    startMessage: Annotated[str, Field(strict=True, min_length=1, max_length=1000, pattern=FILLED)] | None = Field(
        default=None,
        description=f"Message of the start call; `{DEFAULT_START_MESSAGE}` when it is left out.",
        examples=[DEFAULT_START_MESSAGE],
    )


_REQUEST: Final = TypeAdapter(InvoiceRequest)
_IDENTITY: Final = TypeAdapter(_IdentityFields)
_TAG_KINDS: Final = frozenset({"union_tag_invalid", "union_tag_not_found"})


def check(data: object) -> InvoiceRequest | list[Violation]:
    """The request that `data` (parsed JSON: see `schemas.jsontext`) holds, or everything that is wrong with it.

    Pointers lead into `data`. At most `schemas.violations.MAX_VIOLATIONS` are listed.
    """
    invoice = data.get("invoice") if isinstance(data, dict) else None
    for where, part in (("", data), ("/invoice", invoice)):
        if isinstance(part, dict) and len(part) > MAX_NAMES:
            return [Violation(where, "too_many", f"This object has more than {MAX_NAMES} fields.")]
    try:
        return _REQUEST.validate_python(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
    if isinstance(invoice, dict) and any(e["type"] in _TAG_KINDS for e in details):
        return bounded(_untyped(cast("dict[str, Any]", data), invoice))
    return bounded([_violation(e) for e in details])


def _untyped(request: dict[str, Any], invoice: dict[str, Any]) -> list[Violation]:
    # Without a claim type pydantic looks at nothing else in the invoice; a producer wants to hear all that is wrong.
    claim_type = _NO_CLAIM_TYPE if invoice.get("claimType") is None else _WRONG_CLAIM_TYPE
    try:
        _REQUEST.validate_python({**request, "invoice": {**invoice, "claimType": "Invoice"}})
    except ValidationError as error:
        return [claim_type, *map(_violation, error.errors(include_url=False))]
    return [claim_type]


def _violation(error: ErrorDetails) -> Violation:
    loc = error["loc"]
    if error["type"] in _TAG_KINDS:
        return Violation(pointer(loc), "wrong_type", "This must be an object.")
    # Below /invoice and below an attachment pydantic puts the name of the model that it chose into the path.
    tag = {"invoice": 1, "attachments": 2}.get(str(loc[0]), len(loc)) if loc else 0
    return violation(error, (*loc[:tag], *loc[tag + 1 :]))


def encode(request: InvoiceRequest) -> bytes:
    """The record's value (or CloudEvents data) for `request`, money digit by digit.

    pydantic's own `model_dump_json` won't do: it writes Decimal as text.
    """
    return dumps(request.model_dump(exclude_none=True))


def identity_of(request: InvoiceRequest) -> str:
    """The invoice's identity; its ASCII bytes are the record's key."""
    invoice = request.invoice
    return identity(invoice.creditorId, invoice.claimType, invoice.invoiceNo, invoice.accountingInvoiceId)


def readable_identity(data: object) -> str | None:
    """The identity that `data` names, also where other fields are wrong; None when a part of it is missing or wrong."""
    invoice = data.get("invoice") if isinstance(data, dict) else None
    if not isinstance(invoice, dict):
        return None
    accounting = invoice.get("accountingInvoiceId") if invoice.get("claimType") == "CreditNote" else None
    try:
        fields = _IDENTITY.validate_python({**invoice, "accountingInvoiceId": accounting})
    except ValidationError:
        return None
    return identity(fields.creditorId, fields.claimType, fields.invoiceNo, fields.accountingInvoiceId)


_NO_CLAIM_TYPE: Final = Violation("/invoice/claimType", "required", "This field is required.")
_WRONG_CLAIM_TYPE: Final = Violation(
    "/invoice/claimType", "not_allowed", f"This must be one of {', '.join(CLAIM_TYPES)}."
)
