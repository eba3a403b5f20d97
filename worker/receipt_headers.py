"""What a dead letter says of its cause: one sentence for people, one fingerprint to group by. Pure."""

import hashlib
import re
from typing import Final, assert_never

from worker.model import Failed, Reason, Rejected

_INDEX: Final = re.compile(r"/\d+(?=/|$)")
_SHOWN: Final = 5
_SENTENCES: Final = {
    Reason.IN_DOUBT: "whether Kravia carried the call out is not known; a person must look it up and decide.",
    Reason.BLOCKED: "an earlier event of this invoice waits for a person's decision; decide on that one first.",
    Reason.FORBIDDEN: "Kravia does not let this token bill for this creditor; have the rights put right, then replay.",
    Reason.EXPIRED: "attempts or time ran out before Kravia took the call; replay it when the API is well.",
    Reason.NOT_VISIBLE: "Kravia registered the invoice and then did not find it; replay it later.",
    Reason.ATTACH_UNKNOWN: "whether a document is attached is not known; a person must look it up and decide.",
    Reason.DOCUMENT_UNREACHABLE: "a referenced document's store did not answer; replay it when the store is well.",
}


def fingerprint(ending: Rejected | Failed) -> str:
    """16 hex digits, equal for endings with the same cause: places in lists and values make no difference."""
    match ending:
        case Rejected(reason, problems, step, status):
            parts = ["rejected", reason, step or "", str(status or "")]
            parts += sorted({f"{_INDEX.sub('/*', p.pointer)} {p.code}" for p in problems})
        case Failed(step, reason, _, status):
            parts = ["failed", reason, step, str(status or ""), ending.last_class or ""]
        case _:
            assert_never(ending)
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def message(ending: Rejected | Failed) -> str:
    """One sentence: what, where, and what to do. It holds no value of the event."""
    match ending:
        case Rejected(reason, (), step, status):
            return f"Kravia refused {step or 'it'} with status {status}." if status else f"Rejected: {reason}."
        case Rejected(_, (only,)):
            return f"{only.pointer or 'The record'}: {only.message}"
        case Rejected(reason, problems):
            shown = ", ".join(f"{p.pointer or 'the record'} {p.code}" for p in problems[:_SHOWN])
            more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
            return f"Rejected ({reason}) for {len(problems)} problems: {shown}{more}."
        case Failed(_, Reason.BLOCKED):
            return f"No call was made: {_SENTENCES[Reason.BLOCKED]}"
        case Failed(step, reason):
            return f"At {step}: {_SENTENCES[reason]}"
        case _:
            assert_never(ending)
