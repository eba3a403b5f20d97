"""`worker why`: where an invoice is, what happened to it, and what is next."""

import argparse
import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from worker.cli.common import FAILED, OK, REFUSED, complain, connect, observe_parser, settings_parser
from worker.cli.progress import Reading
from worker.cli.stories import as_lines, as_object
from worker.inquiry.reading import Library, find, read
from worker.inquiry.story import Story, Where
from worker.inquiry.subject import OfEvent, subject_of
from worker.inquiry.telling import tell, unseen_event
from worker.kafka.reader import KafkaAdmin
from worker.kafka.reading import counted_scan, partition_counts
from worker.kafka.security import Connection
from worker.ports import Lost
from worker.settings import Settings

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Tell where an invoice is, what happened to it, what is next, and whose turn it is: from the input, the journal, the
ledger, the outcomes and the dead letters. It reads only, in no consumer group.

Ask by the invoice's identity (10759/Invoice/20001: one partition is read), by a record (topic/partition/offset of the
input topics, the outcomes or the dead letters), or by the event's CloudEvents id (all outcomes are read).

exit status: 0 told; 1 never seen, or Kafka could not be read; 2 wrong usage or refused settings."""


def add_why(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "why",
        parents=[settings_parser(), observe_parser()],
        help="where an invoice is, and why",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("subject", metavar="SUBJECT", help="an identity, a record, or an event's id")
    parser.add_argument("--json", action="store_true", help="a JSON list of stories")
    parser.set_defaults(command=_why)


def _why(arguments: argparse.Namespace) -> int:
    if not arguments.subject.strip():
        complain("refused: SUBJECT is empty: name an identity, a record or an event's id")
        return REFUSED
    connected = connect(arguments.env_file, observe=arguments.observe)
    if connected is None:
        return REFUSED
    settings, connection = connected
    with Reading("records") as reading:
        stories = asyncio.run(ask(settings, connection, arguments.subject, reading))
    if isinstance(stories, str):
        complain(stories)
        return FAILED
    if arguments.json:
        print(json.dumps([as_object(story) for story in stories], indent=2, ensure_ascii=False))
    else:
        for story in stories:
            for line in as_lines(story):
                print(line)
    subject = subject_of(arguments.subject, settings.topic_names)
    if not stories and isinstance(subject, OfEvent):
        complain(unseen_event(subject.event_id, settings.topic_names.requests))
    return OK if any(story.where is not Where.UNSEEN for story in stories) else FAILED


async def ask(settings: Settings, connection: Connection, text: str, reading: Reading) -> list[Story] | str:
    """The stories that answer; or why Kafka could not be read, in words for the operator."""
    # Only here: it brings aiohttp and the metrics along.
    from worker.wiring import doubt_policy  # noqa: PLC0415

    names = settings.topic_names
    counts = await partition_counts(connection, names)
    if isinstance(counts, str):
        return counts
    admin = KafkaAdmin(connection)
    library = Library(counted_scan(connection, reading.step), admin, settings.kafka_group_id, names, counts)
    try:
        targets = await find(library, subject_of(text, names))
        if isinstance(targets, Lost):
            return f"Kafka could not be read: {targets.detail}"
        stories = []
        for target in targets:
            evidence = await read(library, target)
            if isinstance(evidence, Lost):
                return f"Kafka could not be read: {evidence.detail}"
            stories.append(tell(evidence, doubt_policy(settings), datetime.now(UTC)))
        return stories
    finally:
        await admin.close()
