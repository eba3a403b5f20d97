# ruff: noqa: N815 -- field names are Kravia's own, so that code, JSON and the API's guide say the same word
"""The invoice event: what a producer writes to `invoice.requests`.

A CloudEvent of type `kravia.invoice.requested.v1` in Kafka's binary or structured mode; its data is `InvoiceRequest`:
the body of Kravia's register call field by field, attachments, and the start call's message. `check` validates data
and reports every problem; unknown fields are refused, since a misspelt one would be an invoice with less in it. What
a valid event may still get wrong (sums, check digits, codes that do not exist) is `schemas.rules`' business.

Which fields Kravia requires is not documented, but for collection cases. Required here is what an identity needs
(claimType, creditorId, invoiceNo) and what an invoice is not one without (debtorName, dates, amount, currency).
A null stands for an absent field everywhere.
"""

from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from schemas.fields import (
    Base64Text,
    BooleanText,
    CalendarDate,
    Country,
    Currency,
    DocumentUrl,
    FileName,
    FilledText,
    MediaType,
    Number,
    Reference,
    Sha256,
    Text,
    field_title,
)
from schemas.identity import CLAIM_TYPES, ClaimType, identity
from schemas.jsontext import dumps
from schemas.violations import Violation, bounded, pointer, violation

REQUESTED_TYPE: Final = "kravia.invoice.requested.v1"
"""The CloudEvents type of an invoice event."""
DEFAULT_START_MESSAGE: Final = "Confirming invoice action"
"""What the start call says when the event names nothing: the example of Kravia's guide."""
MAX_LINES: Final = 2000
"""Order lines, bookkeeping details. Ours: bounds what a broken producer can make us list as wrong."""
MAX_ATTACHMENTS: Final = 100
"""Likewise; the worker's own limit lies below."""
MAX_NAMES: Final = 2000
"""Fields of one object, known or not. Likewise."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, field_title_generator=field_title)


class PostalAddress(_Part):
    """The debtor's address. Which of its fields Kravia needs is not documented."""

    addressAddressLine1: Text | None = Field(default=None, description="Street and number.")
    addressPostalCode: Text | None = Field(default=None, description="Postal code.")
    addressCity: Text | None = Field(default=None, description="City.")
    addressCountryCode: Country | None = Field(default=None, description="ISO 3166-1 alpha-2.", examples=["NO"])


class OrderLine(_Part):
    """One line of an invoice. In the guide's example `unitPrice * count` is `total`, VAT not added."""

    description: Text = Field(description="What was delivered.")
    unitPrice: Number = Field(description="Price of one unit, in the invoice's currency.")
    count: Number = Field(description="How many units.")
    vatInPercent: Number | None = Field(default=None, description="VAT, percent.")
    unit: Text | None = Field(default=None, description="Name of the unit.")
    total: Number = Field(description="Amount of the line, in the invoice's currency.")
    discountInPercent: Number | None = Field(default=None, description="Discount, percent.")


class BookkeepingDetail(_Part):
    """A posting in the creditor's books."""

    amount: Number = Field(description="In the invoice's currency.")
    description: Text | None = Field(default=None, description="What is posted.")
    bookingDate: CalendarDate | None = Field(default=None, description="Date of the posting.")
    ledgerAccount: Number | None = Field(default=None, description="Account: a number.")
    vatCode: Number | None = Field(default=None, description="VAT code: a number.")


CreditorId = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


class _IdentityFields(BaseModel):
    claimType: ClaimType
    creditorId: CreditorId
    invoiceNo: Reference
    accountingInvoiceId: Reference | None


class _Claim(_Part):
    """What all claim types share, in the order in which the guide prints it."""

    claimType: str
    creditorId: CreditorId = Field(description="Kravia's creditor id.")
    accountingInvoiceId: Reference | None = Field(
        default=None,
        description="The caller's own id of the invoice; recommended by Kravia. Part of a credit note's identity. "
        "A string is an assumption: the guide prints null.",
    )
    debtorName: FilledText = Field(description="Who owes.")
    debtorNumber: Text | None = Field(
        default=None, description="The caller's customer number, by which Kravia finds the customer card."
    )
    email: Text | None = Field(default=None, description="The debtor's e-mail address.")
    ssn: Text | None = Field(default=None, description="National identity number. A string is an assumption.")
    organizationNumber: Text | None = Field(
        default=None, description="Organisation number. A string is an assumption: the guide prints null."
    )
    isPrivateIndividual: BooleanText | None = Field(
        default=None, description='Boolean or text; sent as the text "true" or "false", as the guide prints it.'
    )
    postalAddress: PostalAddress | None = Field(default=None, description="The debtor's address.")
    invoiceNo: Reference = Field(description="Invoice number: part of the identity, taken as it is.")
    invoiceDate: CalendarDate = Field(description="Date of the invoice.")
    dueDate: CalendarDate = Field(description="When it is due.")
    originalAmount: Number = Field(
        description="The amount to claim. In the guide's example the sum of the lines' totals; of a collection case "
        "VAT included; of a credit note positive. Reaches Kravia digit by digit."
    )
    currencyCode: Currency = Field(description="ISO 4217.", examples=["NOK"])
    description: Text | None = Field(default=None, description="Free text.")
    orderLines: Annotated[list[OrderLine], Field(max_length=MAX_LINES)] | None = Field(
        default=None, description="The lines."
    )
    bookkeepingDetails: Annotated[list[BookkeepingDetail], Field(max_length=MAX_LINES)] | None = Field(
        default=None, description="Postings in the creditor's books."
    )


class Invoice(_Claim):
    """An invoice."""

    claimType: Literal["Invoice"]


class CreditNote(_Claim):
    """A credit note: the same body as an invoice. The guide's example has positive amounts and the invoice's number."""

    claimType: Literal["CreditNote"]


class CollectionCase(_Claim):
    """A collection case: a postal address is required. Order lines are refused by a rule (see `schemas.rules`)."""

    claimType: Literal["CollectionCase"]
    postalAddress: PostalAddress = Field(description="The debtor's address, required here.")
    orderLines: Annotated[list[OrderLine], Field(max_length=MAX_LINES)] | None = Field(
        default=None, description="A collection case has none: unless the worker is set otherwise, it is rejected."
    )


Claim = Invoice | CreditNote | CollectionCase
"""What is registered."""


class _Document(_Part):
    fileName: FileName = Field(description="A bare file name.", examples=["invoice-20001.pdf"])
    mediaType: MediaType = Field(description="RFC 6838 media type.", examples=["application/pdf"])


class InlineAttachment(_Document):
    """A document that travels in the event."""

    content: Base64Text = Field(description="The document, in base64 (RFC 4648, padded, without line breaks).")
    sha256: Sha256 | None = Field(
        default=None, description="Digest of the decoded document; when given, it must be that of `content`."
    )

    @model_validator(mode="after")
    def _digest_fits(self) -> Self:
        if self.sha256 is not None and self.sha256 != self.content.sha256:
            raise PydanticCustomError("digest_differs", "The content's SHA-256 is not the one that is given.")
        return self


class ReferencedAttachment(_Document):
    """A document that the worker fetches: a claim check. Missing or altered, it rejects the event."""

    url: DocumentUrl = Field(
        description="Where it is, by https, on a host that the worker's operator allows. May hold a signature: it is "
        "never logged.",
        examples=["https://documents.example.com/invoices/20001.pdf"],
    )
    sha256: Sha256 = Field(description="Digest of the document, verified before anything is registered.")
    size: Annotated[int, Field(strict=True, ge=1, le=2**40)] = Field(description="Bytes of the document, exactly.")


def _attachment_kind(value: object) -> str:
    known = value.keys() if isinstance(value, dict) else getattr(value, "__dict__", {}).keys()
    return _REFERENCED if "url" in known else _INLINE


_INLINE: Final = "inline"
_REFERENCED: Final = "referenced"

Attachment = Annotated[
    Annotated[InlineAttachment, Tag(_INLINE)] | Annotated[ReferencedAttachment, Tag(_REFERENCED)],
    Discriminator(_attachment_kind),
]
"""A document to attach to the invoice, in the order of the list: one with `url` is a reference, any other inline."""


class InvoiceRequest(_Part):
    """Data of `kravia.invoice.requested.v1`: register this, attach these, start it."""

    invoice: Annotated[Claim, Field(discriminator="claimType")] = Field(
        description="The body of Kravia's register call."
    )
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] | None = Field(
        default=None, description="Documents to attach, in this order."
    )
    startMessage: Annotated[str, Field(strict=True, min_length=1, max_length=1000, pattern=r"\S")] | None = Field(
        default=None, description=f"Message of the start call; `{DEFAULT_START_MESSAGE}` when it is left out."
    )


REGISTER_FIELDS: Final = tuple(_Claim.model_fields)
"""Names of the register body's fields, in the guide's order."""

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
