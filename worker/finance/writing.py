"""A statement as text for people, as CSV for finance's tools, as JSON for programs. Long lists are never held whole."""

import csv
import json
from collections.abc import Iterator
from typing import IO, Any, Final

from schemas.identity import identity_parts
from worker.finance.period import stamp
from worker.finance.statement import SCHEDULED_IS_NOT_SENT, Invoice, Statement

COLUMNS: Final = (
    "identity",
    "creditor",
    "claim type",
    "invoice no",
    "amount",
    "currency",
    "outcome",
    "invoice id",
    "registered at",
    "calls",
    "unexplained why",
    "unexplained ids",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_SHOWN: Final = 20


def write_csv(statement: Statement, file: IO[str]) -> None:
    """A line for each invoice identity; RFC 4180, amounts with a point, times in UTC."""
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for invoice in statement.invoices():
        parts = identity_parts(invoice.identity)
        writer.writerow(
            (
                invoice.identity,
                invoice.creditor,
                parts.claim_type if parts else "",
                _cell(parts.invoice_no if parts else ""),
                "" if invoice.amount is None else f"{invoice.amount:f}",
                invoice.currency or "",
                invoice.ended,
                _cell(invoice.invoice_id or ""),
                invoice.registered_at or "",
                invoice.calls,
                "; ".join(invoice.unexplained),
                _cell("; ".join(invoice.unexplained_ids)),
            )
        )


def _cell(text: str) -> str:
    """A producer's text: a spreadsheet must not take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def write_json(statement: Statement, file: IO[str]) -> None:
    """One object, whole; its two long lists are written one by one."""
    head = json.dumps(_head(statement), indent=2, ensure_ascii=False)
    file.write(head.removesuffix("\n}"))
    lists: tuple[tuple[str, Iterator[Any]], ...] = (
        ("notOurs", statement.rows_not_ours()),
        ("invoices", (_invoice(invoice) for invoice in statement.invoices())),
        ("unexplained", _unexplained(statement)),
    )
    for name, items in lists:
        file.write(f',\n  "{name}": [')
        for number, item in enumerate(items):
            file.write(f"{',' if number else ''}\n    {json.dumps(item, ensure_ascii=False)}")
        file.write("\n  ]")
    file.write("\n}\n")


def _head(statement: Statement) -> dict[str, Any]:
    compared = statement.compared
    return {
        "version": 1,
        "from": stamp(statement.period.start),
        "to": stamp(statement.period.end),
        "creditor": statement.creditor,
        "notes": [*statement.kept.notes, SCHEDULED_IS_NOT_SENT],
        "eventsIn": [
            {"topic": topic, "kind": kind, "records": count}
            for (topic, kind), count in sorted(statement.events.items())
        ],
        "notSettledYet": statement.under_way,
        "outcomes": [
            {"outcome": outcome, "reason": reason or None, "records": count}
            for (outcome, reason), count in sorted(statement.outcomes.items())
        ],
        "registerCalls": dict(sorted(statement.calls.items())),
        "replays": statement.replays,
        "decisions": dict(sorted(statement.verbs.items())),
        "sums": [
            {
                "creditor": creditor,
                "currency": currency or None,
                "outcome": ended,
                "invoices": total.invoices,
                "amount": f"{total.amount:f}",
                "amountUnknown": total.unknown,
            }
            for (creditor, currency, ended), total in sorted(statement.totals.items())
        ],
        "kravia": None
        if compared is None
        else {
            "rows": compared.rows,
            "complete": compared.complete,
            "foundBySearch": compared.found,
            "foundByDetails": compared.looked_up,
        },
        "unexplainedCount": statement.unexplained_count,
    }


def _invoice(invoice: Invoice) -> dict[str, Any]:
    return {
        "identity": invoice.identity,
        "amount": None if invoice.amount is None else f"{invoice.amount:f}",
        "currency": invoice.currency,
        "outcome": invoice.ended or None,
        "invoiceId": invoice.invoice_id,
        "registeredAt": invoice.registered_at,
        "calls": invoice.calls,
        "unexplained": list(invoice.unexplained),
    }


def _unexplained(statement: Statement) -> Iterator[dict[str, Any]]:
    for one in statement.unexplained():
        yield {
            "kind": one.kind,
            "subject": one.subject,
            "why": one.why,
            "amount": one.amount,
            "currency": one.currency,
            "invoiceIds": list(one.ids),
            "match": one.match,
            "todo": one.todo,
        }


def text(statement: Statement) -> Iterator[str]:
    """The summary, line by line; its last lines are what is unexplained."""
    whose = "" if statement.creditor is None else f", creditor {statement.creditor}"
    yield f"Statement from {stamp(statement.period.start)} to before {stamp(statement.period.end)}{whose}"
    yield from (f"note: {note}" for note in statement.kept.notes)
    yield f"note: {SCHEDULED_IS_NOT_SENT}"
    yield ""
    for (topic, kind), count in sorted(statement.events.items()):
        yield f"in         {count:>8}  {kind}s on {topic}{' (of all creditors)' if whose else ''}"
    if statement.under_way:
        yield f"           {statement.under_way:>8}  of them not settled yet: they and their calls are in no sum here"
    for (outcome, reason), count in sorted(statement.outcomes.items()):
        yield f"outcomes   {count:>8}  {' '.join(filter(None, (outcome, reason)))}"
    for answer, count in sorted(statement.calls.items()):
        yield f"registers  {count:>8}  answered {answer}"
    if statement.replays:
        yield f"replays    {statement.replays:>8}  events sent again"
    for verb, count in sorted(statement.verbs.items()):
        yield f"decisions  {count:>8}  {verb}"
    yield from _kravia(statement)
    yield ""
    yield from _table(statement)
    yield ""
    yield f"unexplained: {statement.unexplained_count}"
    for one in statement.unexplained():
        money = f" ({one.amount} {one.currency})" if one.amount else ""
        yield f"- {one.kind} {one.subject or ''}{money}: {one.why}"
        yield f"  → {one.todo}"


def _kravia(statement: Statement) -> Iterator[str]:
    compared = statement.compared
    if compared is None:
        yield "kravia               not asked (--no-search): nothing here was compared with Kravia's books"
        return
    yield f"kravia     {compared.found:>8}  ids of ours shown by the search ({compared.rows} rows)"
    if compared.looked_up:
        yield f"           {compared.looked_up:>8}  ids of ours shown by /details only"
    if statement.not_ours:
        first = [invoice for invoice, _ in zip(statement.rows_not_ours(), range(_SHOWN), strict=False)]
        more = " …" if statement.not_ours > len(first) else ""
        what = "not ours: of our creditors, by no register of ours"
        yield f"           {statement.not_ours:>8}  {what}: {', '.join(first)}{more}"


def _table(statement: Statement) -> Iterator[str]:
    rows = [("creditor", "currency", "outcome", "invoices", "amount", "")]
    rows += [
        (
            creditor,
            currency or "-",
            ended,
            str(total.invoices),
            f"{total.amount:f}",
            f"{total.unknown} without a known amount" if total.unknown else "",
        )
        for (creditor, currency, ended), total in sorted(statement.totals.items())
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for creditor, currency, ended, invoices, amount, more in rows:
        yield (
            f"{creditor:>{widths[0]}}  {currency:<{widths[1]}}  {ended:<{widths[2]}}  {invoices:>{widths[3]}}"
            f"  {amount:>{widths[4]}}  {more}"
        ).rstrip()
