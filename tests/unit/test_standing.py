"""The ledger's records."""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.facts import UnreadableRecordError
from worker.model import Call, TopicNames
from worker.standing import (
    MAX_CALLS,
    Entry,
    Header,
    State,
    decode_entry,
    decode_header,
    differing,
    digests,
    encode_entry,
    encode_header,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INPUTS = TopicNames().inputs
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
OFFSET = st.integers(-1, 2**62)
CALLS = st.builds(Call, st.datetimes(timezones=st.just(UTC)), TEXT, TEXT, st.integers(0, 2**62))
ENTRIES = st.builds(
    Entry,
    state=st.sampled_from(State),
    settled=st.tuples(OFFSET, OFFSET),
    invoice_id=st.none() | TEXT,
    doubt=st.none() | st.integers(0, 2**62),
    digests=st.dictionaries(TEXT, TEXT, max_size=4),
    attached=st.lists(TEXT, max_size=3).map(tuple),
    amount=st.none() | TEXT,
    currency=st.none() | TEXT,
    outcome=st.none() | TEXT,
    calls=st.lists(CALLS, max_size=MAX_CALLS).map(tuple),
    folded=st.dictionaries(TEXT, st.integers(1, 99), max_size=3),
    replays=st.integers(0, 9),
    commands=st.lists(TEXT, max_size=3).map(tuple),
)
HEADER = Header("group", TopicNames(), 12, "murmur2", bytes(range(32)))


def calls(answers):
    return [Call(NOW, answer, "me", number) for number, answer in enumerate(answers)]


class TestEntry:
    @given(ENTRIES)
    def test_what_is_written_is_read(self, entry):
        assert decode_entry(encode_entry(entry)) == entry

    def test_the_doubt_at_offset_zero_is_kept(self):
        assert decode_entry(encode_entry(Entry(State.IN_DOUBT, doubt=0))).doubt == 0

    def test_a_bare_entry_is_short(self):
        assert json.loads(encode_entry(Entry())) == {"v": 1, "state": "absent", "settled": [-1, -1]}

    def test_a_newer_version_is_refused_by_name(self):
        with pytest.raises(UnreadableRecordError, match="ledger record has version 7, this worker reads up to 1"):
            decode_entry(b'{"v":7}')

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"null",
            b'{"v":1}',
            b'{"v":1,"state":"happy","settled":[0,0]}',
            b'{"v":1,"state":"absent","settled":[0]}',
            b'{"v":1,"state":"absent","settled":[0,0],"calls":[[1]]}',
        ],
    )
    def test_what_cannot_be_read_is_refused(self, value):
        with pytest.raises(UnreadableRecordError, match="ledger record"):
            decode_entry(value)

    @given(st.lists(st.sampled_from(["registered", "unclear:timeout", "not_carried_out:connect"]), max_size=60))
    def test_no_call_is_ever_lost_from_the_count(self, answers):
        entry = Entry()
        for call in calls(answers):
            entry = entry.with_calls([call])
        assert len(entry.calls) <= MAX_CALLS
        assert [call.intent for call in entry.calls] == list(range(len(answers)))[-MAX_CALLS:]
        counted = dict(entry.folded)
        for call in entry.calls:
            counted[call.answer] = counted.get(call.answer, 0) + 1
        assert counted == {answer: answers.count(answer) for answer in set(answers)}

    @given(st.lists(st.tuples(st.sampled_from(INPUTS), st.integers(0, 100)), max_size=20))
    def test_the_settled_offset_only_moves_up_each_input_by_itself(self, moves):
        entry = Entry()
        for topic, offset in moves:
            entry = entry.with_settled(INPUTS, topic, offset)
        assert entry.settled == tuple(
            max((offset for topic, offset in moves if topic == name), default=-1) for name in INPUTS
        )


class TestHeader:
    def test_what_is_written_is_read(self):
        assert decode_header(encode_header(HEADER)) == HEADER

    def test_the_same_configuration_agrees(self):
        assert HEADER.differences("group", TopicNames(), 12) == []

    def test_every_difference_is_named_with_both_values(self):
        found = HEADER.differences("other", TopicNames(outcomes="o"), 6)
        assert len(found) == 3
        assert "consumer group (KAFKA_GROUP_ID): the ledger says 'group', this worker 'other'" in found
        assert "topic TOPIC_OUTCOMES: the ledger says 'invoice.outcomes', this worker 'o'" in found
        assert "partition count: the ledger says '12', this worker '6'" in found

    def test_another_partitioner_is_a_difference(self):
        assert Header("group", TopicNames(), 12, "crc32", b"").differences("group", TopicNames(), 12) == [
            "partitioner: the ledger says 'crc32', this worker 'murmur2'"
        ]

    def test_a_newer_version_is_refused_by_name(self):
        with pytest.raises(UnreadableRecordError, match="ledger header record has version 2"):
            decode_header(b'{"v":2}')

    @pytest.mark.parametrize("change", [{"topics": {"new": "x"}}, {"digestKey": "xyz"}, {"group": None}])
    def test_what_cannot_be_read_is_refused(self, change):
        data = json.loads(encode_header(HEADER)) | change
        if data["group"] is None:
            del data["group"]
        with pytest.raises(UnreadableRecordError, match="ledger header"):
            decode_header(json.dumps(data).encode())


class TestDigests:
    def test_known_bytes(self):
        wanted = hmac.new(bytes(32), b"NOK", hashlib.sha256).hexdigest()[:16]
        assert digests(bytes(32), {"currencyCode": "NOK"}) == {"currencyCode": wanted}

    def test_another_key_gives_other_digests(self):
        assert digests(bytes(32), {"a": "x"}) != digests(b"k" * 32, {"a": "x"})

    @given(st.dictionaries(TEXT, TEXT, max_size=5), st.dictionaries(TEXT, TEXT, max_size=5))
    def test_the_fields_that_differ_are_named(self, one, other):
        key = b"k" * 32
        names = {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}
        assert differing(digests(key, one), digests(key, other)) == sorted(names)
