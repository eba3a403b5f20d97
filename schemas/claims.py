# ruff: noqa: N815 -- field names are Kravia's own, so that code, JSON and the API's guide say the same word
"""The body of Kravia's register call, field by field: an invoice, a credit note or a collection case.

Which fields Kravia requires is not documented, but for collection cases. Required here is what an identity needs
(claimType, creditorId, invoiceNo) and what an invoice is not one without (debtorName, dates, amount, currency).
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.fields import (
    BooleanText,
    CalendarDate,
    Country,
    Currency,
    FilledText,
    Number,
    Reference,
    Text,
)
from schemas.identity import ClaimType
from schemas.parts import Part, config

MAX_LINES: Final = 2000
"""Order lines, bookkeeping details. Ours: bounds what a broken producer can make us list as wrong."""

CreditorId = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]
"""Kravia's id of a creditor."""


class PostalAddress(Part):
    """The debtor's address. Which of its fields Kravia needs is not documented."""

    model_config = config(
        addressAddressLine1="Karl Johan Gate 1",
        addressPostalCode="0154",
        addressCity="Oslo",
        addressCountryCode="NO",
    )

    addressAddressLine1: Text | None = Field(
        default=None, description="Street and number.", examples=["Karl Johan Gate 1"]
    )
    addressPostalCode: Text | None = Field(default=None, description="Postal code, a string.", examples=["0154"])
    addressCity: Text | None = Field(default=None, description="City.", examples=["Oslo"])
    addressCountryCode: Country | None = Field(default=None, description="ISO 3166-1 alpha-2.", examples=["NO"])


class OrderLine(Part):
    """One line of an invoice. In the guide's example `unitPrice * count` is `total`, VAT not added."""

    model_config = config(description="Service A", unitPrice=125, count=10, vatInPercent=25, unit="hour", total=1250)

    description: Text = Field(description="What was delivered.", examples=["Service A"])
    unitPrice: Number = Field(description="Price of one unit, in the invoice's currency.", examples=[125])
    count: Number = Field(description="How many units.", examples=[10])
    vatInPercent: Number | None = Field(default=None, description="VAT, percent.", examples=[25])
    unit: Text | None = Field(default=None, description="Name of the unit.", examples=["hour"])
    total: Number = Field(description="Amount of the line, in the invoice's currency.", examples=[1250])
    discountInPercent: Number | None = Field(default=None, description="Discount, percent.", examples=[0])


class BookkeepingDetail(Part):
    """A posting in the creditor's books."""

    model_config = config(amount=2500, description="Sales", bookingDate="2025-04-01", ledgerAccount=3000, vatCode=3)

    amount: Number = Field(description="In the invoice's currency.", examples=[2500])
    description: Text | None = Field(default=None, description="What is posted.", examples=["Sales"])
    bookingDate: CalendarDate | None = Field(
        default=None, description="Date of the posting, YYYY-MM-DD.", examples=["2025-04-01"]
    )
    ledgerAccount: Number | None = Field(default=None, description="Account: a number.", examples=[3000])
    vatCode: Number | None = Field(default=None, description="VAT code: a number.", examples=[3])


class _Claim(Part):
    """What all claim types share, in the order in which the guide prints it."""

    claimType: ClaimType = Field(description="What is registered. Part of the identity.")
    creditorId: CreditorId = Field(description="Kravia's creditor id. Part of the identity.", examples=[10759])
    accountingInvoiceId: Reference | None = Field(
        default=None,
        description="The caller's own id of the invoice; recommended by Kravia. Part of a credit note's identity. "
        "A string is an assumption: the guide prints null.",
        examples=["A-20001"],
    )
    debtorName: FilledText = Field(description="Who owes.", examples=["John Doe"])
    debtorNumber: Text | None = Field(
        default=None,
        description="The caller's customer number, by which Kravia finds the customer card.",
        examples=["10001"],
    )
    email: Text | None = Field(
        default=None, description="The debtor's e-mail address; its form is not checked.", examples=["john@example.com"]
    )
    ssn: Text | None = Field(
        default=None, description="National identity number. A string is an assumption.", examples=["01010012345"]
    )
    organizationNumber: Text | None = Field(
        default=None,
        description="Organisation number. A string is an assumption: the guide prints null.",
        examples=["974760673"],
    )
    isPrivateIndividual: BooleanText | None = Field(
        default=None,
        description='Boolean or text; sent as the text "true" or "false", as the guide prints it.',
        examples=["true", False],
    )
    postalAddress: PostalAddress | None = Field(
        default=None, description="The debtor's address.", examples=[{"addressCity": "Oslo"}]
    )
    invoiceNo: Reference = Field(
        description="Invoice number: part of the identity, taken as it is.", examples=["20001"]
    )
    invoiceDate: CalendarDate = Field(description="Date of the invoice, YYYY-MM-DD.", examples=["2025-04-01"])
    dueDate: CalendarDate = Field(description="When it is due, YYYY-MM-DD.", examples=["2026-01-01"])
    originalAmount: Number = Field(
        description="The amount to claim. In the guide's example the sum of the lines' totals; of a collection case "
        "VAT included; of a credit note positive. Reaches Kravia digit by digit.",
        examples=[2500, 2500.10],
    )
    currencyCode: Currency = Field(description="ISO 4217.", examples=["NOK"])
    description: Text | None = Field(default=None, description="Free text.", examples=["Services in March"])
    orderLines: Annotated[list[OrderLine], Field(max_length=MAX_LINES)] | None = Field(
        default=None,
        description="The lines.",
        examples=[[{"description": "Service A", "unitPrice": 125, "count": 10, "total": 1250}]],
    )
    bookkeepingDetails: Annotated[list[BookkeepingDetail], Field(max_length=MAX_LINES)] | None = Field(
        default=None, description="Postings in the creditor's books.", examples=[[{"amount": 2500}]]
    )


MINIMAL: Final = {
    "creditorId": 10759,
    "debtorName": "John Doe",
    "invoiceNo": "20001",
    "invoiceDate": "2025-04-01",
    "dueDate": "2026-01-01",
    "originalAmount": 2500,
    "currencyCode": "NOK",
}
"""Example of what each claim type must have, but for the type itself."""


class Invoice(_Claim):
    """An invoice."""

    model_config = config(claimType="Invoice", **MINIMAL)

    claimType: Literal["Invoice"] = Field(description="It is an invoice.", examples=["Invoice"])


class CreditNote(_Claim):
    """A credit note: the same body as an invoice. The guide's example has positive amounts and the invoice's number."""

    model_config = config(claimType="CreditNote", accountingInvoiceId="A-20001-1", **MINIMAL)

    claimType: Literal["CreditNote"] = Field(description="It is a credit note.", examples=["CreditNote"])


class CollectionCase(_Claim):
    """A collection case: a postal address is required. Order lines are refused by a rule (see `schemas.rules`)."""

    model_config = config(claimType="CollectionCase", postalAddress={"addressCity": "Oslo"}, **MINIMAL)

    claimType: Literal["CollectionCase"] = Field(description="It is a collection case.", examples=["CollectionCase"])
    postalAddress: PostalAddress = Field(
        description="The debtor's address, required here.", examples=[{"addressCity": "Oslo"}]
    )
    orderLines: Annotated[list[OrderLine], Field(max_length=MAX_LINES)] | None = Field(
        default=None,
        description="A collection case has none: unless the worker is set otherwise, it is rejected.",
        examples=[None],
    )


Claim = Invoice | CreditNote | CollectionCase
"""What is registered."""


REGISTER_FIELDS: Final = tuple(_Claim.model_fields)
"""Names of the register body's fields, in the guide's order."""
