"""The dead letter of an event that did not end well: its record untouched, and the cause behind it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letters import MAX_HEADER, DeadLetterHeaders, read_headers
from tests.unit.fakes_receipts import (
    DESK,
    DISCARDED,
    ENVELOPE,
    FAILED,
    IDENTITY,
    IN_DOUBT,
    NOW,
    ORIGIN,
    RECORD,
    REFUSED,
    REJECTED,
    REPEATED,
    RESOLVED,
    SCHEDULED,
    receipt,
)
from worker.model import History, Problem, Reason, Record, Step
from worker.receipt_headers import fingerprint
from worker.receipts import Receipt, dead_letter_record, receipt_id


def cause(ending, record=RECORD, **more):
    letter = dead_letter_record(receipt(ending, **more), record, DESK)
    result = read_headers(letter.headers)
    assert isinstance(result, DeadLetterHeaders), result
    return result


class TestDeadLetter:
    @pytest.mark.parametrize("ending", [SCHEDULED, REPEATED, DISCARDED, RESOLVED], ids=lambda e: type(e).__name__)
    def test_none_for_what_did_not_go_wrong(self, ending):
        assert dead_letter_record(receipt(ending), RECORD, DESK) is None

    @pytest.mark.parametrize("ending", [REJECTED, REFUSED, FAILED, IN_DOUBT])
    def test_the_record_is_untouched_and_the_cause_is_behind_it(self, ending):
        letter = dead_letter_record(receipt(ending), RECORD, DESK)
        assert (letter.topic, letter.partition) == ("invoice.dead-letters", 11 % 3)
        assert (letter.key, letter.value, letter.headers[:3]) == (RECORD.key, RECORD.value, RECORD.headers)
        assert len(letter.headers) > 3

    def test_a_tombstone_without_a_key_stays_one(self):
        letter = dead_letter_record(receipt(REJECTED), replace(RECORD, key=None, value=None), DESK)
        assert (letter.key, letter.value) == (None, None)

    def test_the_cause(self):
        got = cause(FAILED)
        assert (got.topic, got.partition, got.offset, got.group) == ("invoice.requests", 11, 7, "invoice worker")
        assert (got.outcome, got.reason, got.step, got.http_status) == ("failed", "expired", "attach", 503)
        assert (got.invoice_id, got.attempts, got.delivery_count, got.replay_count) == ("4711", 5, 5, 0)
        assert (got.identity, got.outcome_id, got.worker_version) == (IDENTITY, receipt_id(ORIGIN), "0.1.0")
        assert (got.first_failure, got.last_failure) == (NOW, NOW)
        assert cause(IN_DOUBT).doubt == 1041

    def test_failures_have_their_times(self):
        history = History(3, NOW - timedelta(minutes=5), NOW - timedelta(seconds=1))
        got = cause(FAILED, history=history)
        assert (got.first_failure, got.last_failure) == (history.first_failure, history.last_failure)

    def test_the_headers_are_kip_1191s_and_ours(self):
        names = {name for name, _ in dead_letter_record(receipt(FAILED), RECORD, DESK).headers} - {"a", "b"}
        kip = {"topic", "partition", "offset", "group", "delivery.count", "message"}
        assert {n for n in names if n.startswith("__dlq.errors.")} == {f"__dlq.errors.{k}" for k in kip}
        assert all(n.startswith(("__dlq.errors.", "kravia.dlq.")) for n in names)

    def test_a_replay_that_fails_again_keeps_where_it_began_and_gets_the_new_cause(self):
        first = dead_letter_record(receipt(FAILED), RECORD, DESK)
        again = Record("invoice.replays", 2, 90, 0, RECORD.key, RECORD.value, first.headers)
        envelope = replace(ENVELOPE, origin=again.coordinates, replay_of=str(ORIGIN))
        later = Receipt(envelope, IDENTITY, REFUSED, History(1), NOW + timedelta(days=1), NOW)
        letter = dead_letter_record(later, again, DESK)
        got = read_headers(letter.headers)
        assert (got.topic, got.partition, got.offset) == ORIGIN
        assert (got.first_failure, got.last_failure) == (NOW, NOW + timedelta(days=1))
        assert (got.reason, got.http_status, got.replay_count) == ("refused", 422, 1)
        assert got.outcome_id == receipt_id(again.coordinates)
        assert got.invoice_id is None
        names = [name for name, _ in letter.headers]
        assert len(names) == len(set(names)) + 1  # `a` came twice and still does
        assert letter.headers[:3] == RECORD.headers

    def test_a_replay_without_earlier_headers_is_told_by_what_it_replays(self):
        got = cause(FAILED, envelope=replace(ENVELOPE, replay_of="invoice.requests/2/5"))
        assert (got.topic, got.partition, got.offset, got.replay_count) == ("invoice.requests", 2, 5, 1)

    def test_headers_that_a_producer_made_up_stay_and_do_not_count(self):
        forged = (("__dlq.errors.topic", b"elsewhere"), ("kravia.dlq.replay-count", b"99"))
        letter = dead_letter_record(receipt(FAILED), replace(RECORD, headers=forged), DESK)
        assert letter.headers[:2] == forged
        got = read_headers(letter.headers)
        assert (got.topic, got.replay_count) == ("invoice.requests", 0)

    @pytest.mark.parametrize("reason", list(Reason))
    def test_every_reason_has_a_sentence_that_says_what_to_do(self, reason):
        begin = "No call was made: " if reason is Reason.BLOCKED else "At attach: "
        assert cause(replace(FAILED, reason=reason)).message.startswith(begin)

    def test_messages_of_rejections(self):
        assert cause(REFUSED).message == "Kravia refused register with status 422."
        assert cause(replace(REJECTED, problems=REJECTED.problems[:1])).message == "/invoice/orderLines/3/total: No."
        assert cause(REJECTED).message == (
            "Rejected (validation) for 2 problems: /invoice/orderLines/3/total wrong_type, /invoice/x unknown_field."
        )
        many = replace(REJECTED, problems=tuple(Problem(f"/{'å' * 300}{i}", "c", "No.") for i in range(100)))
        letter = dead_letter_record(receipt(many), RECORD, DESK)
        assert all(len(value) <= MAX_HEADER for _, value in letter.headers)
        assert cause(many).message.endswith("...")

    def test_a_newer_version_is_refused_by_name(self):
        letter = dead_letter_record(receipt(FAILED), RECORD, DESK)
        newer = [(n, b"2" if n == "kravia.dlq.version" else v) for n, v in letter.headers]
        assert [v.pointer for v in read_headers(newer)] == ["/kravia.dlq.version"]

    @given(st.lists(st.tuples(st.text(max_size=5) | st.sampled_from(["__dlq.errors.offset"]), st.binary(max_size=9))))
    def test_whatever_headers_a_record_has_its_dead_letter_can_be_read(self, more):
        for envelope in (ENVELOPE, replace(ENVELOPE, replay_of="invoice.requests/2/5")):
            letter = dead_letter_record(receipt(FAILED, envelope), replace(RECORD, headers=tuple(more)), DESK)
            assert isinstance(read_headers(letter.headers), DeadLetterHeaders)


class TestFingerprint:
    def test_the_same_cause_elsewhere_in_a_list_has_the_same(self):
        other = replace(
            REJECTED, problems=(REJECTED.problems[1], Problem("/invoice/orderLines/0/total", "wrong_type", ""))
        )
        assert fingerprint(other) == fingerprint(REJECTED)

    def test_different_causes_differ(self):
        causes = [
            REJECTED,
            REFUSED,
            replace(REFUSED, http_status=400),
            replace(REJECTED, problems=REJECTED.problems[:1]),
            FAILED,
            IN_DOUBT,
            replace(FAILED, step=Step.START),
            replace(FAILED, http_status=500),
        ]
        assert len({fingerprint(c) for c in causes}) == len(causes)

    def test_the_invoice_and_the_number_of_tries_make_no_difference(self):
        assert fingerprint(replace(FAILED, attempts=9, invoice_id="1")) == fingerprint(FAILED)


def test_the_published_example_is_what_the_worker_writes():
    path = Path(__file__).parents[2] / "schemas" / "examples" / "dead-letter-headers.json"
    example = DeadLetterHeaders.model_validate_json(path.read_bytes())
    assert read_headers(example.to_headers()) == example
