"""What to do about a problem, by its code: the contract's own words, and some for what only checking finds. Pure."""

from typing import Final

from schemas.rules.suggestions import SUGGESTIONS

_SUGGESTIONS: Final = {
    "no_key": "Use the identity as the record's key: a record without one goes to any partition.",
    "bad_wrapper": "Check the event's data alone, or the record as kcat -J prints it.",
    "too_long": "Write one event on each line, and documents of less than Kafka's message size.",
    "record_too_large": "Send smaller documents, or raise max.message.bytes of the requests topic (and of the others: "
    "`worker topics check` says to what).",
    "repeated_identity": "Give a new invoice a number of its own.",
}


def suggestion(code: str) -> str | None:
    """What to do about problems of this code; None when their sentence says it all."""
    return _SUGGESTIONS.get(code) or SUGGESTIONS.get(code)
