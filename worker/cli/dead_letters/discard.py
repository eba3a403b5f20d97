"""`worker dead-letters discard`."""

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING

from worker.cli.common import observe_parser, settings_parser
from worker.cli.dead_letters.deciding import decision_parser
from worker.cli.dead_letters.desk import Desk
from worker.cli.dead_letters.options import selection_parser
from worker.cli.dead_letters.running import run_command, run_parser
from worker.deadletters.examine import examine_discards
from worker.deadletters.plan import Item
from worker.deadletters.run import Sending, discards
from worker.deadletters.sending import Decision
from worker.ports import Lost

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Decide that dead letters shall not be processed. Their invoices stay free: another event of one is processed. With
--for-good the invoice itself is closed: later events of it end `blocked`, unless it was scheduled before. What is in
doubt may be registered at Kravia: it is left out, but for --for-good.

exit status: 0 all went well; 1 some failed or were left out, or Kafka is away; 2 wrong usage; 130 interrupted."""


def add_discard(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "discard",
        parents=[settings_parser(), observe_parser(), selection_parser(), run_parser(), decision_parser()],
        help="decide that they shall not be processed",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--for-good", action="store_true", help="the invoices, not these dead letters only")
    parser.set_defaults(command=_discard)


def _discard(arguments: argparse.Namespace) -> int:
    for_good: bool = arguments.for_good

    async def examine(desk: Desk, items: Collection[Item], _decision: Decision) -> Lost | None:
        return await examine_discards(desk.ground, items, for_good=for_good)

    def records(desk: Desk, items: Collection[Item], decision: Decision) -> Sending:
        return discards(items, decision, desk.ground.target, for_good=for_good)

    return run_command(arguments, "discard", examine, records)
