"""Deciding about one dead letter: which is meant, sending one command, and what came of it."""

import argparse
from dataclasses import dataclass

from schemas.outcomes import Outcome
from worker.cli.common import complain
from worker.cli.dead_letters.desk import Desk
from worker.cli.dead_letters.running import positive_number
from worker.deadletters.board import Board, Summary
from worker.deadletters.following import outcome_of
from worker.deadletters.selection import parse_origin
from worker.deadletters.source import read_board
from worker.deadletters.stopping import result_of
from worker.model import OutRecord
from worker.ports import Lost


@dataclass(frozen=True, slots=True)
class Found:
    """Whose dead letters are meant: the invoice, where it can be read, all of its dead letters, and the one named."""

    identity: str | None
    summaries: tuple[Summary, ...]
    named: Summary | None


def wait_parser(*, default: bool) -> argparse.ArgumentParser:
    """A parent parser: whether the outcome is waited for, and how long."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=default,
        help="wait for the outcome" + (" (default)" if default else ""),
    )
    parser.add_argument(
        "--timeout",
        type=positive_number,
        default=120.0,
        metavar="S",
        help="seconds that it is waited for (default: 120)",
    )
    return parser


async def find(desk: Desk, subject: str) -> Found | Lost:
    """What `subject` names: an origin, a dead letter's own coordinates, or an identity."""
    board = await read_board(desk.source)
    if not isinstance(board, Board):
        return board
    at = parse_origin(subject)
    everything = board.summaries.values()
    named = None if at is None else next((one for one in everything if at in (one.origin, one.at)), None)
    if at is not None and named is None:
        return Found(None, (), None)
    identity = subject if named is None else named.identity
    same = tuple(one for one in everything if one.identity == identity) if identity else ()
    return Found(identity, same, named)


async def send_one(desk: Desk, record: OutRecord, command: str, timeout: float | None) -> Outcome | None | Lost:
    """Write it, and wait for its outcome; `timeout` None: don't wait."""
    if timeout is not None and (lost := await desk.followed.start()) is not None:
        return lost
    sent = await desk.outbox.send([record])
    if isinstance(sent, Lost):
        return sent
    [where] = sent
    complain(f"written: {where}, command {command}")
    return None if timeout is None else await outcome_of(desk.followed, desk.clock, command, timeout)


def told(outcome: Outcome) -> dict[str, object]:
    """An outcome, for programs."""
    return {
        "kind": "outcome",
        "result": result_of(outcome),
        "outcome": outcome.model_dump(mode="json", exclude_none=True),
    }
