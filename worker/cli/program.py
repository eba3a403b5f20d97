"""The parser of all commands, and the entry point.

Exit statuses: 0 well; 1 it failed, or what was looked at is not as it must be; 2 wrong usage or refused settings; 130
interrupted.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata

from worker.cli.common import FAILED, INTERRUPTED
from worker.cli.config import add_config
from worker.cli.dead_letters import add_dead_letters
from worker.cli.doctor import add_doctor
from worker.cli.emit import add_emit
from worker.cli.run import add_run
from worker.cli.statement import add_statement
from worker.cli.status import add_status
from worker.cli.topics import add_topics
from worker.cli.validate import add_validate
from worker.cli.why import add_why

_EPILOG = """\
exit status: 0 well; 1 it failed, or what was looked at is not as it must be; 2 wrong usage or refused settings;
130 interrupted. Settings come from the environment, .env and a secrets directory: see `worker config --describe`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` without the program's name. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["demo"]:
            # The demo has a parser of its own: its options are nobody else's business.
            return _demo(words[1:])
        arguments = command_parser().parse_args(words)
        command: Callable[[argparse.Namespace], int] = arguments.command
        return command(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output had enough of it. The interpreter flushes once more at its end: into nothing.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - closed with the process
        return FAILED


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands but the demo, which has its own."""
    parser = argparse.ArgumentParser(
        prog="worker",
        description="Brings invoice events from Kafka to Kravia: never billed twice, nothing lost.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_run(commands)
    add_topics(commands)
    add_validate(commands)
    add_emit(commands)
    add_why(commands)
    add_status(commands)
    add_doctor(commands)
    add_dead_letters(commands)
    add_statement(commands)
    add_config(commands)
    commands.add_parser("demo", help="broker, simulated Kravia, producer and worker on this machine, with a live view")
    return parser


def _version() -> str:
    try:
        return metadata.version("kravia-invoice-worker")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _demo(words: list[str]) -> int:
    from worker.demo.run import main as demo  # noqa: PLC0415 - the demo's packages are not installed in production

    return demo(words)
