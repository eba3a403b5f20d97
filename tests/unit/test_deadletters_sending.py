"""Records on the replay topic: what is untouched, what says who decided, and that the worker reads them as meant."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.commands import COMMAND_HEADERS, REPLAY_OF
from schemas.dead_letters import NAMES, DeadLetterHeaders
from schemas.identity import identity, partition_for
from tests.unit.fakes_core import DESK, TOPICS, make_record
from worker.deadletters.changes import with_value
from worker.deadletters.differences import differences, pointer
from worker.deadletters.letters import DeadLetter, read
from worker.deadletters.payload import payload_of
from worker.deadletters.sending import (
    Decision,
    Letter,
    Target,
    as_replay,
    command_id,
    corrected,
    discard,
    edit,
    replay,
    verdict,
)
from worker.decode import decode
from worker.model import Command, Coordinates, Event, Failed, History, Invalid, Reason, Record, Refusal, Rejected, Step
from worker.receipts import Receipt, dead_letter_record

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PARTITIONS = 8
TARGET = Target(TOPICS.replays, PARTITIONS)
DECISION = Decision("calm-otter", "kari", NOW, "the API is well again")
IDENTITY = identity(10759, "Invoice", "20001")
RIGHT = partition_for(IDENTITY.encode(), PARTITIONS)
OWN = (
    ("ce_specversion", b"1.0"),
    ("ce_id", b"e-1"),
    ("ce_source", b"/erp"),
    ("ce_type", b"kravia.invoice.requested.v1"),
)
REFUSED = Rejected(Refusal.REFUSED, step=Step.REGISTER, http_status=422)


def dead(record, ending=REFUSED, **more):
    """The dead letter that the worker makes of a record that ended so, as it is read again."""
    decoded = decode(record, partition_count=PARTITIONS, commands=record.topic == TOPICS.replays)
    if isinstance(decoded, Invalid):
        ending = Rejected(decoded.reason, decoded.problems)
    receipt = Receipt(decoded.envelope, decoded.identity, ending, History(**more), NOW, NOW)
    made = dead_letter_record(receipt, record, DESK)
    letter = read(Record(made.topic, made.partition, 7, 0, made.key, made.value, made.headers))
    assert isinstance(letter, DeadLetter), letter
    return letter


def letter_of(letter):
    return Letter(letter.record, letter.origin, letter.cause.reason == "misrouted")


def original(**changes):
    return replace(make_record(3, headers=OWN), partition=RIGHT, **changes)


def test_a_replay_leaves_the_record_as_it_was_and_says_who_sent_it():
    record = original()
    sent = replay(letter_of(dead(record)), DECISION, TARGET)
    assert (sent.topic, sent.partition, sent.key, sent.value) == (TOPICS.replays, RIGHT, record.key, record.value)
    own = [(name, value) for name, value in sent.headers if name not in {*NAMES, REPLAY_OF, *COMMAND_HEADERS}]
    assert tuple(own) == OWN
    event = decode(as_replay(sent), partition_count=PARTITIONS, commands=True)
    assert isinstance(event, Event)
    audit = event.envelope.audit
    assert event.envelope.replay_of == str(record.coordinates)
    assert (audit.id, audit.verb, audit.who, audit.when, audit.why) == (
        command_id("calm-otter", record.coordinates, "replay"),
        "replay",
        "kari",
        NOW,
        "the API is well again",
    )
    assert dict(sent.headers)["command-run"] == b"calm-otter"


def test_a_replay_that_failed_again_is_sent_with_this_decision_alone_and_keeps_its_first_failure():
    first = dead(original())
    again = dead(as_replay(replay(letter_of(first), DECISION, TARGET)))
    assert (again.origin, again.cause.replay_count) == (first.origin, 1)
    sent = replay(letter_of(again), replace(DECISION, run="second", why="once more"), TARGET)
    names = [name for name, _ in sent.headers]
    assert len(names) == len(set(names))
    assert dict(sent.headers)["command-why"] == b"once more"
    third = dead(as_replay(sent))
    assert (third.origin, third.cause.first_failure, third.cause.replay_count) == (first.origin, NOW, 2)


def test_a_misrouted_record_goes_where_its_invoice_belongs():
    letter = dead(original(key=b"wrong") if RIGHT != 0 else original())
    wrong = dead(replace(original(), partition=(RIGHT + 1) % PARTITIONS, key=b"wrong"))
    assert wrong.cause.reason == "misrouted"
    sent = replay(letter_of(wrong), DECISION, TARGET)
    assert (sent.partition, sent.key) == (RIGHT, IDENTITY.encode())
    assert isinstance(decode(as_replay(sent), partition_count=PARTITIONS, commands=True), Event)
    assert replay(letter_of(letter), DECISION, TARGET).key == letter.record.key


def test_what_can_not_be_read_goes_back_to_its_origins_partition():
    letter = dead(original(value=b"{"))
    assert replay(letter_of(letter), DECISION, TARGET).partition == RIGHT


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_command_id_is_the_same_for_the_same_run_and_origin_only(one, other):
    origin = Coordinates(TOPICS.requests, 0, 1)
    assert command_id(one, origin, "replay") == command_id(one, origin, "replay")
    assert (command_id(one, origin, "replay") == command_id(other, origin, "replay")) == (one == other)
    assert command_id(one, origin, "replay") != command_id(one, origin._replace(offset=2), "replay")


def structured(record, data):
    body = {"specversion": "1.0", "id": "e-1", "source": "/erp", "type": "kravia.invoice.requested.v1", "data": data}
    return replace(
        record, headers=(("content-type", b"application/cloudevents+json"),), value=json.dumps(body).encode()
    )


@pytest.mark.parametrize("form", ["binary", "bare", "structured"])
def test_an_edit_keeps_the_envelope_and_names_what_changed(form):
    record = original()
    if form == "bare":
        record = replace(record, headers=())
    if form == "structured":
        record = structured(record, json.loads(record.value))
    letter = dead(record)
    before = payload_of(letter.record).data
    after = with_value(before, "/invoice/email", "new@example.com")
    value, headers = corrected(letter.record, after)
    changes = [pointer(change.path) for change in differences(before, after)]
    sent = edit(letter_of(letter), value, headers, changes, DECISION, TARGET)
    event = decode(as_replay(sent), partition_count=PARTITIONS, commands=True)
    assert isinstance(event, Event)
    assert event.fields["email"] == "new@example.com"
    assert event.envelope.audit.changed == ("/invoice/email",)
    assert event.envelope.event_id == (None if form == "bare" else "e-1")
    unchanged = decode(record, partition_count=PARTITIONS)
    assert {k: v for k, v in event.fields.items() if k != "email"} == {
        k: v for k, v in unchanged.fields.items() if k != "email"
    }


def test_an_edit_keeps_money_digit_by_digit():
    record = original(value=original().value.replace(b'"originalAmount": 2500', b'"originalAmount": 2500.10'))
    data = with_value(payload_of(record).data, "/invoice/email", None)
    assert b'"originalAmount":2500.10' in corrected(record, data)[0]


@pytest.mark.parametrize(
    ("ending", "history", "locked"),
    [
        (Failed(Step.REGISTER, Reason.IN_DOUBT, 1, doubt=4), {"attempts": 1}, True),
        (REFUSED, {"attempts": 1}, True),
        (Failed(Step.REGISTER, Reason.BLOCKED, 0), {}, True),
        (Rejected(Refusal.CONFLICT), {}, True),
        (Rejected(Refusal.DOCUMENT), {}, False),
    ],
)
def test_the_identity_is_locked_once_a_register_may_have_happened(ending, history, locked):
    letter = dead(original(), ending, **history)
    before = payload_of(letter.record).data
    after = with_value(before, "/invoice/invoiceNo", "77777")
    value, headers = corrected(letter.record, after)
    sent = edit(letter_of(letter), value, headers, ["/invoice/invoiceNo"], DECISION, TARGET)
    decoded = decode(as_replay(sent), partition_count=PARTITIONS, commands=True)
    codes = [problem.code for problem in decoded.problems] if isinstance(decoded, Invalid) else []
    assert codes == (["identity_locked"] if locked else [])
    assert sent.partition == partition_for(identity(10759, "Invoice", "77777").encode(), PARTITIONS)


def test_a_record_that_is_no_json_is_replaced_as_a_whole_and_a_broken_envelope_left_behind():
    letter = dead(original(headers=OWN[:1], value=b"{"))
    value, headers = corrected(letter.record, json.loads(original().value), bare=True)
    sent = edit(letter_of(letter), value, headers, ["/invoice"], DECISION, TARGET)
    assert isinstance(decode(as_replay(sent), partition_count=PARTITIONS, commands=True), Event)


@pytest.mark.parametrize("invoice_id", [None, "4711"])
def test_a_verdict_is_a_command_that_the_worker_obeys(invoice_id):
    origin = Coordinates(TOPICS.requests, RIGHT, 3)
    sent = verdict(origin, IDENTITY, 9, invoice_id, DECISION, TARGET)
    command = decode(as_replay(sent), partition_count=PARTITIONS, commands=True)
    assert isinstance(command, Command)
    assert (command.identity, command.doubt, command.invoice_id) == (IDENTITY, 9, invoice_id)
    assert (command.audit.who, command.audit.why, command.envelope.replay_of) == ("kari", DECISION.why, str(origin))


@pytest.mark.parametrize("who", [IDENTITY, None])
@pytest.mark.parametrize("for_good", [True, False])
def test_a_discard_is_a_command_by_identity_or_else_where_the_record_stood(who, for_good):
    origin = Coordinates(TOPICS.requests, RIGHT if who else 5, 3)
    sent = discard(origin, who, DECISION, TARGET, for_good=for_good)
    command = decode(as_replay(sent), partition_count=PARTITIONS, commands=True)
    assert isinstance(command, Command)
    assert (command.identity, command.doubt, command.for_good) == (who, None, for_good and who is not None)
    assert sent.partition == origin.partition


@pytest.mark.parametrize("decision", [replace(DECISION, who=" "), replace(DECISION, why="x" * 1001)])
def test_a_decision_that_the_worker_would_refuse_is_named_before_it_is_sent(decision):
    assert DECISION.problem() is None
    assert decision.problem().startswith("--wh")


def test_headers_of_dead_letters_travel_with_a_replay():
    sent = replay(letter_of(dead(original())), DECISION, TARGET)
    assert {name for name, _ in sent.headers} >= {"kravia.dlq.reason", "__dlq.errors.offset"}
    assert isinstance(read(Record("t", 0, 0, 0, None, None, sent.headers)).cause, DeadLetterHeaders)
