"""`worker dead-letters list`."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from worker.cli.common import OK, complain, observe_parser, settings_parser
from worker.cli.dead_letters.options import format_parser, selection_parser
from worker.cli.dead_letters.output import write
from worker.cli.dead_letters.session import Status, choose
from worker.deadletters.board import Summary

if TYPE_CHECKING:
    from worker.cli.common import Commands

COLUMNS: Final = (
    "origin",
    "identity",
    "outcome",
    "reason",
    "step",
    "httpStatus",
    "attempts",
    "replays",
    "firstFailure",
    "lastFailure",
    "state",
    "fingerprint",
)


def add_list(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "list",
        parents=[settings_parser(), observe_parser(), selection_parser(), format_parser(limit="dead letters")],
        help="which there are, the latest first",
        description="List dead letters, the latest first: those that are open unless --state says otherwise. Of an "
        "event that failed again after a replay the latest failure is shown. No value of an event is.",
    )
    parser.set_defaults(command=_list)


def _list(arguments: argparse.Namespace) -> int:
    chosen = choose(arguments)
    if isinstance(chosen, Status):
        return chosen
    latest = sorted(chosen.summaries, key=lambda one: (one.last_failure, one.origin), reverse=True)
    shown = latest[: arguments.limit]
    write(arguments, COLUMNS, map(row, shown))
    complain(f"{len(shown)} of {len(latest)} that fit, of {chosen.of} dead letters")
    return OK


def row(one: Summary) -> dict[str, Any]:
    """A dead letter's cells; JSON has more of them than the table."""
    return {
        "origin": str(one.origin),
        "identity": one.identity,
        "outcome": one.outcome,
        "reason": one.reason,
        "step": one.step,
        "httpStatus": one.http_status,
        "attempts": one.attempts,
        "replays": one.replays,
        "firstFailure": one.first_failure,
        "lastFailure": one.last_failure,
        "state": one.state.value,
        "fingerprint": one.fingerprint,
        "stateSince": one.since,
        "invoiceId": one.invoice_id,
        "doubt": one.doubt,
        "message": one.message,
        "deadLetter": str(one.at),
    }
