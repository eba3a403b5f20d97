"""`/status` as a page for people: one file without scripts or anything from elsewhere. Pure.

It shows what the JSON shows: identities and coordinates. Every text is escaped: an event's id is its producer's.
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, Final

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
"""Its Content-Security-Policy."""

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 1.5rem auto; max-width: 80rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8886; vertical-align: top; }
td.n, th.n { text-align: right; }
.good, .bad { font-weight: 600; }
.good { color: light-dark(#176b2c, #7fd894); } .bad { color: light-dark(#a3151f, #ff9a9a); }
"""
_PARTITIONS: Final = (
    ("Partition", ""),
    ("Behind", "n"),
    ("Settled/s", "n"),
    ("Arriving/s", "n"),
    ("Caught up in", "n"),
    ("Under way", ""),
    ("Oldest", "n"),
    ("Doubts", "n"),
    ("Next offset", ""),
)
_EVENTS: Final = (
    ("Record", ""),
    ("Event", ""),
    ("Invoice", ""),
    ("State", ""),
    ("Step", ""),
    ("Tries", "n"),
    ("Last answer", ""),
    ("Waits for", ""),
)
_NOTHING: Final = "–"


def page(report: Mapping[str, Any]) -> str:
    """The page for a report of `worker.status.Status`."""
    ready = report["ready"]
    word = '<span class="good">ready</span>' if ready else '<span class="bad">not ready</span>'
    gate, partitions = report["gate"], report["partitions"]
    problems = [*report["dead"], *report["problems"]]
    heads = [work for partition in partitions for work in partition["heads"].values()]
    doubts = [work for partition in partitions for work in partition["doubts"]]
    body = [
        "<header>",
        f"<h1>Invoice worker: {word}</h1>",
        f"<p>Group {escape(report['group'])}, version {escape(report['version'])},",
        f"as of <time>{escape(report['at'])}</time>. Reload for newer numbers.</p>",
        f"<p>The gate to Kravia is {escape(gate['state'].replace('_', '-'))}: {escape(gate['why'])}.</p>",
        "</header>",
        "<main>",
    ]
    if problems:
        body += ["<h2>Problems</h2>", "<ul>", *(f"<li>{escape(problem)}</li>" for problem in problems), "</ul>"]
    body += _section("Partitions", _PARTITIONS, map(_partition, partitions), "No partition is owned.")
    body += _section("Events that the rest waits behind", _EVENTS, map(_event, heads), "None.")
    body += _section("Doubts", _EVENTS, map(_event, doubts), "None.")
    body.append("</main>")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Invoice worker: {'ready' if ready else 'not ready'}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def _section(title: str, columns: Iterable[tuple[str, str]], rows: Iterable[list[str]], nothing: str) -> Iterable[str]:
    columns, rows = list(columns), list(rows)
    yield f"<h2>{title}</h2>"
    if not rows:
        yield f"<p>{nothing}</p>"
        return
    # Reachable by keyboard where it is wider than the window.
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table>'
    yield "<thead><tr>" + "".join(f'<th scope="col"{_of(kind)}>{name}</th>' for name, kind in columns) + "</tr></thead>"
    yield "<tbody>"
    for first, *rest in rows:
        cells = "".join(
            f"<td{_of(kind)}>{escape(text)}</td>" for text, (_, kind) in zip(rest, columns[1:], strict=True)
        )
        yield f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _of(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _partition(partition: Mapping[str, Any]) -> list[str]:
    behind = partition["backlog"] or {}
    return [
        str(partition["partition"]),
        _number(behind.get("behind")),
        _number(behind.get("settled_per_second")),
        _number(behind.get("arriving_per_second")),
        duration(behind.get("seconds_to_catch_up")),
        ", ".join(f"{count} {state}" for state, count in partition["unfinished"].items()) or _NOTHING,
        duration(partition["oldest_seconds"]) if partition["oldest"] else _NOTHING,
        str(len(partition["doubts"])),
        ", ".join(f"{topic} {offset}" for topic, offset in partition["next"].items()),
    ]


def _event(work: Mapping[str, Any]) -> list[str]:
    return [
        work["record"],
        work["event"] or _NOTHING,
        work["identity"] or _NOTHING,
        work["state"],
        work.get("step") or _NOTHING,
        _number(work.get("tries")),
        work.get("last_answer") or _NOTHING,
        waits_for(work),
    ]


def waits_for(work: Mapping[str, Any]) -> str:
    """What an event of a report waits for, in words."""
    if (doubt := work.get("doubt")) is not None:
        believed, given_up = doubt["believed_in_seconds"], doubt["given_up_in_seconds"]
        return f"the reconciler; believed in {duration(believed)}, given up in {duration(given_up)}"
    if (seconds := work.get("retry_in_seconds")) is not None:
        return f"its next try in {duration(seconds)}"
    if (why := work.get("waiting_for")) is not None:
        return f"the gate: {why}"
    return _NOTHING


def duration(seconds: float | None) -> str:
    """`2 h 5 min`, `3 min 20 s`, `7 s`; a dash for None."""
    if seconds is None:
        return _NOTHING
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def _number(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.12g}"
