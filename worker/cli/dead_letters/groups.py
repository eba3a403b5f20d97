"""`worker dead-letters groups`."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from worker.cli.common import OK, complain, observe_parser, settings_parser
from worker.cli.dead_letters.options import format_parser, selection_parser
from worker.cli.dead_letters.output import write
from worker.cli.dead_letters.session import Status, choose
from worker.deadletters.groups import Group, grouped

if TYPE_CHECKING:
    from worker.cli.common import Commands

_COLUMNS: Final = (
    "fingerprint",
    "count",
    "reason",
    "step",
    "httpStatus",
    "first",
    "last",
    "amounts",
    "unknown",
    "example",
    "message",
    "do",
)


def add_groups(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "groups",
        parents=[settings_parser(), observe_parser(), selection_parser(), format_parser(limit="groups")],
        help="by cause: how many, since when, how much money, what to do",
        description="Group dead letters by the fingerprint of their cause, the largest group first. Amounts are sums "
        "by currency of what the events claim; unknown: how many have no legal amount and currency.",
    )
    parser.set_defaults(command=_groups)


def _groups(arguments: argparse.Namespace) -> int:
    chosen = choose(arguments, amounts=True)
    if isinstance(chosen, Status):
        return chosen
    groups = grouped(chosen.summaries)
    write(arguments, _COLUMNS, map(_row, groups[: arguments.limit]), below=("message", "do"))
    complain(f"{len(groups)} groups of {len(chosen.summaries)} that fit, of {chosen.of} dead letters")
    return OK


def _row(group: Group) -> dict[str, Any]:
    return {
        "fingerprint": group.fingerprint,
        "count": group.count,
        "outcome": group.outcome,
        "reason": group.reason,
        "step": group.step,
        "httpStatus": group.http_status,
        "first": group.first,
        "last": group.last,
        "amounts": {currency: f"{amount:f}" for currency, amount in sorted(group.amounts.items())},
        "unknown": group.unknown,
        "example": str(group.origin),
        "message": group.message,
        "do": group.advice,
    }
