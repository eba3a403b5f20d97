"""`/status` as a page for people: one file without scripts or anything from elsewhere. Pure.

It shows what the JSON shows, what is wrong first: identities and coordinates. Every text is escaped: an event's id is
its producer's.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any, Final, NamedTuple

from worker.telemetry.status_findings import Finding, findings
from worker.telemetry.status_style import STYLE
from worker.telemetry.status_tiles import tiles
from worker.telemetry.status_words import NOTHING, at, catches_up, duration, number, since, waits_for

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Its Content-Security-Policy."""
REFRESHES: Final = (5, 30)
"""Seconds between two loads that a reader may choose; without a choice it stays as it is."""
_LEVELS: Final = {"act": "Act now", "look": "Look into it", "know": "Good to know"}


class _Column(NamedTuple):
    """`kind`: `n` for numbers, `w` for what is wide on a narrow screen."""

    name: str
    kind: str = ""


_Cell = tuple[str, ...]
"""A line, and small lines below it."""
_PARTITIONS: Final = (
    _Column("Partition"),
    _Column("Behind", "n"),
    _Column("Settled/s", "n"),
    _Column("Arriving/s", "n"),
    _Column("Caught up in", "n"),
    _Column("Oldest", "n"),
    _Column("Doubts", "n"),
    _Column("Under way", "w"),
    _Column("Head offset", "w"),
)
_EVENTS: Final = (
    _Column("Record"),
    _Column("Invoice and event", "w"),
    _Column("Age", "n"),
    _Column("State"),
    _Column("Step"),
    _Column("Tries", "n"),
    _Column("Last answer"),
    _Column("Waits for", "w"),
)
_DOUBTS: Final = (
    _Column("Record"),
    _Column("Invoice and event", "w"),
    _Column("In doubt since", "w"),
    _Column("Last answer"),
    _Column("Tries", "n"),
    _Column("Believed in", "n"),
    _Column("Given up in", "n"),
)


def page(report: Mapping[str, Any], refresh: int | None = None) -> str:
    """The page for a report of `worker.status.Status`; `refresh`: loads itself again every so many seconds."""
    found = findings(report)
    urgent = sum(finding.level == "act" for finding in found)
    word, tone = ("ready", "good") if report["ready"] else ("not ready", "act")
    if report["ready"] and found:
        tone = found[0].level if found[0].level != "know" else "good"
    title = f"{word[0].upper()}{word[1:]}{f' ({urgent})' if urgent else ''}: invoice worker, {report['group']}"
    partitions = report["partitions"]
    waiting = {work["record"]: work for partition in partitions for work in _waited_for(partition)}
    doubts = [work for partition in partitions for work in partition["doubts"]]
    body = [
        f'<header class="{tone}">',
        f"<h1>Invoice worker: <strong>{word}</strong></h1>",
        _of_whom(report),
        _refreshing(refresh),
        "</header>",
        "<main>",
        *tiles(report),
        *_found(found),
    ]
    body += _section("Partitions", _PARTITIONS, map(_partition, partitions), "No partition is owned.")
    closed = report["gate"]["state"] == "closed"
    behind = (_event(work, closed=closed) for work in waiting.values())
    body += _section("Events that the rest waits behind", _EVENTS, behind, "None.")
    body += _section("Doubts", _DOUBTS, (_doubt(work, report["at"]) for work in doubts), "None.")
    body.append(
        '<p class="soft">Times are in UTC. An invoice\'s whole story: <code>worker why IDENTITY</code>, also with a '
        "record or an event's id. This page in a terminal: <code>worker status</code>.</p>"
    )
    again = [] if refresh is None else [f'<meta http-equiv="refresh" content="{refresh}">']
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        *again,
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
    ]
    lines = ["<!doctype html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", *body, "</main>"]
    return "\n".join([*lines, "</body>", "</html>", ""])


def _of_whom(report: Mapping[str, Any]) -> str:
    when = f'<time datetime="{escape(report["at"])}">{at(report["at"])}</time>'
    whom = f"Group {escape(report['group'])}, version {escape(report['version'])}"
    return f'<p class="soft">{whom}, as of {when}</p>'


def _refreshing(refresh: int | None) -> str:
    links = [f'<a href="?refresh={seconds}">every {seconds} s</a>' for seconds in REFRESHES if seconds != refresh]
    if refresh is None:
        return f"<nav>Reload by itself: {', '.join(links)}</nav>"
    return f'<nav>Reloads every {refresh} s: <a href="?">stop</a>, {", ".join(links)}</nav>'


def _waited_for(partition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from partition["heads"].values()
    oldest = partition["oldest"]
    if oldest and oldest["state"] != "settling":
        yield oldest


def _found(found: Iterable[Finding]) -> Iterator[str]:
    found = list(found)
    yield '<section aria-labelledby="wrong"><h2 id="wrong">What to do</h2>'
    if not found:
        yield "<p>Nothing: all is well.</p></section>"
        return
    yield "<ol>"
    for finding in found:
        yield f'<li class="{finding.level}"><p><strong>{_LEVELS[finding.level]}:</strong> {escape(finding.what)}</p>'
        yield f"<p>{escape(finding.do)}</p>"
        hints = [("Run", finding.command), ("Read", finding.runbook)]
        shown = [f"{verb} <code>{escape(text)}</code>" for verb, text in hints if text]
        yield (f'<p class="soft">{" · ".join(shown)}</p>' if shown else "") + "</li>"
    yield "</ol></section>"


def _section(title: str, columns: Iterable[_Column], rows: Iterable[list[_Cell]], nothing: str) -> Iterator[str]:
    columns, rows = list(columns), list(rows)
    yield f"<section><h2>{title}</h2>"
    if not rows:
        yield f"<p>{nothing}</p></section>"
        return
    # Reachable by keyboard where it is wider than the window. The roles stay where a narrow screen shows cards.
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table role="table">'
    heads = "".join(f'<th scope="col" role="columnheader"{_of(kind)}>{name}</th>' for name, kind in columns)
    yield f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead><tbody role="rowgroup">'
    for first, *rest in rows:
        cells = "".join(
            f'<td role="cell" data-label="{name}"{_of(kind)}>{_cell(cell)}</td>'
            for cell, (name, kind) in zip(rest, columns[1:], strict=True)
        )
        head = f'<th scope="row" role="rowheader" data-label="{columns[0].name}">{_cell(first)}</th>'
        yield f'<tr role="row">{head}{cells}</tr>'
    yield "</tbody></table></div></section>"


def _cell(cell: _Cell) -> str:
    line, *small = map(escape, cell)
    return line + "".join(f"<small>{text}</small>" for text in small)


def _of(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _partition(partition: Mapping[str, Any]) -> list[_Cell]:
    behind, unfinished = partition["backlog"] or {}, partition["unfinished"]
    doubts, left = unfinished.get("doubt", 0), partition["ledger"]["in_doubt"]
    return [
        (str(partition["partition"]),),
        (number(behind.get("behind")),),
        (number(behind.get("settled_per_second")),),
        (number(behind.get("arriving_per_second")),),
        (catches_up(behind),),
        (duration(partition["oldest_seconds"]) if partition["oldest"] else NOTHING,),
        (str(doubts), *([f"{left} left"] if left else [])),
        (", ".join(f"{count} {state}" for state, count in sorted(unfinished.items())) or NOTHING,),
        tuple(f"{topic} {offset}" for topic, offset in partition["next"].items()),
    ]


def _event(work: Mapping[str, Any], *, closed: bool) -> list[_Cell]:
    return [
        (work["record"],),
        (work["identity"] or NOTHING, work["event"] or NOTHING),
        (duration(work.get("age_seconds")),),
        (work["state"],),
        (work.get("step") or NOTHING,),
        (number(work.get("tries")),),
        (work.get("last_answer") or NOTHING,),
        (waits_for(work, closed=closed),),
    ]


def _doubt(work: Mapping[str, Any], now: str) -> list[_Cell]:
    doubt = work["doubt"]
    return [
        (work["record"],),
        (work["identity"] or NOTHING, work["event"] or NOTHING),
        (since(doubt["since"], now),),
        (work.get("last_answer") or NOTHING,),
        (number(work.get("tries")),),
        (duration(doubt["believed_in_seconds"]),),
        (duration(doubt["given_up_in_seconds"]),),
    ]
