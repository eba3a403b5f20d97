"""`worker dead-letters resolve`."""

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.outcomes import Outcome
from worker.cli.common import FAILED, OK, REFUSED, complain, observe_parser, settings_parser
from worker.cli.dead_letters.deciding import decision_of, decision_parser, declined
from worker.cli.dead_letters.desk import Desk, Office, office
from worker.cli.dead_letters.output import safe, timestamp
from worker.cli.dead_letters.session import Status
from worker.cli.dead_letters.single import find, send_one, told, wait_parser
from worker.deadletters.board import Summary
from worker.deadletters.letters import State
from worker.deadletters.plan import Item
from worker.deadletters.run import replays
from worker.deadletters.sending import Decision, command_id, verdict
from worker.deadletters.stopping import WELL, result_of
from worker.model import OutRecord
from worker.ports import Lost, LostWhy
from worker.standing import Entry
from worker.standing import State as LedgerState

if TYPE_CHECKING:
    from worker.cli.common import Commands

_DESCRIPTION = """\
Say what became of a register call whose answer nobody knows: what you found out at Kravia. The doubt is looked up in
the ledger and shown first. The verdict sends nothing to Kravia; its event must be replayed then (--replay does it at
once).

--not-registered lets the worker bill the invoice when its event comes again: if you are wrong, it is billed twice.

exit status: 0 obeyed; 1 not obeyed, no such doubt, no outcome in time, or Kafka is away; 2 wrong usage."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    identity: str
    entry: Entry
    letter: Summary | None


def add_resolve(verbs: "Commands") -> None:
    """Add the command to the parser."""
    parser = verbs.add_parser(
        "resolve",
        parents=[settings_parser(), observe_parser(), decision_parser(), wait_parser(default=True)],
        help="say what became of a doubtful register call",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("subject", metavar="ORIGIN|IDENTITY", help="the dead letter, or the invoice's identity")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--registered", metavar="ID", help="it was carried out: Kravia has the invoice under this id")
    which.add_argument("--not-registered", action="store_true", help="it was not carried out, and never will be")
    parser.add_argument("--replay", action="store_true", help="then replay the dead letter, and wait for that, too")
    parser.set_defaults(command=_resolve)


def _resolve(arguments: argparse.Namespace) -> int:
    decision = decision_of(arguments)
    if decision is None:
        return REFUSED
    if arguments.registered is not None and not 1 <= len(arguments.registered.strip()) <= 200:
        complain("refused: --registered: Kravia's id has 1 to 200 characters")
        return REFUSED
    if arguments.replay and not arguments.wait:
        complain("refused: --replay needs the verdict's outcome: not with --no-wait")
        return REFUSED
    kafka = office(arguments)
    if isinstance(kafka, Status):
        return kafka

    async def look(desk: Desk) -> _Doubt | str | Lost:
        return await _look(desk, arguments.subject)

    doubt = kafka.look(look)
    if isinstance(doubt, Status):
        return doubt
    assert doubt.entry.doubt is not None, "an entry in doubt names it"
    _show(doubt, as_json=arguments.json)
    said = f"registered as {arguments.registered}" if arguments.registered else "NOT registered"
    if arguments.dry_run:
        complain(f"dry run: nothing was written; it would say: {said}")
        return OK
    if (status := declined(arguments, f"{doubt.identity}: {said}. Is that certain?")) is not None:
        return status
    outcome = _decide(arguments, kafka, decision, doubt, doubt.entry.doubt)
    if isinstance(outcome, Status):
        return outcome
    if not _well(arguments, outcome, "the verdict"):
        return FAILED
    if doubt.letter is None or not arguments.replay:
        origin = "ORIGIN" if doubt.letter is None else str(doubt.letter.origin)
        complain(
            f"its event is not sent by this: worker dead-letters replay --state resolved --origin {origin} --why …"
        )
        return OK
    return _replay(arguments, kafka, decision, doubt.letter, doubt.identity)


def _decide(
    arguments: argparse.Namespace, kafka: Office, decision: Decision, doubt: _Doubt, number: int
) -> Outcome | None | Status:
    origin = None if doubt.letter is None else doubt.letter.origin
    verb = "not_registered" if arguments.not_registered else "registered"
    identifier = command_id(decision.run, origin or doubt.identity, verb)

    async def send(desk: Desk) -> Outcome | None | Lost:
        record = verdict(origin, doubt.identity, number, arguments.registered, decision, desk.ground.target)
        return await send_one(desk, record, identifier, arguments.timeout if arguments.wait else None)

    return kafka.ask(send, reading=False)


def _replay(arguments: argparse.Namespace, kafka: Office, decision: Decision, letter: Summary, identity: str) -> int:
    async def send(desk: Desk) -> Outcome | None | Lost:
        record: OutRecord | None = None
        async for one in replays(desk.source, [Item(letter, identity)], decision, desk.ground.target):
            if isinstance(one, Lost):
                return one
            record = one[1]
        if record is None:
            return Lost(LostWhy.BROKEN, f"the dead letter {letter.at} is gone")
        return await send_one(desk, record, command_id(decision.run, letter.origin, "replay"), arguments.timeout)

    outcome = kafka.ask(send, reading=False)
    if isinstance(outcome, Status):
        return outcome
    return OK if _well(arguments, outcome, "the replay") else FAILED


def _well(arguments: argparse.Namespace, outcome: Outcome | None, what: str) -> bool:
    """Say what came of it; whether that is what was meant."""
    if not arguments.wait:
        return True
    if outcome is None:
        complain(f"{what} has no outcome after {arguments.timeout:g} s: is the worker running? It is not lost")
        return False
    if arguments.json:
        print(json.dumps(told(outcome), ensure_ascii=False))
    else:
        print(f"{what}: {result_of(outcome)}")
    # Of a verdict `repeated` says that it was not obeyed.
    obeyed = outcome.outcome in WELL and not (what == "the verdict" and outcome.outcome != "resolved")
    if not obeyed:
        complain(f"{what} did not do it: look at the invoice with `worker dead-letters show`")
    return obeyed


async def _look(desk: Desk, subject: str) -> _Doubt | str | Lost:
    found = await find(desk, subject)
    if isinstance(found, Lost):
        return found
    if found.identity is None:
        return f"{subject}: there is no such dead letter, or its invoice can't be read"
    standings = await desk.ground.standings([found.identity])
    if isinstance(standings, Lost):
        return standings
    standing = standings.of(found.identity)
    entry = standing.entry
    if entry is None or entry.state is not LedgerState.IN_DOUBT or entry.doubt is None:
        if standing.waits:
            return f"{found.identity}: an event of it is under way; a doubt of it is still being reconciled (/status)"
        state = "unknown to the ledger" if entry is None else entry.state.value
        return f"{found.identity}: the invoice is not in doubt, it is {state}"
    dead = [one for one in found.summaries if one.state is State.OPEN]
    letter = next((one for one in dead if one.doubt == entry.doubt and one.reason == "in_doubt"), None)
    return _Doubt(found.identity, entry, letter or found.named)


def _show(doubt: _Doubt, *, as_json: bool) -> None:
    entry, letter = doubt.entry, doubt.letter
    if as_json:
        data = {
            "kind": "doubt",
            "identity": doubt.identity,
            "doubt": entry.doubt,
            "origin": None if letter is None else str(letter.origin),
            "calls": [[timestamp(call.at), call.answer, call.owner, call.intent] for call in entry.calls],
        }
        print(json.dumps(data, ensure_ascii=False))
        return
    print(f"{safe(doubt.identity)}  doubt {entry.doubt}")
    if letter is not None:
        print(safe(f"  dead letter  {letter.origin}, failed {timestamp(letter.last_failure, 'seconds')}"))
    for call in entry.calls:
        mark = "  ← this one" if call.intent == entry.doubt else ""
        print(safe(f"  register     {timestamp(call.at, 'seconds')}  {call.answer}{mark}"))
    if entry.amount:
        print(safe(f"  amount       {entry.amount} {entry.currency or ''}"))
