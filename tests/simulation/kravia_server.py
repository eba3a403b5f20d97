"""The simulated Kravia: its ledger of what was carried out, and a search that shows it later and out of order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from schemas.identity import identity


class Rows(Enum):
    """What a search row holds of an invoice (undocumented: all are possible)."""

    FULL = "full"
    PARTIAL = "partial"
    """accountingInvoiceId is there, creditorId and claimType are not."""
    BARE = "bare"
    """Nothing that identifies an invoice but Kravia's own id."""


@dataclass(slots=True)
class Invoice:
    """One registration that was carried out."""

    id: str
    identity: str
    body: bytes
    fields: Mapping[str, Any]
    registered_at: float
    visible_at: float
    updated_at: float
    documents: list[str] = field(default_factory=list)
    file_names: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SearchHabit:
    """How the search lags. `lag`: seconds until it shows an invoice, `disorder`: how far it may be out of order."""

    lag: float = 3.0
    disorder: float = 2.0
    rows: Rows = Rows.FULL
    details_tell: bool = True
    """Whether `/details` holds the identity fields."""
    zone: float = 0.0
    """Seconds by which the times without zone in rows and queries are ahead of UTC."""


class KraviaServer:
    """Registers whatever it is told to, twice if it is told so twice: nothing is known of idempotency."""

    def __init__(self, habit: SearchHabit) -> None:
        self.habit = habit
        self.invoices: dict[str, Invoice] = {}
        self._shown_up_to = 0.0

    def register(self, body: bytes, now: float, lag: float, skew: float) -> Invoice:
        """Carry a register out. `lag` and `skew` in [0, 1): shares of the habit's."""
        fields = json.loads(body)
        # In order but for the disorder: the base never goes back.
        self._shown_up_to = max(self._shown_up_to, now + lag * self.habit.lag)
        invoice = Invoice(
            id=f"K{len(self.invoices) + 1}",
            identity=identity(
                fields["creditorId"], fields["claimType"], fields["invoiceNo"], fields.get("accountingInvoiceId")
            ),
            body=body,
            fields=fields,
            registered_at=now,
            visible_at=self._shown_up_to + skew * self.habit.disorder,
            updated_at=now,
        )
        self.invoices[invoice.id] = invoice
        return invoice

    def registrations(self, wanted: str) -> list[Invoice]:
        """Every registration of an identity."""
        return [invoice for invoice in self.invoices.values() if invoice.identity == wanted]

    def search(self, since: float, now: float, skip: int, top: int) -> list[Invoice]:
        """Visible invoices updated at or after `since` (in the habit's zone), by last update."""
        since -= self.habit.zone
        found = [i for i in self.invoices.values() if i.visible_at <= now and i.updated_at >= since]
        found.sort(key=lambda invoice: invoice.updated_at)
        return found[skip : skip + top]

    def details(self, invoice: Invoice) -> Mapping[str, object]:
        """What `/details` holds besides documents and actions. ASSUMPTION: every field of it."""
        names = ("creditorId", "claimType", "invoiceNo", "accountingInvoiceId")
        told = {name: invoice.fields.get(name) for name in names} if self.habit.details_tell else {}
        return {"id": invoice.id, "invoice": told}

    def row(self, invoice: Invoice, epoch: datetime) -> Mapping[str, object]:
        """A search row. ASSUMPTION: every field of it; numbers come as text, as some APIs have them."""
        known = invoice.fields
        updated = epoch + timedelta(seconds=invoice.updated_at + self.habit.zone)
        row: dict[str, object] = {"id": invoice.id, "lastUpdatedTime": updated.replace(tzinfo=None).isoformat()}
        if self.habit.rows is not Rows.BARE:
            row |= {"invoiceNo": known["invoiceNo"], "accountingInvoiceId": known.get("accountingInvoiceId")}
        if self.habit.rows is Rows.FULL:
            row |= {"creditorId": str(known["creditorId"]), "claimType": known["claimType"]}
        return row
