"""What a person's decision does to the ledger. Pure.

A verdict names its doubt and is obeyed only while the ledger still holds that very doubt: what was decided about one
call must never be believed of a later one. A command id that was seen before has no effect.
"""

from dataclasses import replace
from typing import Final

from worker.model import (
    Audit,
    Call,
    Command,
    Discarded,
    Ending,
    Envelope,
    Problem,
    Refusal,
    Rejected,
    Repeated,
    Resolved,
)
from worker.standing import MAX_COMMANDS, Entry, State

DEFAULT_REPLAY_LIMIT: Final = 20
"""Records with a `replay-of` for one identity. Below `MAX_COMMANDS`: an id is not forgotten while it counts."""


def obey(entry: Entry | None, command: Command) -> tuple[Ending, Entry]:
    """How the command ends, and the identity's entry after it. The settled offset is the caller's to move."""
    before = entry or Entry()
    if command.audit.id in before.commands:
        return _seen(before, command.envelope), before
    if command.doubt is None:
        return _discard(before, command)
    if entry is None:
        return _no_such_doubt(command.doubt), before
    if entry.state is not State.IN_DOUBT or entry.doubt != command.doubt:
        ending = _no_such_doubt(command.doubt) if entry.outcome is None else Repeated(entry.outcome, entry.invoice_id)
        return ending, with_command(entry, command.audit)
    state = State.ABSENT if command.invoice_id is None else State.REGISTERED
    after = replace(
        with_command(entry, command.audit),
        state=state,
        invoice_id=command.invoice_id,
        doubt=None,
        calls=tuple(_judged(call, command) for call in entry.calls),
    )
    audit = command.audit
    return Resolved(audit.verb, audit.who, audit.why, command.doubt, command.invoice_id), after


def before_replay(entry: Entry | None, envelope: Envelope, limit: int = DEFAULT_REPLAY_LIMIT) -> Ending | None:
    """How a record that was sent again ends without being looked at, if it does.

    Its command was seen before, or its invoice was replayed so often that something replays it in a loop.
    """
    if entry is None or envelope.replay_of is None:
        return None
    if envelope.audit is not None and envelope.audit.id in entry.commands:
        return _seen(entry, envelope)
    if entry.replays >= limit:
        sentence = f"This invoice was replayed {entry.replays} times, the limit is WORKER_REPLAY_LIMIT={limit}."
        return Rejected(Refusal.CONFLICT, (Problem("", "replay_limit", sentence),), invoice_id=entry.invoice_id)
    return None


def after_replay(entry: Entry, envelope: Envelope) -> Entry:
    """The entry once a record with this envelope was settled: replays are counted, their commands remembered."""
    if envelope.replay_of is None:
        return entry
    counted = replace(entry, replays=entry.replays + 1)
    return counted if envelope.audit is None else with_command(counted, envelope.audit)


def with_command(entry: Entry, audit: Audit) -> Entry:
    """The entry with the command's id among those that were seen, the latest last."""
    if audit.id in entry.commands:
        return entry
    return replace(entry, commands=(*entry.commands, audit.id)[-MAX_COMMANDS:])


def _discard(entry: Entry, command: Command) -> tuple[Ending, Entry]:
    """Close a dead letter; `for_good` the invoice, too, unless it went out."""
    after = with_command(entry, command.audit)
    if entry.state is State.IN_DOUBT and not command.for_good:
        sentence = (
            "The invoice is in doubt: it may be registered. Resolve the doubt first, or discard the invoice for good."
        )
        return Rejected(Refusal.CONFLICT, (Problem("", "doubt_open", sentence),)), after
    if command.for_good and entry.state is not State.SCHEDULED:
        after = replace(after, state=State.DISCARDED)
    elif entry.state is State.ABSENT:
        after = replace(after, amount=None, currency=None)  # nobody waits for this money any more
    return Discarded(command.audit.who, command.audit.why), after


def _judged(call: Call, command: Command) -> Call:
    """A person's word closes the call in the evidence, too."""
    if call.intent != command.doubt:
        return call
    answer = "not_carried_out" if command.invoice_id is None else "registered"
    return replace(call, answer=f"{answer}:verdict")


def _seen(entry: Entry, envelope: Envelope) -> Ending:
    """A command that was seen before: what stands is repeated."""
    return Repeated(entry.outcome or envelope.replay_of or str(envelope.origin), entry.invoice_id, seen=True)


def _no_such_doubt(doubt: int) -> Ending:
    sentence = f"The ledger holds no doubt {doubt} of this invoice; look at its latest outcome"
    return Rejected(Refusal.CONFLICT, (Problem("/doubt", "no_such_doubt", sentence),))
