"""Whether a row of Kravia's search is the invoice that a doubtful register was about. Pure.

ASSUMPTION, all of it: the fields of a row are undocumented. Identity fields are looked for in any spelling and
nesting; what is not there is never read as "another invoice".
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_FIELDS = {
    "creditorid": "creditor_id",
    "creditor.id": "creditor_id",
    "claimtype": "claim_type",
    "invoiceno": "invoice_no",
    "invoicenumber": "invoice_no",
    "accountinginvoiceid": "accounting_invoice_id",
}
_IDS = ("id", "invoiceid", "claimid")
_TIMES = ("lastupdatedtime", "lastupdated", "lastupdatedat", "lastupdateddate", "updatedtime", "updatedat", "updated")
_CLAIM_TYPES = {"invoice": "Invoice", "creditnote": "CreditNote", "collectioncase": "CollectionCase"}
_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity fields of an event or of a row; None: it does not say."""

    creditor_id: str | None
    claim_type: str | None
    invoice_no: str | None
    accounting_invoice_id: str | None


class Match(StrEnum):
    """What comparing a row says."""

    SAME = "same"
    """Every identity field agrees, creditor and claim type among them."""
    LIKELY = "likely"
    """What it has agrees and suffices, but creditor or claim type is missing: `/details` decides."""
    UNSURE = "unsure"
    """Nothing says that it is another invoice, and it has too little to say that it is this one."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Row:
    """What a row says: every id-like value, its identity fields, and its time of last update (no zone)."""

    ids: tuple[str, ...]
    identity: Identity
    updated: datetime | None


def read_row(row: Mapping[str, object]) -> Row:
    """Read a row, or the object that `/details` answers with."""
    found: dict[str, set[str]] = {}
    ids: dict[str, str] = {}
    updated: datetime | None = None
    for path, value in _leaves(row, ()):
        text = _text(value)
        if text is None:
            continue
        name, last = ".".join(path), path[-1]
        field = _FIELDS.get(last) or _FIELDS.get(".".join(path[-2:]))
        if field is not None:
            found.setdefault(field, set()).add(text)
        if name in _IDS or (len(path) > 1 and path[0] in ("data", "invoice", "claim") and last in _IDS):
            ids.setdefault(name, text)
        if updated is None and last in _TIMES:
            updated = _time(text)
    # A field that says two things says nothing.
    one = {field: next(iter(values)) for field, values in found.items() if len(values) == 1}
    return Row(
        tuple(dict.fromkeys(ids.values())),
        Identity(
            one.get("creditor_id"),
            _CLAIM_TYPES.get(one.get("claim_type", "").lower()),
            one.get("invoice_no"),
            one.get("accounting_invoice_id"),
        ),
        updated,
    )


def compare(row: Identity, wanted: Identity) -> Match:
    """Whether a row is the wanted invoice. `wanted` comes from an event: only its accountingInvoiceId may be None."""
    credit_note = wanted.claim_type == "CreditNote"
    for theirs, ours in (
        (row.creditor_id, wanted.creditor_id),
        (row.claim_type, wanted.claim_type),
        (_nfc(row.invoice_no), _nfc(wanted.invoice_no)),
    ):
        if theirs is not None and theirs != ours:
            return Match.OTHER
    account, ours = row.accounting_invoice_id, wanted.accounting_invoice_id
    if credit_note and account is not None and _nfc(account) != _nfc(ours):
        return Match.OTHER  # several partial notes may name one invoice: for them it is part of the identity
    differs = account is not None and ours is not None and _nfc(account) != _nfc(ours)
    by_account = account is not None and ours is not None and not differs
    by_number = row.creditor_id is not None and row.invoice_no is not None
    if credit_note and ours is not None and account is None:
        by_number = False  # which of the notes it is can't be told
    if differs or not (by_account or by_number):
        return Match.UNSURE
    return Match.SAME if row.creditor_id is not None and row.claim_type is not None else Match.LIKELY


def _leaves(value: Mapping[str, object], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, inner in value.items():
        here = (*path, re.sub(r"[^a-z0-9]", "", str(name).lower()))
        if isinstance(inner, Mapping):
            if len(here) < _DEPTH:
                yield from _leaves(inner, here)
        else:
            yield here, inner


def _text(value: object) -> str | None:
    """A scalar as text; None for null, booleans, lists and blanks."""
    if value is None or isinstance(value, bool | list):
        return None
    return str(value).strip() or None


def _nfc(text: str | None) -> str | None:
    return None if text is None else unicodedata.normalize("NFC", text)


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
