"""What the headers of a record on the replay topic say: what it replays, and who decided so. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from schemas.commands import (
    COMMAND_CHANGED,
    COMMAND_ID,
    COMMAND_VERB,
    COMMAND_WHEN,
    COMMAND_WHO,
    COMMAND_WHY,
    REPLAY_OF,
)
from worker.model import Audit, Coordinates, Problem

REPLAY, EDIT = "replay", "edit"
MAX_WORDS: Final = 1000
"""Characters of who and why, as in commands."""
_COORDINATES: Final = re.compile(r"[A-Za-z0-9._-]{1,249}/\d{1,10}/\d{1,19}", re.ASCII)


def replay_of(headers: Mapping[str, bytes], found: list[Problem]) -> str | None:
    """The coordinates of the record that this one replays; what is wrong with the header goes into `found`."""
    value = headers.get(REPLAY_OF)
    if value is None:
        return None
    text = value.decode("latin-1")
    if _COORDINATES.fullmatch(text):
        return text
    found.append(Problem("", "bad_replay_of", "The header replay-of must be topic/partition/offset."))
    return None


def coordinates(text: str) -> Coordinates:
    """The coordinates in a checked `topic/partition/offset`."""
    topic, partition, offset = text.rsplit("/", 2)
    return Coordinates(topic, int(partition), int(offset))


def audit(headers: Mapping[str, bytes], found: list[Problem]) -> Audit | None:
    """Who sent this record again and why; None where no header says so, as on one that was written by hand."""
    if COMMAND_ID not in headers:
        return None
    texts = {name: headers.get(name, b"").decode("utf-8", "replace") for name in _REQUIRED}
    when = _time(texts[COMMAND_WHEN])
    legal = all(text.strip() and len(text) <= MAX_WORDS for text in texts.values())
    if not legal or when is None or texts[COMMAND_VERB] not in {REPLAY, EDIT}:
        found.append(
            Problem(
                "",
                "bad_command",
                f"With the header {COMMAND_ID}, {COMMAND_VERB} (replay or edit), {COMMAND_WHO}, {COMMAND_WHEN} "
                f"(RFC 3339) and {COMMAND_WHY} must be there, of at most {MAX_WORDS} characters each.",
            )
        )
        return None
    changed = headers.get(COMMAND_CHANGED, b"").decode("utf-8", "replace")
    return Audit(
        texts[COMMAND_ID],
        texts[COMMAND_VERB],
        texts[COMMAND_WHO],
        when,
        texts[COMMAND_WHY],
        tuple(changed.split()),
    )


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


_REQUIRED: Final = (COMMAND_ID, COMMAND_VERB, COMMAND_WHO, COMMAND_WHEN, COMMAND_WHY)
