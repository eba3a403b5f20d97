"""What belongs together in a claim, and what its type needs. Source: Kravia's guides (docs/reference/kravia-api.md)."""

from collections.abc import Iterable

from schemas.events import Claim, CollectionCase


def given(text: str | None) -> str | None:
    """The text without blanks around it; None where nothing is left: a blank field says no more than a missing one."""
    return text.strip() or None if text else None


def due_before_invoice(invoice: Claim) -> Iterable[str]:
    """The due date, where it lies before the invoice's."""
    # Both are YYYY-MM-DD: their texts sort as their days do.
    return ("/invoice/dueDate",) if invoice.dueDate < invoice.invoiceDate else ()


def organisation_number_missing(invoice: Claim) -> Iterable[str]:
    """The organisation number, where a collection case against a company has none."""
    if (
        isinstance(invoice, CollectionCase)
        and invoice.isPrivateIndividual == "false"
        and given(invoice.organizationNumber) is None
    ):
        return ("/invoice/organizationNumber",)
    return ()


def order_lines_in_collection_case(invoice: Claim) -> Iterable[str]:
    """The lines of a collection case. An empty list holds none: it passes."""
    return ("/invoice/orderLines",) if invoice.orderLines and isinstance(invoice, CollectionCase) else ()


def reference_missing(invoice: Claim) -> Iterable[str]:
    """Each of the two references that is not there."""
    if invoice.accountingInvoiceId and given(invoice.debtorNumber):
        return ()
    missing = []
    if not invoice.accountingInvoiceId:
        missing.append("/invoice/accountingInvoiceId")
    if not given(invoice.debtorNumber):
        missing.append("/invoice/debtorNumber")
    return missing
