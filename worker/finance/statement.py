"""The statement: what the store's tables add up to. Sums are Decimal, exact; what is long is an iterator."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from typing import Final

from schemas.identity import identity_parts
from worker.finance.comparing import Compared
from worker.finance.findings import WHAT_TO_DO
from worker.finance.period import Period, from_micros
from worker.finance.reading import Kept
from worker.finance.store import CHANGED_RANK, Store
from worker.matching import Match

SCHEDULED_IS_NOT_SENT: Final = (
    "“scheduled” says that Kravia has taken the invoice and its start; whether Kravia has sent it, only Kravia knows."
)
_EXACT: Final = Context(prec=100, traps=[Inexact])
_IN_PERIOD: Final = "at >= :start AND at < :end AND (identity LIKE :mine OR (identity IS NULL AND :creditor IS NULL))"


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice identity of the period. `ended`: its outcome that stands, with its reason; '' without one."""

    identity: str
    amount: Decimal | None
    currency: str | None
    ended: str
    invoice_id: str | None
    registered_at: str | None
    calls: int
    unexplained: tuple[str, ...]
    unexplained_ids: tuple[str, ...]
    """Kravia's ids that these are about, each once."""

    @property
    def creditor(self) -> str:
        """The creditor's id; '' of what is no identity."""
        parts = identity_parts(self.identity)
        return "" if parts is None else str(parts.creditor_id)


@dataclass(frozen=True, slots=True)
class Unexplained:
    """One thing that nobody can explain yet. `subject`: an identity or coordinates; None: it has none.

    `ids`: Kravia's, of the invoices that it is about: the strange one's in `double_at_kravia` and `unknown_at_kravia`
    (several where its row does not say which is its id), else ours. `match`: how the identity that Kravia shows fits;
    None: nothing was compared.
    """

    kind: str
    subject: str | None
    why: str
    amount: str | None
    currency: str | None
    ids: tuple[str, ...]
    match: Match | None

    @property
    def todo(self) -> str:
        """The one thing that helps."""
        return WHAT_TO_DO[self.kind]


@dataclass(slots=True)
class Total:
    """Invoices of one creditor, currency and ending. `unknown`: those whose amount nobody knows."""

    invoices: int = 0
    amount: Decimal = Decimal(0)
    unknown: int = 0


@dataclass(slots=True)
class Statement:
    """Everything but the two long lists, `invoices` and `unexplained`, which the store still holds."""

    store: Store
    period: Period
    creditor: int | None
    kept: Kept
    compared: Compared | None
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Input records by topic and kind: `event`, `command`."""
    under_way: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    verbs: Counter[str] = field(default_factory=Counter)
    replays: int = 0
    totals: dict[tuple[str, str, str], Total] = field(default_factory=dict)
    """By creditor, currency and ending."""
    not_ours: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Unexplained things by kind."""

    @property
    def unexplained_count(self) -> int:
        """What must be 0."""
        return self.kinds.total()

    def unexplained(self) -> Iterator[Unexplained]:
        """Everything that is unexplained, by kind in the order of its weight."""
        order = " ".join(f"WHEN '{kind}' THEN {place}" for place, kind in enumerate(WHAT_TO_DO))
        for kind, subject, why, amount, currency, ids, match in self.store.ask(
            "SELECT kind, subject, why, amount, currency, ids, match FROM unexplained"
            f" ORDER BY CASE kind {order} END, subject, id"
        ):
            names = tuple(json.loads(ids))
            yield Unexplained(kind, subject, why, amount, currency, names, None if match is None else Match(match))

    def rows_not_ours(self) -> Iterator[str]:
        """Ids of rows that belong to our creditors and to no register of ours."""
        for (invoice,) in self.store.ask(
            "SELECT invoice FROM row_id JOIN row ON row.id = row_id.row WHERE standing = 'not_ours' ORDER BY row.id"
        ):
            yield invoice

    def invoices(self) -> Iterator[Invoice]:
        """Every identity that has an outcome in the period or is unexplained, in the identities' order."""
        for identity, outcome, reason, amount, currency, invoice, registered, calls, why, ids in self.store.ask(
            _INVOICES
        ):
            yield Invoice(
                identity,
                None if amount is None else Decimal(amount),
                currency,
                " ".join(filter(None, (outcome, reason))),
                invoice,
                None if registered is None else from_micros(registered),
                calls,
                tuple((why or "").split("\n")) if why else (),
                tuple(dict.fromkeys(one for line in (ids or "").splitlines() for one in json.loads(line))),
            )


def assemble(store: Store, period: Period, kept: Kept, compared: Compared | None) -> Statement:
    """Count and sum everything. After all checks; `compared` None: Kravia was not asked."""
    made = Statement(store, period, store.creditor, kept, compared)
    for topic, kind, count in store.ask(
        "SELECT topic, kind, COUNT(*) FROM input WHERE at >= :start AND at < :end GROUP BY topic, kind"
    ):
        made.events[topic, kind] = count
    for topic, part, place in store.ask(
        "SELECT topic, part, place FROM input LEFT JOIN outcome USING (topic, part, place)"
        " WHERE outcome.at IS NULL AND input.at >= :start AND input.at < :end"
    ):
        made.under_way += place >= kept.bounds.settled.get((topic, part), 0)
    for outcome, reason, count in store.ask(
        f"SELECT outcome, IFNULL(reason, ''), COUNT(*) FROM outcome WHERE {_IN_PERIOD} GROUP BY 1, 2"
    ):
        made.outcomes[outcome, reason] = count
    for answer, count in store.ask(
        "SELECT answer, COUNT(*) FROM call WHERE at >= :start AND at < :end AND identity LIKE :mine GROUP BY 1"
    ):
        made.calls[answer] = count
    for verb, count in store.ask(
        f"SELECT verb, COUNT(*) FROM outcome WHERE verb IS NOT NULL AND {_IN_PERIOD} GROUP BY 1"
    ):
        made.verbs[verb] = count
    made.replays = store.one(
        f"SELECT COUNT(*) FROM outcome WHERE replay AND IFNULL(verb, 'replay') IN ('replay', 'edit') AND {_IN_PERIOD}"
    )
    made.not_ours = store.one("SELECT COUNT(*) FROM row WHERE standing = 'not_ours'")
    for kind, count in store.ask("SELECT kind, COUNT(*) FROM unexplained GROUP BY kind"):
        made.kinds[kind] = count
    for invoice in made.invoices():
        if invoice.ended:
            _add(made.totals, invoice)
    return made


def _add(totals: dict[tuple[str, str, str], Total], invoice: Invoice) -> None:
    key = (invoice.creditor, invoice.currency or "", invoice.ended)
    total = totals.setdefault(key, Total())
    total.invoices += 1
    if invoice.amount is None:
        total.unknown += 1
    else:
        total.amount = _EXACT.add(total.amount, invoice.amount)


_STANDS: Final = (
    "SELECT *, ROW_NUMBER() OVER (PARTITION BY identity ORDER BY rank DESC, at DESC, place DESC) AS nth FROM outcome"
    " WHERE at >= :start AND at < :end AND identity LIKE :mine"
)


def _money(column: str) -> str:
    """Of the outcome that stands; else the ledger's; else what any of its outcomes says: a discard says nothing.

    What a refused or repeated event says counts only where the ledger knows no amount.
    """
    any_outcome = (
        f"SELECT told.{column} FROM outcome AS told WHERE told.identity = named.identity AND told.amount IS NOT NULL"
        " ORDER BY told.rank DESC, told.at DESC LIMIT 1"
    )
    return (
        f"CASE WHEN rank >= {CHANGED_RANK} AND stands.amount IS NOT NULL THEN stands.{column}"
        f" WHEN entry.amount IS NOT NULL THEN entry.{column} ELSE ({any_outcome}) END"
    )


_INVOICES: Final = f"""
WITH stands AS (SELECT * FROM ({_STANDS}) WHERE nth = 1),
named AS (SELECT identity FROM stands UNION SELECT subject FROM unexplained WHERE is_identity),
made AS (
    SELECT identity, COUNT(*) AS many, MIN(CASE WHEN answer LIKE 'registered%' THEN at END) AS registered
    FROM call WHERE identity IN (SELECT identity FROM named) GROUP BY identity
),
blamed AS (
    SELECT subject, GROUP_CONCAT(kind || ': ' || why, CHAR(10)) AS why, GROUP_CONCAT(ids, CHAR(10)) AS ids
    FROM unexplained GROUP BY subject
)
SELECT named.identity, stands.outcome, stands.reason,
    {_money("amount")}, {_money("currency")},
    IFNULL(stands.invoice, entry.invoice), made.registered, MAX(IFNULL(entry.calls, 0), IFNULL(made.many, 0)),
    blamed.why, blamed.ids
FROM named LEFT JOIN stands USING (identity) LEFT JOIN entry USING (identity) LEFT JOIN made USING (identity)
LEFT JOIN blamed ON blamed.subject = named.identity ORDER BY named.identity
"""
