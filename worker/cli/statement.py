"""`worker statement`: what became of a month's invoices, for finance."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import IO, TYPE_CHECKING
from zoneinfo import ZoneInfo

from worker.cli.common import FAILED, OK, REFUSED, complain, connect, load_settings, settings_parser
from worker.cli.progress import Reading
from worker.cli.reports import plain
from worker.finance.comparing import compare_with_kravia, read_search
from worker.finance.findings import check_calls, check_records
from worker.finance.period import Period, between, moment, month
from worker.finance.reading import Topics, read_ledger, read_records
from worker.finance.statement import Statement, assemble
from worker.finance.store import Store
from worker.finance.writing import text, write_csv, write_json
from worker.kafka.reading import counted_scan, partition_counts
from worker.kafka.security import Connection
from worker.kafka.times import KafkaOffsets
from worker.ports import Lost
from worker.settings import Purpose, Settings

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Account for a month: events in, outcomes, register calls and their answers, sums by creditor and currency, compared
with Kravia's search. It ends in `unexplained: 0`, or lists each thing that nobody can explain, why, and what to do.
It reads only, in no consumer group. "Scheduled" is what Kravia took, not what it has sent.

exit status: 0 nothing is unexplained; 1 something is, or Kafka could not be read; 2 wrong usage or refused settings."""


def add_statement(commands: "Commands") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "statement",
        parents=[settings_parser()],
        help="account for a month's invoices and money",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--month", metavar="YYYY-MM", help="the month, as --timezone's calendar has it")
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="instead of a month: its begin, and with --to its end"
    )
    parser.add_argument("--to", dest="end", metavar="TIME", help="a date or time, not included itself")
    parser.add_argument(
        "--timezone", type=_zone, default="UTC", metavar="ZONE", help="such as Europe/Oslo (default: UTC)"
    )
    parser.add_argument("--creditor", type=_creditor, metavar="ID", help="only its invoices")
    parser.add_argument("--csv", metavar="FILE", help="a line for each invoice; - for standard output")
    parser.add_argument("--json", metavar="FILE", help="everything; - for standard output")
    parser.add_argument("--no-search", action="store_true", help="do not ask Kravia, which needs no token then")
    parser.set_defaults(command=_statement)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        sentence = f"{name!r} is no time zone that this machine's tzdata knows: write one such as Europe/Oslo"
        raise argparse.ArgumentTypeError(sentence) from error


def _creditor(digits: str) -> int:
    if not (digits.isascii() and digits.isdecimal()):
        raise argparse.ArgumentTypeError(f"{digits!r} is not a creditor's id: digits")
    return int(digits)


def period_of(arguments: argparse.Namespace) -> Period | str:
    """The period that was asked for, or what is wrong."""
    zone: tzinfo = arguments.timezone
    if arguments.month is not None and (arguments.start or arguments.end):
        return "--month, or --from and --to: not both"
    if arguments.month is not None:
        return month(arguments.month, zone)
    if not (arguments.start and arguments.end):
        return "name the period: --month YYYY-MM, or --from and --to"
    start, end = moment(arguments.start, zone), moment(arguments.end, zone)
    for one in (start, end):
        if isinstance(one, str):
            return one
    assert not isinstance(start, str)
    assert not isinstance(end, str)
    return between(start, end)


def _statement(arguments: argparse.Namespace) -> int:
    period = period_of(arguments)
    if isinstance(period, Period) and arguments.csv == arguments.json == "-":
        period = "only one of --csv and --json can go to standard output"
    if isinstance(period, str):
        complain(f"refused: {period}")
        return REFUSED
    if not arguments.no_search and load_settings(arguments.env_file, Purpose.RUN) is None:
        complain("Without --no-search Kravia is asked, too, which needs what `worker run` needs.")
        return REFUSED
    connected = connect(arguments.env_file)
    if connected is None:
        return REFUSED
    settings, connection = connected
    with ExitStack() as stack:
        outputs: list[tuple[IO[str], Callable[[Statement, IO[str]], None]]] = []
        writers: tuple[tuple[str | None, Callable[[Statement, IO[str]], None]], ...] = (
            (arguments.csv, write_csv),
            (arguments.json, write_json),
        )
        for name, writer in writers:
            if name is None:
                continue
            try:
                # Opened before anything is read: a name that can't be written is told at once.
                file = (
                    sys.stdout
                    if name == "-"
                    else stack.enter_context(Path(name).open("w", encoding="utf-8", newline=""))
                )
            except OSError as error:
                complain(f"{name}: can't be written: {error.strerror or type(error).__name__}")
                return REFUSED
            outputs.append((file, writer))
        store = Store(Path(stack.enter_context(tempfile.TemporaryDirectory())), period, arguments.creditor)
        stack.callback(store.close)
        with Reading("records") as reading:
            made = asyncio.run(_make(settings, connection, store, period, reading, search=not arguments.no_search))
        if isinstance(made, str):
            complain(made)
            return FAILED
        for file, write in outputs:
            write(made, file)
        summary = sys.stderr if "-" in (arguments.csv, arguments.json) else sys.stdout
        for line in text(made):
            print(plain(line), file=summary)
        return FAILED if made.unexplained_count else OK


async def _make(
    settings: Settings, connection: Connection, store: Store, period: Period, reading: Reading, *, search: bool
) -> Statement | str:
    """The statement; or why Kafka could not be read, in words for the operator."""
    names = settings.topic_names
    counts = await partition_counts(connection, names)
    if isinstance(counts, str):
        return counts
    offsets = KafkaOffsets(connection)
    topics = Topics(counted_scan(connection, reading.step), offsets, settings.kafka_group_id, names, counts)
    try:
        return await _read_and_check(settings, topics, store, period, search=search)
    finally:
        await offsets.close()


async def _read_and_check(
    settings: Settings, topics: Topics, store: Store, period: Period, *, search: bool
) -> Statement | str:
    # Only here: they bring aiohttp and the metrics along.
    from worker import wiring  # noqa: PLC0415
    from worker.clock import SystemClock  # noqa: PLC0415
    from worker.kravia import KraviaClient  # noqa: PLC0415

    kept = await read_records(topics, store, period.start)
    if isinstance(kept, Lost):
        return f"Kafka could not be read: {kept.detail}"
    if not search:
        if (lost := await read_ledger(topics, store)) is not None:
            return f"Kafka could not be read: {lost.detail}"
        check_records(store, kept.bounds)
        check_calls(store)
        return assemble(store, period, kept, None)
    try:
        client = KraviaClient(wiring.kravia_config(settings), wiring.token_source(settings), clock=SystemClock())
    except ValueError as error:
        return str(error)
    async with client as api:
        swept = await read_search(store, api, period.start, wiring.sweep_policy(settings))
        if (lost := await read_ledger(topics, store)) is not None:
            return f"Kafka could not be read: {lost.detail}"
        check_records(store, kept.bounds)
        check_calls(store)
        compared = await compare_with_kravia(store, api, swept)
    return assemble(store, period, kept, compared)
