"""`worker run`. What it needs is imported only when it is called, so that `--help` answers at once."""

import argparse
from typing import TYPE_CHECKING

from worker.cli.common import REFUSED, load_settings, observe_parser, settings_parser
from worker.settings import Purpose

if TYPE_CHECKING:
    from worker.cli.common import Commands


def add_run(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "run",
        parents=[settings_parser(), observe_parser()],
        help="process events until SIGTERM",
        description="Process events until SIGTERM. With --observe Kravia is not called: live requests are read, and "
        "the outcomes that the worker would give are published on topics of their own.",
    )
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    loaded = load_settings(arguments.env_file, Purpose.TOPICS if arguments.observe else Purpose.RUN)
    if loaded is None:
        return REFUSED
    from worker.app import run  # noqa: PLC0415 - uvloop, aiohttp and the metrics are only needed here

    return run(loaded.settings, observe=arguments.observe)
