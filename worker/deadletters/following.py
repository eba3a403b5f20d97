"""Waiting for the outcome of one command."""

from schemas.outcomes import OUTCOME, Outcome
from worker.deadletters.outbox import Followed
from worker.ports import Clock, Lost

_POLL = 0.2


async def outcome_of(followed: Followed, clock: Clock, command: str, timeout: float) -> Outcome | None | Lost:
    """The outcome that tells of this command's id; None: none came within `timeout` seconds.

    `followed` was started before the command was sent.
    """
    wanted = command.encode()
    deadline = clock.monotonic() + timeout
    while clock.monotonic() < deadline:
        records = await followed.poll(_POLL)
        if isinstance(records, Lost):
            return records
        for record in records:
            if record.value is None or wanted not in record.value:
                continue
            try:
                outcome = OUTCOME.validate_json(record.value)
            except ValueError:
                continue  # of a newer version
            if outcome.command is not None and outcome.command.id == command:
                return outcome
    return None
