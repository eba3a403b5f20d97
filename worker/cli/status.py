"""`worker status`: what a running worker says of itself."""

import argparse
import ipaddress
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from worker.cli.common import FAILED, OK, REFUSED, complain, settings_parser
from worker.cli.reports import plain
from worker.settings import Refused, listening
from worker.telemetry.status_findings import findings
from worker.telemetry.status_words import NOTHING, at, catches_up, duration, number, since, waits_for

if TYPE_CHECKING:
    from worker.cli.common import Commands

_TIMEOUT = 10.0
_LARGEST = 64 * 1024 * 1024
_CLEAR = "\x1b[H\x1b[2J"
_LEVELS = {"act": "ACT NOW", "look": "look into it", "know": "good to know"}
_DESCRIPTION = """\
Show what a running worker says of itself (GET /status): whether it is ready, the gate, what is wrong and what to do
about it, and for each partition how far behind it is, what it waits for and its doubts.

Without --url it asks where WORKER_HTTP_HOST and WORKER_HTTP_PORT say that a worker listens, and localhost for one that
listens on all addresses. It needs no other setting.

exit status: 0 it is ready; 1 it is not, or it does not answer; 2 wrong usage."""


def add_status(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "status",
        parents=[settings_parser()],
        help="what a running worker says of itself",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--url",
        help="where it answers (default: on WORKER_HTTP_HOST and WORKER_HTTP_PORT; http://localhost:8080/status where "
        "these are not set)",
    )
    parser.add_argument("--json", action="store_true", help="the report as it is, one object on a line")
    parser.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=2.0,
        metavar="SECONDS",
        help="show it again and again until Ctrl-C, every 2 seconds or as said",
    )
    parser.set_defaults(command=_status)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.1 to 86400")
    return value


def _status(arguments: argparse.Namespace) -> int:
    url = _told(arguments.url) if arguments.url is not None else _set(arguments.env_file)
    if url is None:
        return REFUSED
    while True:
        report = ask(url)
        if arguments.watch and not arguments.json:
            print(_CLEAR, end="")
        if isinstance(report, str):
            complain(report)
        elif arguments.json:
            print(json.dumps(report, ensure_ascii=False), flush=True)
        else:
            print("\n".join(as_lines(report)), flush=True)
        if not arguments.watch:
            return OK if not isinstance(report, str) and report["ready"] else FAILED
        time.sleep(arguments.watch)


def _told(url: str) -> str | None:
    """`--url`, where it can be asked; None: refused, which stderr explains."""
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname:
        return url
    complain(f"refused: --url must be http://host:port/status or https://…, not {plain(url)}")
    return None


def _set(env_file: Path) -> str | None:
    """Where the settings say that a worker listens; None: refused, which stderr explains."""
    found = listening(env_file=env_file)
    for warning in found.warnings:
        complain(f"warning: {warning}")
    if isinstance(found, Refused):
        for problem in found.problems:
            complain(f"refused: {problem}; or give --url http://host:port/status")
        return None
    if found.port == 0:
        complain(
            "refused: WORKER_HTTP_PORT=0: each worker picks a free port, which its log line http_listening names; "
            "give --url http://host:port/status"
        )
        return None
    return address(found.host, found.port)


def address(host: str, port: int) -> str:
    """The URL of `/status` for who listens on `host`; localhost for all addresses, which nobody can be asked by."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}/status"
    if ip.is_unspecified:
        host = "localhost"
    elif ip.version == 6:
        host = f"[{host}]"
    return f"http://{host}:{port}/status"


def ask(url: str) -> dict[str, Any] | str:
    """The report, or why there is none, in words for the operator."""
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - its scheme was checked
    try:
        # Without the environment's proxy: it would be asked for localhost as well.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=_TIMEOUT) as answer:
            report = json.loads(answer.read(_LARGEST))
    except urllib.error.HTTPError as error:
        return f"{url} answered {error.code}: this is not a worker's /status; see --url"
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", error) if isinstance(error, OSError) else "no JSON"
        return f"{url} does not answer ({why}): is the worker running, and is this where it listens? See --url"
    if not isinstance(report, dict) or not {"at", "group", "ready", "problems", "gate", "partitions"} <= report.keys():
        return f"{url} answered something else: this is not a worker's /status; see --url"
    return report


def as_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The report for people."""
    gate = report["gate"]
    yield f"{'ready' if report['ready'] else 'NOT READY'}  group {report['group']}  {at(report['at'])}"
    began = f" since {since(gate['since'], report['at'])}" if "since" in gate else ""
    yield plain(f"gate {gate['state']}{began}: {gate['why']}")
    for finding in findings(report):
        yield plain(f"{_LEVELS[finding.level]}: {finding.what}")
        yield plain(f"    {finding.do}")
        if hints := [text for text in (finding.command, finding.runbook) if text]:
            yield plain(f"    {', '.join(hints)}")
    partitions = report["partitions"]
    yield ""
    if not partitions:
        yield "no partition is owned"
        return
    yield from _table(
        ("partition", "behind", "settled/s", "arriving/s", "caught up in", "under way", "oldest", "doubts"),
        [_partition(partition) for partition in partitions],
    )
    waiting = {work["record"]: work for partition in partitions for work in _shown(partition)}
    if waiting:
        yield ""
        yield from _table(
            ("record", "event", "invoice", "state", "step", "tries", "last answer", "waits for"),
            [_event(work, closed=gate["state"] == "closed") for work in waiting.values()],
        )


def _shown(partition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from partition.get("heads", {}).values()
    yield from partition["doubts"]


def _partition(partition: Mapping[str, Any]) -> list[str]:
    behind = partition.get("backlog") or {}
    return [
        str(partition["partition"]),
        number(behind.get("behind")),
        number(behind.get("settled_per_second")),
        number(behind.get("arriving_per_second")),
        catches_up(behind),
        ", ".join(f"{count} {state}" for state, count in sorted(partition["unfinished"].items())) or NOTHING,
        duration(partition["oldest_seconds"]) if partition["oldest"] else NOTHING,
        str(len(partition["doubts"])),
    ]


def _event(work: Mapping[str, Any], *, closed: bool) -> list[str]:
    texts = (work["record"], work.get("event"), work.get("identity"), work["state"], work.get("step"))
    return [
        *(text or NOTHING for text in texts),
        number(work.get("tries")),
        work.get("last_answer") or NOTHING,
        waits_for(work, closed=closed),
    ]


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    table = [list(names), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(names))]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
