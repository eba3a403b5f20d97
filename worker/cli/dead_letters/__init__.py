"""`worker dead-letters`: look at what did not end well, and decide about it. One module for each verb.

A verb is added in `_VERBS`: a function that takes the subparsers, adds its parser with the parents of `common`, and
sets the default `command` to a function from the parsed arguments to the exit status.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from worker.cli.dead_letters.audit import add_audit
from worker.cli.dead_letters.discard import add_discard
from worker.cli.dead_letters.edit import add_edit
from worker.cli.dead_letters.export import add_export
from worker.cli.dead_letters.groups import add_groups
from worker.cli.dead_letters.list import add_list
from worker.cli.dead_letters.replay import add_replay
from worker.cli.dead_letters.resolve import add_resolve
from worker.cli.dead_letters.show import add_show

if TYPE_CHECKING:
    from worker.cli.common import Commands

_VERBS: Final[tuple[Callable[["Commands"], None], ...]] = (
    add_list,
    add_groups,
    add_show,
    add_export,
    add_replay,
    add_resolve,
    add_edit,
    add_discard,
    add_audit,
)
"""In the order of `--help`: looking, deciding, accounting."""


def add_dead_letters(commands: "Commands") -> None:
    """Add the commands to the parser."""
    parser = commands.add_parser("dead-letters", help="look at dead letters, and decide about them")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in _VERBS:
        add(verbs)
