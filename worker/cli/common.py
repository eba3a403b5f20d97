"""What the commands share: exit statuses, settings and connection, and types of arguments."""

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from worker.kafka.security import Connection, Unusable, connection_of
from worker.observe import observing
from worker.settings import Loaded, Purpose, Refused, Settings, load

OK = 0
FAILED = 1
REFUSED = 2
INTERRUPTED = 130

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse gives it no public name


def settings_parser() -> argparse.ArgumentParser:
    """A parent parser for commands that read settings."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--env-file", type=Path, default=Path(".env"), metavar="FILE", help="dotenv file to read (default: .env)"
    )
    return parser


def observe_parser() -> argparse.ArgumentParser:
    """A parent parser for commands that know observe mode."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--observe",
        action="store_true",
        help="the topics and the group of observe mode: WORKER_OBSERVE_PREFIX before all but the requests",
    )
    return parser


def positive(text: str) -> int:
    """A count of partitions, replicas and the like. Raises ArgumentTypeError."""
    value = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= value <= 32_767:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 32767")
    return value


def load_settings(env_file: Path, purpose: Purpose) -> Loaded | None:
    """Load the settings; say on stderr what is odd or wrong with them. None: refused."""
    result = load(env_file=env_file, purpose=purpose)
    for warning in result.warnings:
        complain(f"warning: {warning}")
    match result:
        case Loaded():
            return result
        case Refused(problems):
            for problem in problems:
                complain(f"refused: {problem}")
            return None
        case _:
            assert_never(result)


def connect(env_file: Path, *, observe: bool = False) -> tuple[Settings, Connection] | None:
    """The settings, and what every client needs to connect; None: refused, which stderr explains. Connects nothing."""
    loaded = load_settings(env_file, Purpose.TOPICS)
    if loaded is None:
        return None
    connection = connection_of(loaded.settings)
    if isinstance(connection, Unusable):
        complain(f"refused: {connection.detail}")
        return None
    # What aiokafka logs while it tries the brokers is in the answer as well.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    return observing(loaded.settings) if observe else loaded.settings, connection


def complain(text: str) -> None:
    """A line on stderr."""
    print(text, file=sys.stderr)
