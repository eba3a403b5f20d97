"""What the doctor says of a ledger and a journal that hold less than the group's offsets were settled with."""

from typing import Any

from tests.unit.fakes_core import TOPICS
from worker.doctor.findings import Finding, Level
from worker.doctor.ledger import memory_findings
from worker.model import Partition
from worker.ownership.mark import Mark, encode_mark, ledger_id
from worker.ports import Committed
from worker.standing import PARTITIONER, Header

HEADER = Header("group", TOPICS, 2, PARTITIONER, bytes(32))
MARK = encode_mark(Mark(ledger_id(HEADER), 10, 20))


def findings(
    *metadata: str | None, headers: tuple[Header | None, ...] = (HEADER, HEADER), ends: tuple[int, int] = (10, 20)
) -> list[Finding]:
    """Of two partitions; `metadata`: of each one's offset of the requests, None for no offset."""
    committed = {
        Partition(TOPICS.requests, number): None if text is None else Committed(3, text)
        for number, text in enumerate(metadata)
    }
    committed |= {Partition(TOPICS.replays, number): None for number in range(2)}
    logs: dict[Any, int] = {}
    for number in range(2):
        logs |= {Partition(TOPICS.ledger, number): ends[0], Partition(TOPICS.journal, number): ends[1]}
    return list(memory_findings(TOPICS, "group", list(headers), committed, logs))


def test_whole() -> None:
    [finding] = findings(MARK, None)
    assert (finding.level, finding.what) == (Level.OK, "memory")
    assert "1 of 2 partitions" in finding.detail


def test_each_partition_that_lost_something_is_named() -> None:
    first, second = findings(MARK, MARK, ends=(9, 20))
    assert [found.what for found in (first, second)] == ["invoice.ledger/0", "invoice.ledger/1"]
    assert first.level is Level.FAIL
    assert "invoice.ledger ends at 9, and reached 10" in first.detail
    assert "docs/how-to/restore.md" in first.remedy


def test_offsets_of_a_newer_worker() -> None:
    finding, whole = findings('{"v":2,"ledger":"a"}', MARK)
    assert finding.level is Level.FAIL
    assert "version 2" in finding.detail
    assert whole.level is Level.OK


def test_offsets_without_a_word_and_without_a_ledger_may_be_anothers() -> None:
    [finding] = findings("", "", headers=(None, None), ends=(0, 0))
    assert finding.level is Level.WARN
    assert "2 partitions" in finding.detail


def test_nothing_is_said_before_anything_was_settled() -> None:
    assert findings(None, None, headers=(None, None), ends=(0, 0)) == []
