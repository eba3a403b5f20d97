"""Kravia's side: what `/invoice/search` and `/details` show, against what the outcomes say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.identity import identity_parts
from worker.answers import Answer, NotVisible, Refused, answer_class
from worker.finance.store import Store
from worker.matching import Identity, Match, Row, compare, read_row
from worker.ports import Details, KraviaApi
from worker.sweep import SweepPolicy, Swept, sweep

EARLIER: Final = timedelta(minutes=5)
"""Kravia's clock may differ from ours: the search begins so long before the period."""
_PATIENCE: Final = 5
"""Look-ups that may fail in a row before the rest is left."""
_OURS: Final = (
    "SELECT invoice, identity, MAX(amount), MAX(currency) FROM outcome WHERE invoice IS NOT NULL"
    " AND outcome <> 'repeated' AND at >= :start AND at < :end AND identity LIKE :mine GROUP BY invoice, identity"
)
_SHARED: Final = "SELECT row.id, row.ids, identity FROM row JOIN subject ON"
_STRANGE: Final = "WHERE standing IS NOT 'ours' AND identity LIKE :mine"


@dataclass(frozen=True, slots=True)
class Compared:
    """How the comparison went."""

    rows: int
    complete: bool
    found: int
    """Ids of ours that the search shows."""
    looked_up: int
    """Ids that only `/details` shows."""


async def read_search(store: Store, api: KraviaApi, since: datetime, policy: SweepPolicy) -> Swept:
    """Every row that changed since the period began, into the store. After the outcomes, before the ledger."""

    def visit(row: Row, raw: Mapping[str, object]) -> bool:
        store.add_row(row)
        return False

    return await sweep(api, since - EARLIER, visit, policy)


async def compare_with_kravia(store: Store, api: KraviaApi, swept: Swept) -> Compared:
    """Find each id of the period's outcomes, and rows that share an identity of ours. After the ledger was read."""
    if swept.problem is not None:
        store.blame("search_incomplete", None, f"the search was not read to its end: {swept.problem}", identity=False)
    _settle_rows(store)
    lookups = _Lookups(api)
    found = looked_up = 0
    for invoice, identity, amount, currency in store.ask(_OURS):
        money = (amount, currency)
        row = store.one("SELECT row FROM row_id WHERE invoice = :invoice", invoice=invoice)
        shown = _row(store, row) if row is not None else await lookups.ask(invoice)
        match shown:
            case Identity() if (wanted := wanted_of(identity)) and compare(shown, wanted) is Match.OTHER:
                why = f"Kravia shows its id {invoice} with another creditor, claim type or number"
                store.blame("identity_differs", identity, why, money, identity=True, ids=[invoice], match=Match.OTHER)
            case Identity():
                found, looked_up = found + (row is not None), looked_up + (row is None)
            case NotVisible() | Refused():
                why = f"neither the search nor /details shows its id {invoice} ({answer_class(shown)})"
                store.blame("not_at_kravia", identity, why, money, identity=True, ids=[invoice])
            case _:
                why = f"the search does not show its id {invoice}, and /details could not be read ({_said(shown)})"
                store.blame("not_looked_up", identity, why, money, identity=True, ids=[invoice])
    await _find_doubles(store, lookups)
    return Compared(swept.rows, swept.complete, found, looked_up)


def wanted_of(identity: str) -> Identity | None:
    """The fields that an identity is made of; None when it is none."""
    parts = identity_parts(identity)
    if parts is None:
        return None
    return Identity(str(parts.creditor_id), parts.claim_type, parts.invoice_no, parts.accounting_invoice_id)


def _settle_rows(store: Store) -> None:
    """Which rows are ours by their id, and which belong to a creditor of ours."""
    store.db.execute(
        "UPDATE row SET standing = 'ours' WHERE id IN (SELECT row FROM row_id WHERE invoice IN"
        " (SELECT invoice FROM outcome WHERE invoice IS NOT NULL"
        " UNION SELECT invoice FROM entry WHERE invoice IS NOT NULL))"
    )
    store.db.execute(
        "UPDATE row SET standing = 'not_ours' WHERE standing IS NULL AND ids <> '[]'"
        " AND creditor IN (SELECT creditor FROM subject) AND (:creditor IS NULL OR creditor = :creditor)",
        store.values,
    )


async def _find_doubles(store: Store, lookups: "_Lookups") -> None:
    """Rows under ids that are none of ours, whose identity is."""
    others = store.db.execute(
        f"{_SHARED} subject.number = row.folded {_STRANGE}"
        f" UNION {_SHARED} row.folded IS NULL AND subject.account = row.folded_account {_STRANGE}",
        store.values,
    ).fetchall()
    for number, ids, identity in others:
        wanted, row, names = wanted_of(identity), _row(store, number), json.loads(ids)
        if wanted is None:
            continue
        match = compare(row, wanted)
        if match in {Match.LIKELY, Match.UNSURE} and names:
            told = await lookups.ask(names[0])
            match = compare(told, wanted) if isinstance(told, Identity) else match
        # What the row does not say may be anybody's; what it says nearly like ours is worth a look.
        if match is Match.OTHER or (match is Match.UNSURE and row.creditor_id is None):
            continue
        store.db.execute("UPDATE row SET standing = 'double' WHERE id = ?", (number,))
        money = next(store.ask("SELECT amount, currency FROM entry WHERE identity = :identity", identity=identity), ())
        ours = store.one(
            "SELECT invoice FROM (SELECT invoice FROM entry WHERE identity = :identity UNION ALL"
            " SELECT invoice FROM outcome WHERE identity = :identity) WHERE invoice IS NOT NULL",
            identity=identity,
        )
        kind, besides = "double_at_kravia", f"besides {ours}"
        if ours is None:
            kind, besides = "unknown_at_kravia", "though no register of ours is known to have been carried out"
        looks = "has" if match is Match.SAME else "seems to have"
        why = f"Kravia {looks} it under the id {' or '.join(names) or '(none)'} {besides}"
        store.blame(kind, identity, why, money or (None, None), identity=True, ids=names, match=match)


def _row(store: Store, number: int) -> Identity:
    [fields] = store.ask("SELECT creditor, claim_type, invoice_no, account FROM row WHERE id = :number", number=number)
    return Identity(*fields)


def _said(answer: Answer | None) -> str:
    return "not asked any more" if answer is None else answer_class(answer)


class _Lookups:
    """`/details`, one after another, until it fails too often in a row."""

    def __init__(self, api: KraviaApi) -> None:
        self._api = api
        self._failures = 0

    async def ask(self, invoice: str) -> Identity | Answer | None:
        """What `/details` says of an id; None: it was not asked any more."""
        if self._failures >= _PATIENCE:
            return None
        told = await self._api.details(invoice)
        if isinstance(told, Details):
            self._failures = 0
            return read_row(told.raw).identity
        self._failures = 0 if isinstance(told, NotVisible | Refused) else self._failures + 1
        return told
