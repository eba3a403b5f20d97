"""`worker config`: the effective settings."""

import argparse
from typing import TYPE_CHECKING

from worker.cli.common import OK, REFUSED, load_settings, settings_parser
from worker.settings import Purpose
from worker.settings.report import as_json, as_markdown, as_text

if TYPE_CHECKING:
    from worker.cli.common import Commands


def add_config(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "config",
        parents=[settings_parser()],
        help="print the effective settings, secrets masked",
        description="Print the effective settings, secrets masked, and where each came from.",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as a JSON object")
    form.add_argument("--describe", action="store_true", help="with meaning, bounds and default of each")
    form.add_argument("--markdown", action="store_true", help="the page of all settings (docs/reference/settings.md)")
    parser.set_defaults(command=_config)


def _config(arguments: argparse.Namespace) -> int:
    if arguments.markdown:
        print(as_markdown(), end="")
        return OK
    loaded = load_settings(arguments.env_file, Purpose.RUN)
    if loaded is None:
        return REFUSED
    print(as_json(loaded) if arguments.json else as_text(loaded, descriptions=arguments.describe))
    return OK
