"""A run over many dead letters, as `replay` and `discard` have it: read, examine, ask, send, tell."""

import argparse
import sys
from collections.abc import Awaitable, Callable, Collection
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from worker.cli.common import FAILED, INTERRUPTED, OK, REFUSED, complain
from worker.cli.dead_letters.deciding import again, decision_of, declined, run_name, tell_item, tell_plan, tell_report
from worker.cli.dead_letters.desk import Desk, Office, office
from worker.cli.dead_letters.options import count, selection_of
from worker.cli.dead_letters.session import Status, tell_what_is_missing
from worker.deadletters.board import Board
from worker.deadletters.examine import names_of_misrouted
from worker.deadletters.plan import Item, Plan, plan
from worker.deadletters.run import Pace, Report, Run, Sending, sent_before
from worker.deadletters.selection import Selection
from worker.deadletters.sending import Decision
from worker.deadletters.source import read_board
from worker.ports import Lost

Examine = Callable[[Desk, Collection[Item], Decision], Awaitable[Lost | None]]
Records = Callable[[Desk, Collection[Item], Decision], Sending]


def run_parser() -> argparse.ArgumentParser:
    """A parent parser: how fast, how far, and whether its outcomes are waited for."""
    parser = argparse.ArgumentParser(add_help=False)
    group = parser.add_argument_group("the run")
    group.add_argument("--limit", type=count, metavar="N", help="at most N, those that failed first")
    group.add_argument("--rate", type=positive_number, metavar="N", help="at most N records a second")
    group.add_argument("--wait", action="store_true", help="follow the outcomes, and end with the last")
    group.add_argument(
        "--stop-after",
        type=count,
        metavar="N",
        help="with --wait or --canary: stop when N fail in a row, or more than half of at least 2 N (default: 5)",
    )
    group.add_argument(
        "--timeout",
        type=positive_number,
        default=600.0,
        metavar="S",
        help="seconds without an outcome until it is waited for no longer (default: 600)",
    )
    group.add_argument(
        "--resume",
        type=run_name,
        metavar="NAME",
        help="go on with an interrupted run: what it has sent is not sent again. Select as you did then",
    )
    group.add_argument("--verbose", action="store_true", help="a line for each dead letter, too")
    return parser


def positive_number(text: str) -> float:
    """More than 0. Raises ArgumentTypeError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def run_command(arguments: argparse.Namespace, verb: str, examine: Examine, records: Records) -> int:
    """The whole verb; `examine` says what each would do, `records` makes what is sent."""
    selection, decision = selection_of(arguments), decision_of(arguments)
    if selection is None or decision is None:
        return REFUSED
    if arguments.run is not None and arguments.resume is not None:
        complain("refused: --run names a new run, --resume an old one: give one of them")
        return REFUSED
    kafka = office(arguments)
    if isinstance(kafka, Status):
        return kafka

    async def prepare(desk: Desk) -> Plan | Lost:
        made = await _plan(desk, selection, arguments)
        if isinstance(made, Lost):
            return made
        return await examine(desk, made.items, decision) or made

    made = kafka.ask(prepare)
    if isinstance(made, Status):
        return made
    tell_plan(arguments, made.items, each=arguments.dry_run and (arguments.verbose or arguments.json))
    worth = made.to_send()
    if arguments.dry_run:
        complain("dry run: nothing was written")
        return OK if len(worth) == len(made.items) else FAILED
    complain(f"run {decision.run}" + (f": {made.before} were sent before" if made.before else ""))
    if not worth:
        return tell_report(arguments, decision.run, made.items, Report(), before=made.before)
    if (status := declined(arguments, f"{verb} {len(worth)} dead letters?")) is not None:
        return status
    return _send(arguments, kafka, verb, decision, made, records)


async def _plan(desk: Desk, selection: Selection, arguments: argparse.Namespace) -> Plan | Lost:
    board = await read_board(desk.source)
    if not isinstance(board, Board):
        return board
    tell_what_is_missing(board)
    everything = list(board.summaries.values())
    chosen = [one for one in everything if selection.fits(one)]
    names = await names_of_misrouted(desk.source, [Item(one, one.identity) for one in everything])
    if isinstance(names, Lost):
        return names
    replays = desk.source.topics.replays
    sent = (
        await sent_before(desk.reader, replays, desk.ground.partitions, arguments.resume) if arguments.resume else set()
    )
    if isinstance(sent, Lost):
        return sent
    limit = None if arguments.limit is None else max(0, arguments.limit - len(sent))
    return plan(chosen, everything, replays, names=names, sent=sent, limit=limit)


def _send(
    arguments: argparse.Namespace, kafka: Office, verb: str, decision: Decision, made: Plan, records: Records
) -> int:
    pace = Pace(
        rate=arguments.rate,
        wait=arguments.wait,
        canary=getattr(arguments, "canary", False),
        stop_after=arguments.stop_after or 5,
        timeout=arguments.timeout,
        window=max(50, 10 * (arguments.stop_after or 5)),
    )
    report = Report()
    with Sent(len(made.to_send())) as shown:

        async def send(desk: Desk) -> Report | Lost:
            nonlocal report
            run = Run(decision, verb, pace, desk.outbox, desk.followed, desk.clock, shown.changed)
            report = run.report
            lost = await run.go(made.items, lambda items: records(desk, items, decision))
            return run.report if lost is None else lost

        try:
            done = kafka.ask(send, reading=False)
        except KeyboardInterrupt:
            done = Status(INTERRUPTED)
    if arguments.verbose or arguments.json:
        for item in made.items:
            tell_item(item, as_json=arguments.json)
    status = tell_report(arguments, decision.run, made.items, report, before=made.before)
    if report.left:
        complain(f"go on with: {again(sys.argv[1:], decision.run)}")
    return done if isinstance(done, Status) else status


class Sent:
    """How far a run has come, on stderr: a bar on a terminal, else a line now and then."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._live: Progress | None = None
        self._task = TaskID(0)
        self._told = 0

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._live = Progress(*columns, console=Console(stderr=True))
            self._task = self._live.add_task("sent", total=self._total)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def changed(self, report: Report) -> None:
        """The run went on."""
        done = report.tally.well + report.tally.ill
        words = f"{report.sent} sent" + (f", {done} ended, {report.tally.ill} not well" if done else "")
        if self._live is not None:
            self._live.update(self._task, completed=report.sent, description=words)
        elif report.sent >= self._told + 10_000:
            self._told = report.sent
            complain(f"{words} of {self._total}")
