"""`worker dead-letters export`."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from worker.cli.common import FAILED, OK, REFUSED, complain, observe_parser, settings_parser
from worker.cli.dead_letters.options import selection_of, selection_parser
from worker.cli.dead_letters.session import Status, ask, tell_what_is_missing
from worker.deadletters.board import Board, Summary
from worker.deadletters.export import line
from worker.deadletters.selection import Selection
from worker.deadletters.source import Source, each, read_board
from worker.model import Coordinates, Record
from worker.ports import Lost

if TYPE_CHECKING:
    from worker.cli.common import Commands


def add_export(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "export",
        parents=[settings_parser(), observe_parser(), selection_parser()],
        help="write dead letters to a file",
        description="Write dead letters to FILE, which must not exist yet and only you may read: a JSON object on each "
        "line, with key, headers and value in base64, byte for byte: personal data is in it. Values are read a "
        "second time.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="where to write")
    parser.add_argument("--masked", action="store_true", help="without personal data: to hand on, not to send again")
    parser.set_defaults(command=_export)


def _export(arguments: argparse.Namespace) -> int:
    selection = selection_of(arguments)
    if selection is None:
        return REFUSED
    path: Path = arguments.file
    try:
        # Made before anything is read: nothing is overwritten, and nobody else can read it at any moment.
        stream = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except FileExistsError:
        complain(f"refused: {path} exists; name a file that doesn't")
        return REFUSED
    except OSError as error:
        complain(f"refused: {path} can't be written: {error.strerror or type(error).__name__}")
        return REFUSED
    done = False
    try:
        with stream:
            status = _fill(arguments, selection, stream)
        done = status == OK
    except OSError as error:
        complain(f"{path} can't be written: {error.strerror or type(error).__name__}")
        status = FAILED
    finally:
        if not done:
            path.unlink(missing_ok=True)
    return status


def _fill(arguments: argparse.Namespace, selection: Selection, stream: BinaryIO) -> int:
    async def question(source: Source) -> tuple[Board, int, int] | Lost:
        board = await read_board(source)
        if isinstance(board, Lost):
            return board
        chosen = {one.at: one for one in board.summaries.values() if selection.fits(one)}
        written = await _write(source, chosen, stream, mask=arguments.masked)
        return written if isinstance(written, Lost) else (board, written, len(chosen))

    answer = ask(arguments, question)
    if isinstance(answer, Status):
        return answer
    board, written, chosen = answer
    stream.flush()
    os.fsync(stream.fileno())
    tell_what_is_missing(board)
    if written < chosen:
        complain(f"warning: {chosen - written} were removed from the topic meanwhile")
    complain(f"{written} dead letters written to {arguments.file}")
    return OK


async def _write(source: Source, chosen: Mapping[Coordinates, Summary], stream: BinaryIO, *, mask: bool) -> int | Lost:
    written = 0

    def take(record: Record) -> None:
        nonlocal written
        summary = chosen.get(record.coordinates)
        if summary is not None:
            stream.write(line(summary, record, mask=mask))
            written += 1

    lost = await each(source.letters(), take) if chosen else None
    return written if lost is None else lost
