"""Where dead letters and outcomes are read from, and the reading of all of them. Knows no broker."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from worker.deadletters.board import Board
from worker.model import Coordinates, Record, TopicNames
from worker.ports import Lost


class Source(Protocol):
    """The topics, as whoever looks at dead letters sees them: what is committed, from the beginning."""

    @property
    def topics(self) -> TopicNames: ...

    def letters(self) -> AsyncGenerator[Record | Lost, None]:
        """Every record of the dead-letter topic. A `Lost` is the last that comes, as in `outcomes`."""

    def outcomes(self) -> AsyncGenerator[Record | Lost, None]:
        """Every record of the outcome topic."""

    async def one(self, at: Coordinates) -> Record | None | Lost:
        """The record that stands there; None when it is gone. Ask only for what is committed."""


async def read_board(source: Source, *, amounts: bool = False) -> Board | Lost:
    """Every dead letter and how it stands; `amounts` as for `Board`."""
    board = Board(source.topics.replays, amounts=amounts)
    lost = await each(source.letters(), board.take_letter)
    if lost is None:
        lost = await each(source.outcomes(), board.take_outcome)
    return board if lost is None else lost


async def each(records: AsyncGenerator[Record | Lost, None], take: Callable[[Record], object]) -> Lost | None:
    """Give every record to `take`."""
    async with aclosing(records):
        async for record in records:
            if isinstance(record, Lost):
                return record
            take(record)
    return None
