"""What was read for a statement, in an SQLite file: hundreds of thousands of outcomes must not need memory.

The file is temporary and holds what outcomes and ledger hold: invoice numbers and amounts, nothing of a debtor.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from schemas.identity import identity_parts
from schemas.outcomes import Outcome
from worker.finance.period import Period, micros
from worker.matching import Match, Row, folded
from worker.model import Coordinates
from worker.standing import Entry

NOT_CARRIED_OUT: Final = "not_carried_out"
_LATEST: Final = 2**62
_CACHE_KIB: Final = 16_384
_SCHEMA: Final = """
CREATE TABLE input (topic TEXT, part INT, place INT, at INT, kind TEXT, PRIMARY KEY (topic, part, place)) WITHOUT ROWID;
CREATE TABLE outcome (
    topic TEXT, part INT, place INT, times INT, at INT, identity TEXT, outcome TEXT, reason TEXT, invoice TEXT,
    amount TEXT, currency TEXT, rank INT, replay INT, verb TEXT, PRIMARY KEY (topic, part, place)
) WITHOUT ROWID;
CREATE INDEX outcome_identity ON outcome (identity, at);
CREATE INDEX outcome_invoice ON outcome (invoice) WHERE invoice IS NOT NULL;
CREATE TABLE subject (identity TEXT PRIMARY KEY, creditor TEXT, number TEXT, account TEXT) WITHOUT ROWID;
CREATE INDEX subject_number ON subject (number);
CREATE INDEX subject_account ON subject (account) WHERE account IS NOT NULL;
CREATE TABLE call (
    identity TEXT, owner TEXT, intent INT, at INT, answer TEXT, seen INT, PRIMARY KEY (identity, owner, intent)
) WITHOUT ROWID;
CREATE TABLE entry (
    identity TEXT PRIMARY KEY, state TEXT, doubt INT, invoice TEXT, amount TEXT, currency TEXT, calls INT, maybe INT
) WITHOUT ROWID;
CREATE INDEX entry_invoice ON entry (invoice) WHERE invoice IS NOT NULL;
CREATE TABLE row (
    id INTEGER PRIMARY KEY, creditor TEXT, claim_type TEXT, invoice_no TEXT, account TEXT, folded TEXT,
    folded_account TEXT, ids TEXT, standing TEXT
);
CREATE INDEX row_folded ON row (folded);
CREATE TABLE row_id (invoice TEXT PRIMARY KEY, row INT) WITHOUT ROWID;
CREATE TABLE unexplained (
    id INTEGER PRIMARY KEY, kind TEXT, subject TEXT, is_identity INT, why TEXT, amount TEXT, currency TEXT, ids TEXT,
    match TEXT
);
CREATE INDEX unexplained_subject ON unexplained (subject);
"""

SCHEDULED_RANK, CHANGED_RANK, SAME_RANK = 3, 2, 1
"""Which outcome of an invoice stands: one that says `scheduled`, else the latest that changed something."""


class Store:
    """Tables of one statement; `db` is for the queries of this package. Close it, then delete its directory."""

    def __init__(self, directory: Path, period: Period, creditor: int | None = None) -> None:
        """`creditor`: only its invoices are judged."""
        self.db = sqlite3.connect(directory / "statement.sqlite", isolation_level=None)
        self.db.execute("PRAGMA journal_mode = OFF")
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        self.db.executescript(_SCHEMA)
        self.db.execute("BEGIN")
        self.start, self.end = micros(period.start), micros(period.end)
        self.creditor = creditor

    def close(self) -> None:
        """Let go of the file."""
        self.db.close()

    @property
    def values(self) -> dict[str, Any]:
        """Parameters that the queries share. `creditor` is a pattern: identities begin with their creditor."""
        return {
            "start": self.start,
            "end": self.end,
            "mine": "%" if self.creditor is None else f"{self.creditor}/%",
            "creditor": None if self.creditor is None else str(self.creditor),
        }

    def ask(self, sql: str, **more: Any) -> Iterator[tuple[Any, ...]]:
        """Rows of a query that may use the shared parameters."""
        return iter(self.db.execute(sql, self.values | more))

    def one(self, sql: str, **more: Any) -> Any:
        """The first value of the first row; None without one."""
        found = self.db.execute(sql, self.values | more).fetchone()
        return None if found is None else found[0]

    def add_inputs(self, records: Iterable[tuple[Coordinates, int, str]]) -> None:
        """Input records: where, microseconds since the epoch, and `event` or `command`."""
        self.db.executemany(
            "INSERT OR REPLACE INTO input VALUES (?, ?, ?, ?, ?)", ((*where, at, kind) for where, at, kind in records)
        )

    def add_outcome(self, outcome: Outcome) -> None:
        """An outcome, in the order of its partition."""
        origin, at = outcome.origin, micros(outcome.settledAt)
        self.db.execute(
            "INSERT INTO outcome VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET times = times + 1",
            (
                origin.topic,
                origin.partition,
                origin.offset,
                at,
                outcome.identity,
                outcome.outcome,
                getattr(outcome, "reason", None),
                getattr(outcome, "invoiceId", None),
                outcome.amount,
                outcome.currency,
                _rank(outcome),
                outcome.replayOf is not None,
                outcome.command.verb if outcome.command else None,
            ),
        )
        if outcome.identity is None:
            return
        self.add_subject(outcome.identity)
        self._add_calls(
            outcome.identity, ((call.owner, call.intent, micros(call.at), call.answer) for call in outcome.calls), at
        )
        if outcome.outcome == "resolved":
            word = "registered" if outcome.verdict == "registered" else NOT_CARRIED_OUT
            self.db.execute(
                "UPDATE call SET answer = ?, seen = ? WHERE identity = ? AND intent = ?",
                (f"{word}:verdict", at, outcome.identity, outcome.doubt),
            )

    def add_subject(self, identity: str) -> None:
        """An identity that is ours."""
        parts = identity_parts(identity)
        if parts is not None:
            account = None if parts.accounting_invoice_id is None else folded(parts.accounting_invoice_id)
            self.db.execute(
                "INSERT OR IGNORE INTO subject VALUES (?, ?, ?, ?)",
                (identity, str(parts.creditor_id), folded(parts.invoice_no), account),
            )

    def _add_calls(self, identity: str, calls: Iterable[tuple[str, int, int, str]], seen: int) -> None:
        self.db.executemany(
            "INSERT INTO call VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET answer = excluded.answer,"
            " seen = excluded.seen WHERE excluded.seen >= seen",
            ((identity, owner, intent, at, answer, seen) for owner, intent, at, answer in calls),
        )

    def add_entry(self, identity: str, entry: Entry) -> None:
        """A ledger entry; later ones replace it. Kept only where the statement may ask for it.

        Call it after outcomes and rows.
        """
        if not self._matters(identity, entry):
            return
        self.add_subject(identity)
        answers = [call.answer for call in entry.calls]
        maybe = sum(not answer.startswith(NOT_CARRIED_OUT) for answer in answers)
        maybe += sum(count for answer, count in entry.folded.items() if not answer.startswith(NOT_CARRIED_OUT))
        self.db.execute(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                identity,
                entry.state.value,
                entry.doubt,
                entry.invoice_id,
                entry.amount,
                entry.currency,
                len(answers) + sum(entry.folded.values()),
                maybe,
            ),
        )
        self._add_calls(
            identity, ((call.owner, call.intent, micros(call.at), call.answer) for call in entry.calls), _LATEST
        )

    def _matters(self, identity: str, entry: Entry) -> bool:
        if any(self.start <= micros(call.at) < self.end for call in entry.calls):
            return True
        if self.one("SELECT 1 FROM subject WHERE identity = :identity", identity=identity):
            return True
        if self.one("SELECT 1 FROM row_id WHERE invoice = :invoice", invoice=entry.invoice_id):
            return True
        parts = identity_parts(identity)
        return parts is not None and bool(
            self.one(
                "SELECT 1 FROM row WHERE folded = :number AND (creditor IS NULL OR creditor = :owner)",
                number=folded(parts.invoice_no),
                owner=str(parts.creditor_id),
            )
        )

    def add_row(self, row: Row) -> None:
        """A row of Kravia's search."""
        said = row.identity
        plain = [None if one is None else folded(one) for one in (said.invoice_no, said.accounting_invoice_id)]
        made = self.db.execute(
            "INSERT INTO row (creditor, claim_type, invoice_no, account, folded, folded_account, ids)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                said.creditor_id,
                said.claim_type,
                said.invoice_no,
                said.accounting_invoice_id,
                *plain,
                json.dumps(row.ids),
            ),
        )
        self.db.executemany("INSERT OR IGNORE INTO row_id VALUES (?, ?)", ((one, made.lastrowid) for one in row.ids))

    def blame(
        self,
        kind: str,
        subject: str | None,
        why: str,
        money: Sequence[str | None] = (None, None),
        *,
        identity: bool,
        ids: Sequence[str] = (),
        match: Match | None = None,
    ) -> None:
        """Note what nobody can explain. `subject`: an identity, or what else names it.

        `ids`: Kravia's, of the invoices that it is about; `match`: how the identity that Kravia shows fits.
        """
        self.db.execute(
            "INSERT INTO unexplained (kind, subject, is_identity, why, amount, currency, ids, match)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (kind, subject, identity, why, *money, json.dumps(list(ids)), match),
        )


def _rank(outcome: Outcome) -> int:
    reason = getattr(outcome, "reason", None)
    match outcome.outcome:
        case "scheduled":
            return SCHEDULED_RANK
        case "repeated":
            return SAME_RANK
        case _ if reason in {"blocked", "conflict", "validation", "undecodable", "misrouted"}:
            return SAME_RANK
        case _:
            return CHANGED_RANK
