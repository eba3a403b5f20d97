"""Commands: believed on the replays topic only, and refused with everything that is wrong with them."""

import json

import pytest

from schemas.commands import COMMAND_TYPE, NotRegisteredVerdict, RegisteredVerdict, check_command
from schemas.identity import identity, partition_for
from worker.decode import decode
from worker.model import Command, Invalid, Record, Refusal, TopicNames

TOPICS = TopicNames()
IDENTITY = identity(10759, "Invoice", "20001")
DATA = {
    "version": 1,
    "verb": "registered",
    "identity": IDENTITY,
    "doubt": 41,
    "invoiceId": "4711",
    "who": "kari",
    "when": "2026-01-02T03:04:05Z",
    "why": "saw it in the portal",
}
NOT = {name: value for name, value in DATA.items() if name != "invoiceId"} | {"verb": "not_registered"}


def record(data=DATA, *, topic=TOPICS.replays, partition=0, structured=False):
    headers = {
        "ce_specversion": b"1.0",
        "ce_id": b"c-1",
        "ce_source": b"/operators",
        "ce_type": COMMAND_TYPE.encode(),
        "content-type": b"application/json",
    }
    value = json.dumps(data).encode()
    if structured:
        event = {"specversion": "1.0", "id": "c-1", "source": "/operators", "type": COMMAND_TYPE, "data": data}
        headers, value = {"content-type": b"application/cloudevents+json"}, json.dumps(event).encode()
    return Record(topic, partition, 5, 1_767_323_045_000, IDENTITY.encode(), value, tuple(headers.items()))


def read(*arguments, count=1, **options):
    made = record(*arguments, **options)
    return decode(made, partition_count=count, commands=made.topic == TOPICS.replays)


def problems(decoded):
    assert isinstance(decoded, Invalid), decoded
    return {(problem.pointer, problem.code) for problem in decoded.problems}


@pytest.mark.parametrize("structured", [False, True])
def test_registered_as_an_id(structured):
    command = read(structured=structured)
    assert isinstance(command, Command)
    assert (command.identity, command.audit.id, command.doubt, command.invoice_id) == (IDENTITY, "c-1", 41, "4711")
    assert (command.audit.verb, command.audit.who, command.audit.why) == ("registered", "kari", "saw it in the portal")


def test_not_registered_has_no_id():
    command = read(NOT)
    assert isinstance(command, Command)
    assert (command.audit.verb, command.invoice_id) == ("not_registered", None)


@pytest.mark.parametrize("data", [DATA, NOT])
def test_on_the_request_topic_nobody_believes_it(data):
    decoded = read(data, topic=TOPICS.requests)
    assert isinstance(decoded, Invalid)
    assert decoded.reason is Refusal.UNDECODABLE
    assert problems(decoded) == {("", "unknown_type")}
    assert decoded.identity is None  # it touches nobody's ledger entry


def test_on_the_wrong_partition_it_is_misrouted():
    right = partition_for(IDENTITY.encode(), 4)
    assert isinstance(read(partition=right, count=4), Command)
    decoded = read(partition=(right + 1) % 4, count=4)
    assert decoded.reason is Refusal.MISROUTED
    assert decoded.identity is None


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (DATA | {"doubt": -1}, {("/doubt", "greater_than_equal")}),
        (DATA | {"doubt": None}, {("/doubt", "int_type")}),
        (DATA | {"who": "", "why": None}, {("/who", "string_too_short"), ("/why", "string_type")}),
        (DATA | {"when": "2026-01-02T03:04:05"}, {("/when", "timezone_aware")}),
        (DATA | {"invoiceId": ""}, {("/invoiceId", "string_too_short")}),
        (DATA | {"invoiceID": "4711"}, {("/invoiceID", "extra_forbidden")}),
        (NOT | {"invoiceId": "4711"}, {("/invoiceId", "extra_forbidden")}),
        (NOT | {"verb": "registered"}, {("/invoiceId", "missing")}),
        (DATA | {"version": 2}, {("/version", "literal_error")}),
        (DATA | {"verb": "maybe"}, {("/verb", "union_tag_invalid")}),
        ({}, {("/verb", "union_tag_not_found")}),
        (DATA | {"identity": "10759/Invoice"}, {("/identity", "not_an_identity")}),
        (DATA | {"identity": "10759/Bill/20001"}, {("/identity", "not_an_identity")}),
        (DATA | {"identity": "invoice.requests/0/17"}, {("/identity", "not_an_identity")}),
        (DATA | {"identity": "10759/Invoice/2 0"}, {("/identity", "not_an_identity")}),
    ],
)
def test_everything_that_is_wrong_is_said(data, wrong):
    decoded = read(data)
    assert problems(decoded) == wrong
    assert decoded.reason is Refusal.VALIDATION
    assert decoded.identity is None


@pytest.mark.parametrize("data", [None, [], "registered", 7, True])
def test_what_is_no_object_is_refused(data):
    assert isinstance(check_command(data), list)
    assert isinstance(read(data), Invalid)


def test_a_problem_never_tells_the_value():
    decoded = read(DATA | {"verb": "Kari Nordby", "who": ["Kari Nordby"]})
    assert all("Kari" not in problem.message for problem in decoded.problems)


def test_the_models_are_the_two_verbs():
    assert isinstance(check_command(DATA), RegisteredVerdict)
    assert isinstance(check_command(NOT), NotRegisteredVerdict)
