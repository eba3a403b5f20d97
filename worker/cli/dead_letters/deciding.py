"""What every verb that decides has: who and why, a dry run, a question before it acts, and how a run is told."""

import argparse
import getpass
import json
import re
import secrets
import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from worker.cli.common import FAILED, OK, REFUSED, complain
from worker.cli.dead_letters.output import safe
from worker.deadletters.plan import Item
from worker.deadletters.run import Report, summary
from worker.deadletters.sending import Decision

_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def decision_parser(*, yes: str = "don't ask") -> argparse.ArgumentParser:
    """A parent parser: who decides and why, and whether it is only tried."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("the decision", "It is told in the outcomes, for good: no personal data.")
    group.add_argument("--why", required=True, metavar="TEXT", help="why; for the audit")
    group.add_argument("--who", metavar="NAME", help="who decides (default: the user that runs this)")
    group.add_argument("--run", type=run_name, metavar="NAME", help="the run's name (default: a random one)")
    group.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
    group.add_argument("--yes", action="store_true", help=yes)
    group.add_argument("--json", action="store_true", help="JSON, an object on each line")
    return parser


def run_name(text: str) -> str:
    """Of a run. Raises ArgumentTypeError."""
    if not _RUN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: letters, digits, . _ and -, at most 64 of them")
    return text


def decision_of(arguments: argparse.Namespace) -> Decision | None:
    """Whose decision it is; None: refused, which stderr explains."""
    run = arguments.run or getattr(arguments, "resume", None) or f"run-{secrets.token_hex(4)}"
    try:
        who = arguments.who or getpass.getuser()
    except (OSError, KeyError):
        complain("refused: --who: the system does not tell who you are; say it")
        return None
    decision = Decision(run, who, datetime.now(UTC), arguments.why)
    if (problem := decision.problem()) is not None:
        complain(f"refused: {problem}")
        return None
    return decision


def declined(arguments: argparse.Namespace, question: str) -> int | None:
    """Ask, unless a person said --yes beforehand. None: go on; else the exit status."""
    if arguments.yes:
        return None
    if not sys.stdin.isatty():
        complain("refused: nobody can be asked here; look at it with --dry-run, then say --yes")
        return REFUSED
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in {"y", "yes"}:
        return None
    complain("nothing was written")
    return FAILED


def tell_plan(arguments: argparse.Namespace, items: Sequence[Item], *, each: bool) -> None:
    """What would be done: how many of what, and `each` one of them."""
    if each:
        for item in items:
            tell_item(item, as_json=arguments.json)
    if arguments.json:
        return
    counts = summary(items)
    width = max((len(str(count)) for count in counts.values()), default=1)
    for what, count in counts.most_common():
        print(f"{count:>{width}}  {safe(what)}")
    print(f"{len(items):>{width}}  in all")


def tell_item(item: Item, *, as_json: bool) -> None:
    """One dead letter of a run."""
    prediction = None if item.prediction is None else str(item.prediction)
    if as_json:
        data: dict[str, Any] = {
            "kind": "record",
            "origin": str(item.summary.origin),
            "identity": item.identity,
            "fingerprint": item.summary.fingerprint,
            "prediction": prediction,
            "leftOut": item.skipped,
            "sent": item.sent,
            "result": item.result,
        }
        print(json.dumps(data, ensure_ascii=False))
        return
    parts = [str(item.summary.origin), item.identity or "-", item.skipped or prediction or "will be sent"]
    print(safe("  ".join([*parts, *([item.result] if item.result else [])])))


def tell_report(
    arguments: argparse.Namespace, run: str, items: Sequence[Item], report: Report, *, before: int = 0
) -> int:
    """What a run came to, and its exit status."""
    left_out = summary(item for item in items if item.skipped is not None)
    if arguments.json:
        data = {
            "kind": "summary",
            "run": run,
            "planned": len(items),
            "sentBefore": before,
            "sent": report.sent,
            "leftOut": dict(left_out),
            "results": dict(report.tally.results),
            "withoutOutcome": report.waiting,
            "left": report.left,
            "stopped": report.stopped,
        }
        print(json.dumps(data, ensure_ascii=False))
    else:
        done = f"run {run}: {report.sent} sent"
        if before:
            done += f", {before} were before"
        if left_out:
            done += f", {left_out.total()} left out"
        if report.tally.results:
            results = ", ".join(f"{count} {what}" for what, count in report.tally.results.most_common())
            done += f"; {results}"
        print(safe(done))
        for what, count in left_out.most_common():
            print(safe(f"  left out: {count}  {what.removeprefix('left out: ')}"))
    if report.stopped is not None:
        complain(f"stopped: {report.stopped}; {report.left} were not sent")
    ill = report.tally.ill or left_out.total() or report.stopped is not None
    return FAILED if ill else OK


def again(words: Iterable[str], run: str) -> str:
    """The command that goes on with this run."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip or word.split("=", 1)[0] in {"--run", "--resume"}:
            skip = not skip and "=" not in word
            continue
        kept.append(word)
    return shlex.join(["worker", *kept, "--resume", run])
