"""What is to be done about an ending, by its reason: docs/reference/outcomes.md's tables, in a sentence. Pure."""

from typing import Final

from worker.inquiry.story import Turn
from worker.model import Coordinates, Reason, Refusal

_REJECTED: Final = {
    Refusal.UNDECODABLE: (Turn.PRODUCER, "Correct the producer (`worker validate` says what is wrong) and send again."),
    Refusal.VALIDATION: (
        Turn.PRODUCER,
        "Correct the event (`worker validate` says what is wrong) and send it again; nothing was registered.",
    ),
    Refusal.MISROUTED: (
        Turn.PRODUCER,
        "Set the producer's partitioner (librdkafka: partitioner=murmur2_random) and send it again.",
    ),
    Refusal.CONFLICT: (
        Turn.PRODUCER,
        "It was registered before with another content, which stands. A new invoice needs a new number.",
    ),
    Refusal.DOCUMENT: (Turn.PRODUCER, "Put the referenced document right and send the event again."),
    Refusal.REFUSED: (Turn.PRODUCER, "Correct what Kravia refused and send it again."),
}
_FAILED: Final = {
    Reason.FORBIDDEN: "Have the token's rights for this creditor put right, then replay",
    Reason.EXPIRED: "Replay, when the API is well,",
    Reason.NOT_VISIBLE: "Replay, some time later,",
    Reason.ATTACH_UNKNOWN: "Look up at Kravia which documents are attached, then replay",
    Reason.DOCUMENT_UNREACHABLE: "Replay, when the documents' store is well,",
}
_HOW: Final = "(docs/how-to/replay.md)"


def after_rejected(reason: str, *, registered: bool) -> tuple[Turn, str]:
    """Whose turn it is after this refusal, and what to do. `registered`: Kravia has the invoice all the same."""
    turn, sentence = _REJECTED.get(Refusal(reason), (Turn.PRODUCER, "Correct it and send it again."))
    if registered and reason == Refusal.REFUSED:
        sentence += " It is registered already: the new event resumes it, and only documents and message may differ."
    return turn, sentence


def after_failed(reason: str, letter: Coordinates | None) -> tuple[Turn, str]:
    """Whose turn it is after this failure, and what to do. `letter`: its dead letter."""
    what = f"the dead letter {letter}" if letter else "the event"
    action = _FAILED.get(Reason(reason), "Replay")
    return Turn.OPERATOR, f"{action} {what} on the replays topic {_HOW}."


def decide(identity: str | None, doubt: int | None) -> tuple[Turn, str]:
    """A doubt was given up."""
    return Turn.OPERATOR, (
        f"Look {identity} up at Kravia, write a verdict that names doubt {doubt} to the replays topic, then send the "
        "event again (docs/how-to/doubts.md). Don't send it under another number."
    )


def send_again(letter: Coordinates | None, *, registered: bool) -> tuple[Turn, str]:
    """A person decided; a verdict sends nothing by itself."""
    what = f"the dead letter {letter}" if letter else "the event"
    then = "it attaches and starts" if registered else "it registers"
    return Turn.OPERATOR, f"Send {what} again on the replays topic {_HOW}: {then}."
