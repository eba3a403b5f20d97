"""Whether a row of Kravia's search is the invoice that a doubtful register was about. Pure.

ASSUMPTION, all of it: the fields of a row are undocumented. Identity fields are looked for in any spelling and
nesting; what is not there is never read as "another invoice".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum, auto
from unicodedata import normalize

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
    """Whether a row is the wanted invoice. `wanted` comes from an event: only its accountingInvoiceId may be None.

    What agrees but for blanks, case, leading zeros or a decimal point may be a respelling: it never says "another".
    """
    credit_note = wanted.claim_type == "CreditNote"
    account = _agree(row.accounting_invoice_id, wanted.accounting_invoice_id)
    number = _agree(row.invoice_no, wanted.invoice_no)
    said = [_agree(row.creditor_id, wanted.creditor_id), _agree(row.claim_type, wanted.claim_type), number]
    # Several partial notes may name one invoice: for them it is part of the identity.
    if _Agree.NO in said or (credit_note and account is _Agree.NO):
        return Match.OTHER
    unsure = _Agree.NEARLY in said or account in (_Agree.NO, _Agree.NEARLY)
    if credit_note and (row.accounting_invoice_id is None) != (wanted.accounting_invoice_id is None):
        unsure = True  # which of the notes it is can't be told
    by_number = row.creditor_id is not None and number is _Agree.YES
    if unsure or not (account is _Agree.YES or by_number):
        return Match.UNSURE
    whole = row.creditor_id is not None and row.claim_type is not None and (number is _Agree.YES or not credit_note)
    return Match.SAME if whole else Match.LIKELY


class _Agree(Enum):
    """What a field says; None of the two: nothing."""

    YES = auto()
    NEARLY = auto()
    NO = auto()
    UNSAID = auto()


def _agree(theirs: str | None, ours: str | None) -> _Agree:
    if theirs is None or ours is None:
        return _Agree.UNSAID
    if theirs == ours or normalize("NFC", theirs) == normalize("NFC", ours):
        return _Agree.YES
    return _Agree.NEARLY if folded(theirs) == folded(ours) else _Agree.NO


def folded(text: str) -> str:
    """What is left of a reference whatever a system makes of it: no blanks, no case, no zeros around a number.

    Rows and invoices whose numbers differ in this are others (`compare`), so many doubts can be looked up by it.
    """
    plain = "".join(normalize("NFKC", text).split()).casefold().lstrip("0")
    return re.sub(r"^(\d*)\.0+$", r"\1", plain)


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


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
