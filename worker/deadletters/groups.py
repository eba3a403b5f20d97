"""Dead letters by cause: how many, since when, how much money, and what to do. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from worker.deadletters.board import Summary
from worker.model import Coordinates

ADVICE: Final[Mapping[str, str]] = {
    "undecodable": "correct the producer, then edit and send again, or discard",
    "validation": "correct the producer; edit and send again",
    "misrouted": "set the producer's partitioner (murmur2); send again, to the partition that the message names",
    "conflict": "the number is taken by another body: discard, and bill under a new number",
    "document": "put the document right, or name another: edit and send again",
    "refused": "read what Kravia refused; edit and send again",
    "in_doubt": "look the invoice up at Kravia, write a verdict, then send again; never under another number",
    "blocked": "decide on the earlier event of this invoice first, then send again",
    "forbidden": "have the token's rights for this creditor put right, then send again",
    "expired": "send again when the API is well",
    "not_visible": "send again later",
    "attach_unknown": "look at Kravia which documents are there, then send again",
    "document_unreachable": "send again when the documents' store is well",
}
"""What to do, by the outcome's reason."""
UNKNOWN_REASON: Final = "this version does not know this reason: use the release of the worker that wrote it"


@dataclass(slots=True)
class Group:
    """Dead letters of one cause. `first`, `last`: when any of them failed first and last, aware UTC."""

    fingerprint: str
    outcome: str
    reason: str
    step: str | None
    http_status: int | None
    first: datetime
    last: datetime
    example: Summary
    """The latest of them."""
    count: int = 0
    amounts: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    """Sums by currency; of dead letters whose amount and currency are legal by themselves."""
    unknown: int = 0
    """How many have no such amount."""

    @property
    def message(self) -> str:
        """What the latest of them says."""
        return self.example.message

    @property
    def origin(self) -> Coordinates:
        """Of the latest of them."""
        return self.example.origin

    @property
    def advice(self) -> str:
        """What to do."""
        return ADVICE.get(self.reason, UNKNOWN_REASON)


def grouped(summaries: Iterable[Summary]) -> list[Group]:
    """Groups by fingerprint, the largest first; the summaries must have been read with their amounts."""
    groups: dict[str, Group] = {}
    for one in summaries:
        group = groups.get(one.fingerprint)
        if group is None:
            group = groups[one.fingerprint] = Group(
                one.fingerprint,
                one.outcome,
                one.reason,
                one.step,
                one.http_status,
                one.first_failure,
                one.last_failure,
                one,
            )
        group.count += 1
        group.first = min(group.first, one.first_failure)
        if one.last_failure > group.last:
            group.last, group.example = one.last_failure, one
        if one.amount is None or one.currency is None:
            group.unknown += 1
        else:
            group.amounts[one.currency] += one.amount
    return sorted(groups.values(), key=lambda group: (-group.count, group.fingerprint))
