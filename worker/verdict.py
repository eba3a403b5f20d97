"""What a person's decision does to the ledger. Pure.

A verdict names its doubt and is obeyed only while the ledger still holds that very doubt: what was decided about one
call must never be believed of a later one. A command id that was seen before has no effect.
"""

from dataclasses import replace

from worker.model import Call, Command, Ending, Problem, Refusal, Rejected, Repeated, Resolved
from worker.standing import MAX_COMMANDS, Entry, State


def obey(entry: Entry | None, command: Command) -> tuple[Ending, Entry]:
    """How the command ends, and the identity's entry after it. The settled offset is the caller's to move."""
    if entry is None:
        return _refused(command), Entry()
    if command.id in entry.commands:
        return _repeated(entry, command), entry
    known = replace(entry, commands=(*entry.commands, command.id)[-MAX_COMMANDS:])
    if entry.state is not State.IN_DOUBT or entry.doubt != command.doubt:
        return _repeated(entry, command), known
    state = State.ABSENT if command.invoice_id is None else State.REGISTERED
    after = replace(
        known,
        state=state,
        invoice_id=command.invoice_id,
        doubt=None,
        calls=tuple(_judged(call, command) for call in entry.calls),
    )
    return Resolved(command.verb, command.who, command.why, command.doubt, command.invoice_id), after


def _judged(call: Call, command: Command) -> Call:
    """A person's word closes the call in the evidence, too."""
    if call.intent != command.doubt:
        return call
    answer = "not_carried_out" if command.invoice_id is None else "registered"
    return replace(call, answer=f"{answer}:verdict")


def _repeated(entry: Entry, command: Command) -> Ending:
    if entry.outcome is None:
        return _refused(command)
    return Repeated(entry.outcome, entry.invoice_id)


def _refused(command: Command) -> Ending:
    sentence = f"The ledger holds no doubt {command.doubt} of this invoice; look at its latest outcome"
    return Rejected(Refusal.CONFLICT, (Problem("/doubt", "no_such_doubt", sentence),))
