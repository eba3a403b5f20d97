"""`worker dead-letters edit`."""

import argparse
import json
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.jsontext import JsonError, JsonValue, dumps, loads
from schemas.outcomes import Outcome
from worker.cli.common import FAILED, OK, REFUSED, complain, observe_parser, settings_parser
from worker.cli.dead_letters.deciding import decision_of, decision_parser, declined
from worker.cli.dead_letters.desk import Desk, office
from worker.cli.dead_letters.output import safe
from worker.cli.dead_letters.session import Status
from worker.cli.dead_letters.show import pretty
from worker.cli.dead_letters.single import find, send_one, told, wait_parser
from worker.deadletters.board import Summary
from worker.deadletters.changes import Wrong
from worker.deadletters.differences import Absent, pointer
from worker.deadletters.editing import Edited, data_of, edited, judged, with_assignments
from worker.deadletters.examine import Ground, letter_of
from worker.deadletters.letters import State
from worker.deadletters.plan import Item
from worker.deadletters.predict import Prediction
from worker.deadletters.sending import command_id
from worker.deadletters.stopping import WELL, result_of
from worker.model import Record
from worker.ports import Lost

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Correct one dead letter and send it. The worker's own rules judge the correction first; what it changes is shown. Which
invoice it is can't be changed once a register call may have been made for it. The outcome names the places that were
changed, never their values.

exit status: 0 sent (with --wait: and it ended well); 1 the correction won't do, or did not end well, or Kafka is away;
2 wrong usage."""


@dataclass(frozen=True, slots=True)
class _Original:
    summary: Summary
    record: Record
    ground: Ground


def add_edit(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "edit",
        parents=[settings_parser(), observe_parser(), decision_parser(), wait_parser(default=False)],
        help="correct one and send it",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("origin", metavar="ORIGIN", help="topic/partition/offset, as `list` has it")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--file", type=Path, metavar="FILE", help="the event's corrected data, or a whole structured event"
    )
    how.add_argument(
        "--set",
        action="append",
        metavar="/POINTER=VALUE",
        help="change one place: a JSON value, or else a text; null takes it away; may be repeated",
    )
    how.add_argument("--editor", action="store_true", help="in the editor that VISUAL or EDITOR names")
    parser.add_argument("--bare", action="store_true", help="without its CloudEvents envelope, when that is broken")
    parser.set_defaults(command=_edit)


def _edit(arguments: argparse.Namespace) -> int:
    decision = decision_of(arguments)
    if decision is None:
        return REFUSED
    kafka = office(arguments)
    if isinstance(kafka, Status):
        return kafka

    async def look(desk: Desk) -> _Original | str | Lost:
        return await _original(desk, arguments.origin)

    original = kafka.look(look)
    if isinstance(original, Status):
        return original
    data = _corrected(arguments, original)
    if isinstance(data, Wrong):
        complain(f"refused: {data.message}")
        return REFUSED
    letter = letter_of(Item(original.summary, original.summary.identity), original.record)
    made = edited(letter, data, decision, original.ground.target, original.ground.decode, bare=arguments.bare)
    if made.differences is not None and not made.differences and not arguments.bare:
        complain("nothing is changed: to send it as it is, use `worker dead-letters replay`")
        return FAILED

    async def judge(desk: Desk) -> Prediction | Lost:
        return await _judge(desk, made)

    prediction = kafka.ask(judge)
    if isinstance(prediction, Status):
        return prediction
    for line in _shown(made, prediction, as_json=arguments.json):
        print(line)
    if not prediction.worth_sending:
        complain(f"not sent: {prediction}")
        return FAILED
    if arguments.dry_run:
        complain("dry run: nothing was written")
        return OK
    if (status := declined(arguments, f"send the corrected {arguments.origin}?")) is not None:
        return status

    async def send(desk: Desk) -> Outcome | None | Lost:
        identifier = command_id(decision.run, original.summary.origin, "edit")
        return await send_one(desk, made.record, identifier, arguments.timeout if arguments.wait else None)

    return _told(arguments, kafka.ask(send, reading=False))


def _told(arguments: argparse.Namespace, outcome: Outcome | None | Status) -> int:
    if isinstance(outcome, Status):
        return outcome
    if not arguments.wait:
        return OK
    if outcome is None:
        complain(f"no outcome after {arguments.timeout:g} s: is the worker running? It is not lost")
        return FAILED
    print(json.dumps(told(outcome), ensure_ascii=False) if arguments.json else result_of(outcome))
    return OK if outcome.outcome in WELL else FAILED


async def _original(desk: Desk, origin: str) -> _Original | str | Lost:
    found = await find(desk, origin)
    if isinstance(found, Lost):
        return found
    if found.named is None:
        return f"{origin}: there is no such dead letter: name an origin as `worker dead-letters list` does"
    if found.named.state not in {State.OPEN, State.RESOLVED}:
        return f"{origin}: it is {found.named.state} already"
    record = await desk.source.one(found.named.at)
    if isinstance(record, Lost):
        return record
    if record is None:
        return f"{origin}: the dead letter is not in its topic any more"
    return _Original(found.named, record, desk.ground)


async def _judge(desk: Desk, made: Edited) -> Prediction | Lost:
    standings = await desk.ground.standings([] if made.identity is None else [made.identity])
    if isinstance(standings, Lost):
        return standings
    return judged(made, standings.of(made.identity), desk.ground.rules(standings, made.record.partition))


def _corrected(arguments: argparse.Namespace, original: _Original) -> JsonValue | Wrong:
    if arguments.set is not None:
        return with_assignments(data_of(original.record), arguments.set)
    if arguments.file is not None:
        try:
            text = arguments.file.read_bytes()
        except OSError as error:
            return Wrong(f"--file {arguments.file}: {error.strerror}")
    else:
        edit = _in_editor(original.record)
        if isinstance(edit, Wrong):
            return edit
        text = edit
    data = loads(text)
    return Wrong(f"the corrected event: {data.message}") if isinstance(data, JsonError) else data


def _in_editor(record: Record) -> bytes | Wrong:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        return Wrong("--editor: neither VISUAL nor EDITOR names one; use --file or --set")
    data = data_of(record)
    text = (record.value or b"") if data is None else "\n".join(pretty(data, "")).encode() + b"\n"
    # Readable by nobody else, and gone afterwards: it holds what the producer wrote.
    with tempfile.TemporaryDirectory(prefix="dead-letter-") as directory:
        path = Path(directory) / "event.json"
        path.write_bytes(text)
        try:
            status = subprocess.run([*shlex.split(editor), str(path)], check=False).returncode  # noqa: S603 - as above
        except OSError as error:
            return Wrong(f"--editor: {editor}: {error.strerror}")
        return path.read_bytes() if status == 0 else Wrong(f"--editor: it ended with status {status}")


def _shown(made: Edited, prediction: Prediction, *, as_json: bool) -> Iterator[str]:
    if as_json:
        changed = None if made.differences is None else [pointer(one.path) for one in made.differences]
        problems = [{"pointer": p.pointer, "code": p.code, "message": p.message} for p in made.problems]
        yield json.dumps(
            {
                "kind": "edit",
                "identity": made.identity,
                "changed": changed,
                "problems": problems,
                "prediction": str(prediction),
            },
            ensure_ascii=False,
        )
        return
    for one in made.differences or ():
        yield safe(f"{pointer(one.path) or '(all)'}: {_value(one.before)} → {_value(one.after)}")
    if made.differences is None:
        yield "the event as a whole: the original is not JSON"
    for problem in made.problems:
        yield safe(f"{problem.pointer or 'the record'}: {problem.code}: {problem.message}")
    yield safe(f"{made.identity or '(no readable identity)'}: {prediction}")


def _value(value: JsonValue | Absent) -> str:
    return "(absent)" if isinstance(value, Absent) else dumps(value).decode()
