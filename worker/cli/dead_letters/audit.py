"""`worker dead-letters audit`."""

import argparse
from typing import TYPE_CHECKING, Any, Final

from worker.cli.common import OK, REFUSED, complain, observe_parser, settings_parser
from worker.cli.dead_letters.options import filter_parser, filters_of, format_parser
from worker.cli.dead_letters.output import write
from worker.cli.dead_letters.session import Status, ask
from worker.deadletters.audit import OPTIONS, AuditFilter, Decision, decision_of, parse
from worker.deadletters.source import Source, each
from worker.model import Record
from worker.ports import Lost

if TYPE_CHECKING:
    from worker.cli.common import Commands

_COLUMNS: Final = ("settled", "decided", "who", "verb", "identity", "origin", "result", "effect", "why")


def add_audit(verbs: "Commands") -> None:
    """Add the command to the parser."""
    filters = filter_parser(OPTIONS, "which decisions", "Of --who and --verb several are alternatives.")
    parser = verbs.add_parser(
        "audit",
        parents=[settings_parser(), observe_parser(), filters, format_parser(limit="decisions")],
        help="who decided what, when and why, and what came of it",
        description="List what people decided, the latest first, from the outcomes: replays, edits, verdicts and "
        "discards. effect says whether it changed anything: not when it was refused, or its id was seen before. What "
        "was sent by hand without a command, or can't be read as one, is not here: it has an outcome like any record.",
    )
    parser.set_defaults(command=_audit)


def _audit(arguments: argparse.Namespace) -> int:
    wanted = filters_of(arguments, OPTIONS, parse)
    if wanted is None:
        return REFUSED

    async def question(source: Source) -> list[Decision] | Lost:
        return await _decisions(source, wanted)

    decisions = ask(arguments, question)
    if isinstance(decisions, Status):
        return decisions
    decisions.sort(key=lambda one: one.settled, reverse=True)
    shown = decisions[: arguments.limit]
    write(arguments, _COLUMNS, map(_row, shown), below=("why",))
    complain(f"{len(shown)} of {len(decisions)} decisions that fit")
    return OK


async def _decisions(source: Source, wanted: AuditFilter) -> list[Decision] | Lost:
    found: list[Decision] = []

    def take(record: Record) -> None:
        decision = decision_of(record)
        if decision is not None and wanted.fits(decision):
            found.append(decision)

    lost = await each(source.outcomes(), take)
    return found if lost is None else lost


def _row(one: Decision) -> dict[str, Any]:
    return {
        "settled": one.settled,
        "decided": one.when,
        "who": one.who,
        "verb": one.verb,
        "identity": one.identity,
        "origin": one.of,
        "result": one.result,
        "effect": one.effect,
        "why": one.why,
        "codes": one.codes,
        "changed": one.changed,
        "command": one.command,
        "record": str(one.at),
    }
