"""`worker emit`: sends events, or samples, to the requests topic."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from worker.checking.items import Broken, Form, Item, Place
from worker.checking.judge import Rules, examine
from worker.checking.outgoing import SOURCE
from worker.cli.common import FAILED, REFUSED, complain, connect, positive, settings_parser
from worker.cli.emitting import Emission, Plan
from worker.cli.reports import Inputs
from worker.cli.validate import add_format
from worker.decode import Limits
from worker.demo.samples import samples
from worker.kafka.security import Connection
from worker.kafka.topic_state import Unavailable
from worker.kafka.topics import describe_cluster
from worker.model import TopicNames

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Send events from files (as `worker validate` reads them) or samples, each to the partition that its identity leads to.
Each is judged first, and what the worker would refuse is not sent. Bare data becomes a CloudEvent in binary mode.

exit status: 0 all were sent; 1 some were refused or not acknowledged, or Kafka is not there; 2 wrong usage, refused
settings, or a file that can't be read."""


def add_emit(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "emit",
        parents=[settings_parser()],
        help="send events or samples",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="where the events are; - for standard input")
    add_format(parser)
    parser.add_argument(
        "--samples",
        type=positive,
        metavar="N",
        help="send so many sample events (synthetic; a few repeat or change an earlier one)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="same seed, same invoices within a day (default: drawn)")
    parser.add_argument("--topic", metavar="NAME", help="where to (default: TOPIC_REQUESTS)")
    parser.add_argument("--rate", type=_rate, default=0.0, metavar="N", help="events per second (default: no bound)")
    parser.add_argument("--source", default=SOURCE, metavar="URI", help="CloudEvents source of bare data (%(default)s)")
    parser.add_argument("--force", action="store_true", help="send what the worker would refuse, too")
    parser.add_argument("--yes", action="store_true", help="don't ask before samples go to another machine's Kafka")
    parser.add_argument("--dry-run", action="store_true", help="send nothing; say what would be sent")
    parser.add_argument(
        "--partitions", type=positive, metavar="N", help="with --dry-run: how many the topic has; Kafka is not asked"
    )
    parser.add_argument("--json", action="store_true", help="a JSON object for each event, and one of the whole")
    parser.set_defaults(command=_emit)


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return value


def _emit(arguments: argparse.Namespace) -> int:
    if wrong := _misused(arguments):
        complain(f"refused: {wrong}")
        return REFUSED
    connected = connect(arguments.env_file)
    if connected is None:
        return REFUSED
    settings, connection = connected
    names = settings.topic_names
    if arguments.topic:
        names = replace(names, requests=arguments.topic)
    if arguments.samples and not arguments.dry_run and not _may_send_samples(arguments, connection, names.requests):
        return REFUSED
    rules = Rules(limits=Limits(reference_bytes=settings.document_max_bytes), policy=settings.rule_policy)
    return asyncio.run(_run(arguments, connection, names, rules))


def _misused(arguments: argparse.Namespace) -> str | None:
    if bool(arguments.samples) == bool(arguments.files):
        return "give either --samples N or files (- for standard input)"
    if arguments.partitions and not arguments.dry_run:
        return "--partitions goes with --dry-run; otherwise Kafka tells how many there are"
    return None


def _may_send_samples(arguments: argparse.Namespace, connection: Connection, topic: str) -> bool:
    """Samples are invoices: on a topic that a worker bills from they would be billed."""
    if arguments.yes or all(map(_is_local, connection.bootstrap_servers.split(","))):
        return True
    what = f"{arguments.samples} sample invoices to {topic} on {connection.bootstrap_servers}"
    if not sys.stdin.isatty():
        complain(f"refused: {what}: this is not this machine's Kafka; say --yes if you mean it")
        return False
    print(f"Send {what}? A worker there would bill them. [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    complain("nothing was sent")
    return False


def _is_local(server: str) -> bool:
    host = server.rpartition(":")[0].strip("[]").lower()
    return host in ("localhost", "::1") or host.startswith("127.")


async def _run(arguments: argparse.Namespace, connection: Connection, names: TopicNames, rules: Rules) -> int:
    count = arguments.partitions or await _count(connection, names)
    if count is None:
        return FAILED
    plan = Plan(
        names.requests,
        count,
        replace(rules, partitions=count),
        rate=arguments.rate,
        source=arguments.source,
        force=arguments.force,
        dry_run=arguments.dry_run,
        as_json=arguments.json,
    )
    if arguments.samples:
        return await Emission(plan, connection).send_all(_samples(arguments, plan))
    inputs = Inputs(arguments.files, arguments.format)
    # Where a record stood elsewhere says nothing about where it goes now.
    items = (item if isinstance(item, Broken) else replace(item, partition=None) for item in inputs)
    status = await Emission(plan, connection).send_all(items)
    return REFUSED if inputs.unreadable else status


async def _count(connection: Connection, names: TopicNames) -> int | None:
    """Partitions of the topic; None, and a word on stderr, where there is none."""
    cluster = await describe_cluster(connection, names)
    if isinstance(cluster, Unavailable):
        complain(f"nothing was sent: {cluster}")
        return None
    if names.requests not in cluster.topics:
        hidden = names.requests in cluster.hidden
        complain(
            f"nothing was sent: this user has no right on topic {names.requests}; it needs Write"
            if hidden
            else f"nothing was sent: there is no topic {names.requests}; `worker topics create` makes it"
        )
        return None
    return cluster.topics[names.requests].partitions


def _samples(arguments: argparse.Namespace, plan: Plan) -> Iterator[Item]:
    """So many of them; those that are wrong on purpose only by force."""
    seed = secrets.randbelow(10_000) if arguments.seed is None else arguments.seed
    if arguments.seed is None and not arguments.json:
        complain(f"seed {seed}")
    wanted, now = arguments.samples, datetime.now(UTC)
    # One in twenty is wrong. More of one seed begin with the same ones.
    made = samples(wanted if plan.force else wanted + wanted // 4 + 20, plan.partitions, seed, now)
    items = (
        Item(Place("samples", number), Form.WRAPPED, one.value, one.key, one.headers, one.partition)
        for number, one in enumerate(made, 1)
    )
    good = (item for item in items if plan.force or examine(item, plan.rules).valid)
    return islice(good, wanted)
