"""`worker dead-letters replay`."""

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING

from worker.cli.common import observe_parser, settings_parser
from worker.cli.dead_letters.deciding import decision_parser
from worker.cli.dead_letters.desk import Desk
from worker.cli.dead_letters.options import selection_parser
from worker.cli.dead_letters.running import run_command, run_parser
from worker.deadletters.examine import examine_replays
from worker.deadletters.plan import Item
from worker.deadletters.run import Sending, replays
from worker.deadletters.sending import Decision
from worker.ports import Lost

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Send dead letters again, as they are: those that are open unless --state says otherwise, each invoice's in the order of
its events. First it says what each would do, by the worker's own rules on what ledger and journal hold now; what would
do no good is left out, with the reason. A run has a name; interrupted at any moment, it is resumed by it, and no record
is sent twice. Sent twice all the same, a record has no effect the second time.

exit status: 0 all went well; 1 some failed or were left out, or Kafka is away; 2 wrong usage; 130 interrupted."""


def add_replay(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "replay",
        parents=[settings_parser(), observe_parser(), selection_parser(), run_parser(), decision_parser()],
        help="send them again",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--canary",
        action="store_true",
        help="one of each cause first; wait for its outcome; go on with the causes whose canary went well",
    )
    parser.set_defaults(command=_replay)


def _replay(arguments: argparse.Namespace) -> int:
    return run_command(arguments, "replay", _examine, _records)


async def _examine(desk: Desk, items: Collection[Item], decision: Decision) -> Lost | None:
    return await examine_replays(desk.ground, items, decision)


def _records(desk: Desk, items: Collection[Item], decision: Decision) -> Sending:
    return replays(desk.source, items, decision, desk.ground.target)
