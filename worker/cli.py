"""The command line: `worker run`, `worker topics create|check`, `worker config`, `worker demo`.

Exit statuses: 0 well; 1 it failed, or the topics are not as they must be; 2 wrong usage or refused settings; 130
interrupted. `run` and `demo` import what they need only when called, so that `config` and `--help` answer at once.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import assert_never

from worker.kafka.security import Connection, Unusable, connection_of
from worker.kafka.topic_checks import Finding, Severity, check_topics
from worker.kafka.topic_state import Unavailable
from worker.kafka.topics import DEFAULT_PARTITIONS, Creation, create_topics
from worker.observe import observing
from worker.settings import Loaded, Purpose, Refused, Settings, load
from worker.settings.report import as_json, as_markdown, as_text

OK = 0
FAILED = 1
REFUSED = 2
INTERRUPTED = 130

_EPILOG = """\
exit status: 0 well; 1 it failed, or the topics are not as they must be; 2 wrong usage or refused settings;
130 interrupted. Settings come from the environment, .env and a secrets directory: see `worker config --describe`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` without the program's name. Returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["demo"]:
            # The demo has a parser of its own: its options are nobody else's business.
            return _demo(words[1:])
        arguments = _parser().parse_args(words)
        command: Callable[[argparse.Namespace], int] = arguments.command
        return command(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="worker",
        description="Brings invoice events from Kafka to Kravia: never billed twice, nothing lost.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--env-file", type=Path, default=Path(".env"), metavar="FILE", help="dotenv file to read (default: .env)"
    )

    observe = argparse.ArgumentParser(add_help=False)
    observe.add_argument(
        "--observe",
        action="store_true",
        help="the topics and the group of observe mode: WORKER_OBSERVE_PREFIX before all but the requests",
    )
    run = commands.add_parser(
        "run",
        parents=[common, observe],
        help="process events until SIGTERM",
        description="Process events until SIGTERM. With --observe Kravia is not called: live requests are read, and "
        "the outcomes that the worker would give are published on topics of their own.",
    )
    run.set_defaults(command=_run)

    topics = commands.add_parser("topics", help="make or check the six topics")
    verbs = topics.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = verbs.add_parser(
        "create",
        parents=[common, observe],
        help="make those that are missing",
        description="Make the topics that are missing, with the configs they need; leave the others as they are; then "
        "check all of them. Twice does nothing more.",
    )
    create.add_argument(
        "--partitions",
        type=_positive,
        metavar="N",
        help=f"partitions of each (default: as many as those that exist, else {DEFAULT_PARTITIONS}); can't be changed "
        "once events were processed",
    )
    create.add_argument(
        "--replication", type=_positive, metavar="N", help="replicas (default: 3, or 1 on a single broker)"
    )
    create.set_defaults(command=_topics_create)
    check = verbs.add_parser(
        "check",
        parents=[common, observe],
        help="compare them with what they must be",
        description="Compare the topics with what they must be, and explain each difference. Status 1 on an error, "
        "which `worker run` refuses to start with; a warning does not change the status.",
    )
    check.add_argument("--json", action="store_true", help="a JSON list of the differences")
    check.set_defaults(command=_topics_check)

    config = commands.add_parser(
        "config",
        parents=[common],
        help="print the effective settings, secrets masked",
        description="Print the effective settings, secrets masked, and where each came from.",
    )
    form = config.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as a JSON object")
    form.add_argument("--describe", action="store_true", help="with meaning, bounds and default of each")
    form.add_argument("--markdown", action="store_true", help="the reference page of all settings (docs/settings.md)")
    config.set_defaults(command=_config)

    commands.add_parser("demo", help="broker, simulated Kravia, producer and worker on this machine, with a live view")
    return parser


def _positive(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() else 0
    if not 1 <= value <= 32_767:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 32767")
    return value


def _version() -> str:
    try:
        return metadata.version("kravia-invoice-worker")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _run(arguments: argparse.Namespace) -> int:
    loaded = _load(arguments.env_file, Purpose.TOPICS if arguments.observe else Purpose.RUN)
    if loaded is None:
        return REFUSED
    from worker.app import run  # noqa: PLC0415 - uvloop, aiohttp and the metrics are only needed here

    return run(loaded.settings, observe=arguments.observe)


def _demo(words: list[str]) -> int:
    from worker.demo.run import main as demo  # noqa: PLC0415 - the demo's packages are not installed in production

    return demo(words)


def _topics_create(arguments: argparse.Namespace) -> int:
    connected = _connect(arguments.env_file, observe=arguments.observe)
    if connected is None:
        return REFUSED
    settings, connection = connected
    return asyncio.run(_create_and_check(settings, connection, arguments.partitions, arguments.replication))


async def _create_and_check(
    settings: Settings, connection: Connection, partitions: int | None, replication: int | None
) -> int:
    names = settings.topic_names
    result = await create_topics(connection, names, partitions=partitions, replication=replication)
    match result:
        case Unavailable(detail):
            print(f"no topic was made: {detail}", file=sys.stderr)
            return FAILED
        case Creation(created, existed, failed):
            for name in created:
                print(f"created {name}")
            for name in existed:
                print(f"exists {name}")
            for name, why in failed:
                print(f"failed {name}: {why}", file=sys.stderr)
        case _:
            assert_never(result)
    findings = await check_topics(connection, names)
    _print_findings(findings)
    return FAILED if failed else _status(findings)


def _topics_check(arguments: argparse.Namespace) -> int:
    connected = _connect(arguments.env_file, observe=arguments.observe)
    if connected is None:
        return REFUSED
    settings, connection = connected
    findings = asyncio.run(check_topics(connection, settings.topic_names))
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        _print_findings(findings)
        if not findings:
            print("all six topics are as they must be")
    return _status(findings)


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        print(finding)


def _status(findings: Sequence[Finding]) -> int:
    return FAILED if any(finding.severity is Severity.ERROR for finding in findings) else OK


def _config(arguments: argparse.Namespace) -> int:
    if arguments.markdown:
        print(as_markdown(), end="")
        return OK
    loaded = _load(arguments.env_file, Purpose.RUN)
    if loaded is None:
        return REFUSED
    print(as_json(loaded) if arguments.json else as_text(loaded, descriptions=arguments.describe))
    return OK


def _load(env_file: Path, purpose: Purpose) -> Loaded | None:
    """Load the settings; say on stderr what is odd or wrong with them. None: refused."""
    result = load(env_file=env_file, purpose=purpose)
    for warning in result.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    match result:
        case Loaded():
            return result
        case Refused(problems):
            for problem in problems:
                print(f"refused: {problem}", file=sys.stderr)
            return None
        case _:
            assert_never(result)


def _connect(env_file: Path, *, observe: bool) -> tuple[Settings, Connection] | None:
    loaded = _load(env_file, Purpose.TOPICS)
    if loaded is None:
        return None
    connection = connection_of(loaded.settings)
    if isinstance(connection, Unusable):
        print(f"refused: {connection.detail}", file=sys.stderr)
        return None
    # What aiokafka logs while it tries the brokers is in the answer as well.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    return observing(loaded.settings) if observe else loaded.settings, connection
