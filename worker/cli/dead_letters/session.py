"""Asking Kafka for one verb: settings, connection, progress on stderr, and what is to be said of what can't be read."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from worker.cli.common import FAILED, REFUSED, complain, connect
from worker.cli.dead_letters.options import selection_of
from worker.cli.progress import Reading
from worker.deadletters.board import Board, Summary
from worker.deadletters.kafka_source import open_source
from worker.deadletters.source import Source, read_board
from worker.kafka.security import Connection
from worker.model import TopicNames
from worker.ports import Lost

T = TypeVar("T")


class Status(int):
    """An exit status, told apart from an answer."""


def ask(arguments: argparse.Namespace, question: Callable[[Source], Awaitable[T | Lost]]) -> T | Status:
    """The answer, or the exit status when there is none, which stderr explains.

    `arguments` are of a parser with `settings_parser` and `observe_parser`.
    """
    connected = connect(arguments.env_file, observe=arguments.observe)
    if connected is None:
        return Status(REFUSED)
    settings, connection = connected
    with Reading("records") as reading:
        answer = asyncio.run(_ask(connection, settings.topic_names, reading.step, question))
    if isinstance(answer, Lost):
        complain(f"Kafka could not be read: {answer.detail}")
        return Status(FAILED)
    return answer


async def _ask(
    connection: Connection,
    topics: TopicNames,
    step: Callable[[], None],
    question: Callable[[Source], Awaitable[T | Lost]],
) -> T | Lost | Status:
    source = await open_source(connection, topics, step)
    if isinstance(source, str):
        complain(source)
        return Status(FAILED)
    return await question(source)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The dead letters that a selection fits, of so many."""

    summaries: list[Summary]
    of: int


def choose(arguments: argparse.Namespace, *, amounts: bool = False) -> Chosen | Status:
    """What a parser with `selection_parser` selects; stderr says what of the topics is no dead letter to select."""
    selection = selection_of(arguments)
    if selection is None:
        return Status(REFUSED)

    async def question(source: Source) -> Board | Lost:
        return await read_board(source, amounts=amounts)

    board = ask(arguments, question)
    if isinstance(board, Status):
        return board
    tell_what_is_missing(board)
    return Chosen([one for one in board.summaries.values() if selection.fits(one)], len(board.summaries))


def tell_what_is_missing(board: Board) -> None:
    """On stderr: what stands in the topics and is no dead letter that can be shown."""
    if board.commands:
        complain(f"{board.commands} commands that were refused are not listed: see `worker dead-letters audit`")
    if board.unread:
        first = board.unreadable[0]
        problem = first.problems[0]
        what = f"{problem.pointer.removeprefix('/')}: {problem.code}"
        complain(f"warning: {board.unread} records have no readable cause; the first: {first.at}: {what}")
    if board.unread_outcomes:
        complain(f"warning: {board.unread_outcomes} outcomes are not of a version that this program knows")
