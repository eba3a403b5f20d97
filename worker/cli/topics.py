"""`worker topics create|check`."""

import argparse
import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, assert_never

from worker.cli.common import FAILED, OK, REFUSED, complain, connect, observe_parser, positive, settings_parser
from worker.kafka.security import Connection
from worker.kafka.topic_checks import Finding, Severity, check_topics
from worker.kafka.topic_state import Unavailable
from worker.kafka.topics import DEFAULT_PARTITIONS, Creation, create_topics
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.cli.common import Commands


def add_topics(commands: "Commands") -> None:
    """Add the commands to the parser."""
    topics = commands.add_parser("topics", help="make or check the six topics")
    verbs = topics.add_subparsers(title="commands", metavar="COMMAND", required=True)
    create = verbs.add_parser(
        "create",
        parents=[settings_parser(), observe_parser()],
        help="make those that are missing",
        description="Make the topics that are missing, with the configs they need; leave the others as they are; then "
        "check all of them. Twice does nothing more.",
    )
    create.add_argument(
        "--partitions",
        type=positive,
        metavar="N",
        help=f"partitions of each (default: as many as those that exist, else {DEFAULT_PARTITIONS}); can't be changed "
        "once events were processed",
    )
    create.add_argument(
        "--replication", type=positive, metavar="N", help="replicas (default: 3, or 1 on a single broker)"
    )
    create.set_defaults(command=_topics_create)
    check = verbs.add_parser(
        "check",
        parents=[settings_parser(), observe_parser()],
        help="compare them with what they must be",
        description="Compare the topics with what they must be, and explain each difference. Status 1 on an error, "
        "which `worker run` refuses to start with; a warning does not change the status.",
    )
    check.add_argument("--json", action="store_true", help="a JSON list of the differences")
    check.set_defaults(command=_topics_check)


def _topics_create(arguments: argparse.Namespace) -> int:
    connected = connect(arguments.env_file, observe=arguments.observe)
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
        case Unavailable():
            complain(f"no topic was made: {result}")
            return FAILED
        case Creation(created, existed, failed):
            for name in created:
                print(f"created {name}")
            for name in existed:
                print(f"exists {name}")
            for name, why in failed:
                complain(f"failed {name}: {why}")
        case _:
            assert_never(result)
    findings = await check_topics(connection, names)
    _print_findings(findings)
    return FAILED if failed else _status(findings)


def _topics_check(arguments: argparse.Namespace) -> int:
    connected = connect(arguments.env_file, observe=arguments.observe)
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
