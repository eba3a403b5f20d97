"""What is committed beside an input's offset: which ledger it was settled in, and how far ledger and journal reached.

A ledger or journal that was emptied, exchanged or restored from an older copy has forgotten what the offsets say is
settled: whoever took it for whole would bill that again. The group's offsets live elsewhere, so they can tell. Pure.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from worker.facts import UnreadableRecordError, versioned
from worker.model import TopicNames
from worker.ports import Committed
from worker.standing import Header

VERSION = 1
_WHAT = "a committed offset's metadata"
_LEDGER = "ledger"


@dataclass(frozen=True, slots=True)
class Mark:
    """`ledger`: the ledger's id; the others: one past the last record that was known to be there."""

    ledger: str
    ledger_end: int
    journal_end: int


def ledger_id(header: Header) -> str:
    """What names a ledger partition: SHA-256 of its digest key, first 8 bytes, hex."""
    return hashlib.sha256(header.digest_key).hexdigest()[:16]


def encode_mark(mark: Mark) -> str:
    """The offset's metadata, far below the 4,096 characters that a broker takes (`offset.metadata.max.bytes`)."""
    data = {"v": VERSION, _LEDGER: mark.ledger, "ledgerEnd": mark.ledger_end, "journalEnd": mark.journal_end}
    return json.dumps(data, separators=(",", ":"))


def decode_mark(metadata: str) -> Mark | None:
    """The mark; None where there is none: earlier versions, kafka-consumer-groups.sh and other tools write none.

    Raises UnreadableRecordError for one of a newer version, or a garbled one.
    """
    try:
        found = json.loads(metadata)
    except ValueError:
        return None
    if not isinstance(found, dict) or _LEDGER not in found:
        return None
    data = versioned(metadata.encode(), _WHAT, VERSION)
    try:
        return Mark(str(data[_LEDGER]), int(data["ledgerEnd"]), int(data["journalEnd"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableRecordError(f"{_WHAT} lacks or garbles a field: {error!r}") from error


def marks(committed: Mapping[str, Committed | None]) -> list[Mark]:
    """The marks of a partition's inputs. Raises UnreadableRecordError."""
    found = (decode_mark(known.metadata) for known in committed.values() if known is not None)
    return [mark for mark in found if mark is not None]


def forgotten(
    known: Iterable[Mark], topics: TopicNames, header: Header | None, ledger_end: int, journal_end: int
) -> list[str]:
    """What ledger and journal of a partition lack of what the marks say, a sentence each; empty when they are whole.

    `header`: the ledger's, None where none is seen, which is not judged (`headless`); the ends: one past the last
    record of each.
    """
    lacks: dict[str, None] = {}
    for mark in known:
        if header is not None and ledger_id(header) != mark.ledger:
            lacks[f"{topics.ledger} is another ledger (its id is {ledger_id(header)}, not {mark.ledger})"] = None
        if ledger_end < mark.ledger_end:
            lacks[f"{topics.ledger} ends at {ledger_end}, and reached {mark.ledger_end}"] = None
        if journal_end < mark.journal_end:
            lacks[f"{topics.journal} ends at {journal_end}, and reached {mark.journal_end}"] = None
    return list(lacks)


def headless(known: Sequence[Mark], topics: TopicNames, header: Header | None) -> list[str]:
    """What `forgotten` does not say: that there were offsets, and no header.

    Only for whoever has fenced the former owner: before, its transaction may be committed in the group and not yet in
    the ledger, since each partition has a marker of its own.
    """
    return [f"{topics.ledger} has no header"] if header is None and known else []
