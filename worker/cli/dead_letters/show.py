"""`worker dead-letters show`."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from schemas.jsontext import dumps
from worker.cli.common import FAILED, OK, complain, observe_parser, settings_parser
from worker.cli.dead_letters.output import safe, text, timestamp
from worker.cli.dead_letters.session import Status, ask
from worker.deadletters.history import Cases, look_up
from worker.deadletters.source import Source
from worker.deadletters.telling import told
from worker.ports import Lost

if TYPE_CHECKING:
    from worker.cli.common import Commands


def add_show(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "show",
        parents=[settings_parser(), observe_parser()],
        help="one of them: event, cause, history, register calls, edits",
        description="Show all that the topics hold of a dead letter. Personal data is masked; documents' contents and "
        "what follows the ? of a URL are never shown. Status 1 when there is no such dead letter.",
    )
    parser.add_argument(
        "subject",
        metavar="ORIGIN|IDENTITY",
        help="topic/partition/offset of the record that failed first, or of the dead letter; or the invoice's identity",
    )
    parser.add_argument("--show-personal-data", action="store_true", help="unmasked; values that are not JSON, too")
    parser.add_argument("--json", action="store_true", help="a JSON object for each origin, one on each line")
    parser.set_defaults(command=_show)


def _show(arguments: argparse.Namespace) -> int:
    async def question(source: Source) -> Cases | Lost:
        return await look_up(source, arguments.subject)

    found = ask(arguments, question)
    if isinstance(found, Status):
        return found
    for index, case in enumerate(found.cases):
        shown = told(case, show=arguments.show_personal_data)
        if arguments.json:
            print(dumps(_writable(shown)).decode())
            continue
        if index:
            print()
        for line in lines(shown):
            print(safe(line))
    if found.omitted:
        complain(f"{found.omitted} older ones of this identity are not shown: see `worker dead-letters list --invoice`")
    if not found.cases:
        complain("there is no such dead letter: name an origin or an identity as `worker dead-letters list` does")
        return FAILED
    return OK


def lines(shown: Mapping[str, Any]) -> Iterator[str]:
    """What `told` gives, for people."""
    since = f" since {timestamp(shown['stateSince'])}" if shown["stateSince"] else ""
    yield f"{shown['origin']}  {shown['identity'] or '(no readable identity)'}"
    yield f"  state        {shown['state']}{since}"
    yield f"  dead letter  {shown['deadLetter']}"
    yield "cause"
    for name, value in shown["cause"].items():
        if name == "step" and value is None:
            yield f"  {name:<13}none: no call was made"
        elif value is not None:
            yield f"  {name:<13}{text(value)}"
    yield from _event(shown["event"])
    yield "history"
    for entry in shown["history"]:
        yield from _entry(entry)
    if shown["omitted"]:
        yield f"  ({shown['omitted']} more between the first and these)"
    yield "register calls"
    for call in shown["calls"]:
        yield f"  {timestamp(call['at'])}  {call['answer']}  owner {call['owner']}  intent {call['intent']}"
    if not shown["calls"]:
        yield "  none"
    for edit in shown["edits"]:
        yield from _edit(edit)


def _event(event: Mapping[str, Any] | None) -> Iterator[str]:
    if event is None:
        yield "event"
        yield "  (its record was removed from the topic meanwhile)"
        return
    yield "headers"
    yield f"  key: {event['key']}"
    for header in event["headers"]:
        yield f"  {header['name']}: {header['value']}"
    yield "event"
    if "opaque" in event:
        opaque = event["opaque"]
        yield f"  not JSON: {opaque['why']} {opaque['bytes']} bytes, sha256 {opaque['sha256']}"
        for line in opaque.get("shown", ()):
            yield f"  {line}"
        return
    if "attributes" in event:
        yield from pretty(event["attributes"])
    yield from pretty(event["data"])


def _entry(entry: Mapping[str, Any]) -> Iterator[str]:
    ending = " ".join(text(entry[name]) for name in ("outcome", "reason", "step", "httpStatus") if entry[name])
    if entry["reason"] and not entry["step"]:
        ending += " (no call)"
    where = "".join(f"  {entry[name]}" for name in ("record", "deadLetter") if entry[name])
    yield f"  {timestamp(entry['at'])}  {ending}{where}"
    command = entry["command"]
    if command is not None:
        seen = " (seen before: no effect)" if command["seen"] else ""
        yield f"    {command['verb']} by {command['who']} at {timestamp(command['when'])}{seen}: {command['why']}"
    for error in entry["errors"]:
        yield f"    {error['pointer'] or 'the record'}: {error['code']}: {error['message']}"


def _edit(edit: Mapping[str, Any]) -> Iterator[str]:
    command = edit["command"]
    yield f"edit {command['id']} by {command['who']} at {timestamp(command['when'])}"
    if edit["changes"] is None:
        yield f"  {' '.join(command['changed'])} (before or after is gone, or is not JSON)"
        return
    for change in edit["changes"]:
        before, after = (_short(change[name]) if name in change else "(absent)" for name in ("before", "after"))
        yield f"  {change['pointer'] or '(all)'}: {before} → {after}"
    if edit["more"]:
        yield f"  ({edit['more']} more)"


def _short(value: Any) -> str:
    return dumps(value).decode()


def pretty(value: Any, indent: str = "  ", before: str = "", after: str = "") -> Iterator[str]:
    """Indented JSON, numbers digit by digit."""
    inner = indent + "  "
    match value:
        case Mapping() if value:
            yield f"{indent}{before}{{"
            last = len(value) - 1
            for index, (name, item) in enumerate(value.items()):
                yield from pretty(item, inner, f"{_short(name)}: ", "," if index < last else "")
            yield f"{indent}}}{after}"
        case list() if value:
            yield f"{indent}{before}["
            last = len(value) - 1
            for index, item in enumerate(value):
                yield from pretty(item, inner, "", "," if index < last else "")
            yield f"{indent}]{after}"
        case _:
            yield f"{indent}{before}{_short(value)}{after}"


def _writable(value: Any) -> Any:
    """The same in what JSON has; numbers of the event stay numbers, digit by digit."""
    match value:
        case datetime():
            return timestamp(value)
        case Mapping():
            return {name: _writable(item) for name, item in value.items()}
        case list() | tuple():
            return [_writable(item) for item in value]
        case _:
            return value
