"""What stands beside a committed offset, and what is missed when a ledger or a journal has forgotten something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes_core import TOPICS
from worker.facts import UnreadableRecordError
from worker.ownership.mark import Mark, decode_mark, encode_mark, forgotten, ledger_id, marks
from worker.ports import Committed
from worker.standing import PARTITIONER, Header

HEADER = Header("group", TOPICS, 1, PARTITIONER, bytes(32))
OTHER = Header("group", TOPICS, 1, PARTITIONER, bytes(31) + b"1")
MARK = Mark(ledger_id(HEADER), 10, 20)


@given(st.builds(Mark, st.text(max_size=40), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)))
def test_it_is_read_as_it_was_written(mark: Mark) -> None:
    assert decode_mark(encode_mark(mark)) == mark


def test_a_broker_takes_the_longest() -> None:
    assert len(encode_mark(Mark(ledger_id(HEADER), 2**63 - 1, 2**63 - 1))) < 200


def test_the_id_gives_nothing_of_the_digest_key_away() -> None:
    header = Header("group", TOPICS, 1, PARTITIONER, bytes(range(32)))
    assert ledger_id(header) not in header.digest_key.hex()
    assert ledger_id(header) != ledger_id(HEADER)


@pytest.mark.parametrize("text", ["", "set by hand", "7", "[]", "{}", '{"v":9}', '{"note":"ledger"}', "NoTimestamp"])
def test_what_other_tools_write_is_none(text: str) -> None:
    assert decode_mark(text) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"v":2,"ledger":"a"}', "run the newer worker"),
        ('{"ledger":"a"}', "has no version"),
        ('{"v":1,"ledger":"a","ledgerEnd":1}', "journalEnd"),
        ('{"v":1,"ledger":"a","ledgerEnd":"far","journalEnd":2}', "garbles"),
    ],
)
def test_what_can_not_be_read_is_named(text: str, says: str) -> None:
    with pytest.raises(UnreadableRecordError, match=says):
        decode_mark(text)


def test_each_input_may_have_one() -> None:
    committed = {"requests": Committed(3, encode_mark(MARK)), "replays": Committed(4), "other": None}
    assert marks(committed) == [MARK]


@pytest.mark.parametrize(
    ("header", "ledger_end", "journal_end", "lacks"),
    [
        (HEADER, 10, 20, []),
        (HEADER, 11, 25, []),
        (HEADER, 9, 20, ["invoice.ledger ends at 9, and reached 10"]),
        (HEADER, 10, 19, ["invoice.journal ends at 19, and reached 20"]),
        (None, 10, 20, ["invoice.ledger has no header"]),
        (
            OTHER,
            10,
            20,
            [f"invoice.ledger is another ledger (its id is {ledger_id(OTHER)}, not {ledger_id(HEADER)})"],
        ),
        (
            None,
            0,
            0,
            [
                "invoice.ledger has no header",
                "invoice.ledger ends at 0, and reached 10",
                "invoice.journal ends at 0, and reached 20",
            ],
        ),
    ],
)
def test_what_is_missing_is_named(header: Header | None, ledger_end: int, journal_end: int, lacks: list[str]) -> None:
    assert forgotten([MARK, MARK], TOPICS, header, ledger_end, journal_end) == lacks
    assert forgotten([], TOPICS, header, ledger_end, journal_end) == []


def test_the_furthest_of_both_inputs_counts() -> None:
    later = Mark(MARK.ledger, 12, 20)
    assert forgotten([MARK, later], TOPICS, HEADER, 11, 20) == ["invoice.ledger ends at 11, and reached 12"]
