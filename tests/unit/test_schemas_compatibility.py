"""Changes of published schemas: what breaks those who keep to the old one is refused, what doesn't passes."""

import copy

import pytest

from schemas.compatibility import Side, breaks
from tests.unit.schema_changes import COMMAND, EVENT, GONE, HEADERS, OUTCOME, TEXT, changed, plus, set_at, without


@pytest.mark.parametrize("schema", [EVENT, COMMAND, OUTCOME, HEADERS], ids=["event", "command", "outcome", "headers"])
@pytest.mark.parametrize("side", Side)
def test_no_change_breaks_nothing(schema, side):
    assert breaks(schema, copy.deepcopy(schema), side) == []


INVOICE = "$defs/Invoice/properties"


BREAKS_WRITERS = {
    "a new required field": ([(f"{INVOICE}/ref", TEXT), ("$defs/Invoice/required", plus("ref"))], "/invoice/ref"),
    "an optional field that is required": ([("$defs/Invoice/required", plus("email"))], "/invoice/email"),
    "a field that is gone": ([(f"{INVOICE}/email", GONE)], "/invoice/email"),
    "a field with another name": ([(f"{INVOICE}/email", GONE), (f"{INVOICE}/mail", TEXT)], "/invoice/email"),
    "another type": ([(f"{INVOICE}/debtorName/type", "number")], "/invoice/debtorName"),
    "a narrower type": ([(f"{INVOICE}/originalAmount/type", "integer")], "/invoice/originalAmount"),
    "null that is not taken any more": ([(f"{INVOICE}/email", TEXT)], "/invoice/email"),
    "a form that is gone": ([("properties/invoice/oneOf", lambda forms: forms[:2])], "/invoice/claimType"),
    "a form of attachment that is gone": (
        [("properties/attachments/anyOf/0/items/oneOf", lambda forms: forms[:1])],
        "/attachments/*/",
    ),
    "a smaller enum": ([(f"{INVOICE}/isPrivateIndividual/anyOf/1/enum", without("false"))], "/isPrivateIndividual"),
    "an enum where there was none": ([(f"{INVOICE}/currencyCode/enum", ["NOK"])], "/invoice/currencyCode"),
    "another constant": ([(f"{INVOICE}/claimType/const", "invoice")], "/invoice/claimType"),
    "another pattern": ([(f"{INVOICE}/currencyCode/pattern", "^(NOK|SEK)$")], "/invoice/currencyCode"),
    "a pattern where there was none": ([(f"{INVOICE}/email/anyOf/0/pattern", "@")], "/invoice/email"),
    "another `not`": ([(f"{INVOICE}/invoiceNo/not/pattern", "[/ ]")], "/invoice/invoiceNo"),
    "another format": ([(f"{INVOICE}/dueDate/format", "date-time")], "/invoice/dueDate"),
    "a lower maximum": ([(f"{INVOICE}/creditorId/maximum", 999)], "/invoice/creditorId"),
    "a higher minimum": ([(f"{INVOICE}/originalAmount/minimum", 0)], "/invoice/originalAmount"),
    "a maximum where there was none": ([(f"{INVOICE}/debtorName/maxLength", 100)], "/invoice/debtorName"),
    "fewer items": ([(f"{INVOICE}/orderLines/anyOf/0/maxItems", 100)], "/invoice/orderLines"),
    "items of a narrower kind": ([("$defs/OrderLine/required", plus("unit"))], "/invoice/orderLines/*/unit"),
    "another encoding": (
        [("$defs/InlineAttachment/properties/content/contentEncoding", "base32")],
        "/attachments/*/content",
    ),
    "a keyword that is not known": ([(f"{INVOICE}/originalAmount/multipleOf", 0.01)], "/invoice/originalAmount"),
    "a condition": ([("$defs/Invoice/allOf", [{"required": ["email"]}])], "/invoice"),
    "another address": ([("$id", "urn:elsewhere")], ""),
    "two forms that overlap": (
        [
            ("$defs/Other", {"type": "object", "properties": {"claimType": TEXT}, "required": ["claimType"]}),
            ("properties/invoice/oneOf", plus({"$ref": "#/$defs/Other"})),
        ],
        "/invoice",
    ),
}
COMPATIBLE_FOR_WRITERS = {
    "a new optional field": [(f"{INVOICE}/ref", TEXT)],
    "a required field that is optional": [("$defs/Invoice/required", without("debtorName"))],
    "a wider type": [(f"{INVOICE}/creditorId/type", "number")],
    "null where it was refused": [(f"{INVOICE}/debtorName", lambda old: {"anyOf": [old, {"type": "null"}]})],
    "a larger enum": [(f"{INVOICE}/isPrivateIndividual/anyOf/1/enum", plus("yes"))],
    "no pattern any more": [(f"{INVOICE}/currencyCode/pattern", GONE)],
    "no `not` any more": [(f"{INVOICE}/invoiceNo/not", GONE)],
    "a higher maximum": [(f"{INVOICE}/invoiceNo/maxLength", 500)],
    "a lower minimum": [(f"{INVOICE}/creditorId/minimum", 0)],
    "no limit any more": [(f"{INVOICE}/orderLines/anyOf/0/maxItems", GONE)],
    "some unknown fields taken": [("$defs/PostalAddress/additionalProperties", TEXT)],
    "unknown fields taken": [("$defs/PostalAddress/additionalProperties", GONE)],
    "another form": [
        ("$defs/Reminder", {**EVENT["$defs"]["Invoice"], "properties": {"claimType": {"const": "Reminder"}}}),
        ("$defs/Reminder/required", ["claimType"]),
        ("properties/invoice/oneOf", plus({"$ref": "#/$defs/Reminder"})),
    ],
    "other words": [(f"{INVOICE}/email/description", "Where to write."), (f"{INVOICE}/email/examples", ["a@b.no"])],
    "another name for a definition": [
        ("$defs/Order", EVENT["$defs"]["OrderLine"]),
        (f"{INVOICE}/orderLines/anyOf/0/items/$ref", "#/$defs/Order"),
    ],
}


@pytest.mark.parametrize("name", BREAKS_WRITERS)
def test_what_refuses_an_event_that_was_taken_is_a_break(name):
    changes, where = BREAKS_WRITERS[name]
    found = breaks(EVENT, changed(EVENT, *changes), Side.WRITTEN)
    assert any(where in each.where for each in found), found


@pytest.mark.parametrize("name", COMPATIBLE_FOR_WRITERS)
def test_what_takes_every_event_as_before_is_none(name):
    assert breaks(EVENT, changed(EVENT, *COMPATIBLE_FOR_WRITERS[name]), Side.WRITTEN) == []


SCHEDULED = "$defs/ScheduledOutcome/properties"
BREAKS_READERS = {
    "a field that is gone": ([(f"{SCHEDULED}/invoiceId", GONE)], "/invoiceId"),
    "an optional field that is gone": ([(f"{SCHEDULED}/replayOf", GONE)], "/replayOf"),
    "a required field that is optional": ([("$defs/ScheduledOutcome/required", without("invoiceId"))], "/invoiceId"),
    "another outcome": (
        [
            ("$defs/Parked", {**OUTCOME["$defs"]["ScheduledOutcome"], "properties": {"outcome": {"const": "parked"}}}),
            ("oneOf", plus({"$ref": "#/$defs/Parked"})),
        ],
        "/outcome",
    ),
    "a new value of a closed set": ([("$defs/FailedOutcome/properties/reason/enum", plus("other"))], "/reason"),
    "another step": ([("$defs/Timings/properties/steps/propertyNames/enum", plus("search"))], "/timings/steps"),
    "a wider type": ([(f"{SCHEDULED}/attempts/type", "number")], "/attempts"),
    "null where there was none": (
        [(f"{SCHEDULED}/invoiceId", lambda old: {"anyOf": [old, {"type": "null"}]})],
        "/invoiceId",
    ),
    "no minimum any more": ([(f"{SCHEDULED}/attempts/minimum", GONE)], "/attempts"),
    "another version": ([(f"{SCHEDULED}/version/const", 2)], "/version"),
    "another format": ([(f"{SCHEDULED}/settledAt/format", GONE)], "/settledAt"),
    "another default": ([(f"{SCHEDULED}/attempts/default", 1)], "/attempts"),
    "no default any more": ([(f"{SCHEDULED}/attempts/default", GONE)], "/attempts"),
    "a part of a part that is gone": ([("$defs/OutcomeError/properties/pointer", GONE)], "/errors/*/pointer"),
    "a keyword that is not known": ([(f"{SCHEDULED}/calls/uniqueItems", False)], "/calls"),
}
BATCH_OF_AN_OUTCOME = {
    "anyOf": [
        {"type": "object", "properties": {"id": TEXT, "verb": TEXT}, "required": ["id", "verb"]},
        {"type": "null"},
    ]
}
COMPATIBLE_FOR_READERS = {
    "a new optional field": [(f"{SCHEDULED}/batch", BATCH_OF_AN_OUTCOME)],
    "a new required field": [(f"{SCHEDULED}/day", TEXT), ("$defs/ScheduledOutcome/required", plus("day"))],
    "an optional field that is always there": [("$defs/ScheduledOutcome/required", plus("identity"))],
    "null that does not come any more": [(f"{SCHEDULED}/eventId", TEXT)],
    "a narrower type": [("$defs/Timings/properties/handled/type", "integer")],
    "an outcome that does not come any more": [("oneOf", lambda forms: forms[1:])],
    "a value that does not come any more": [("$defs/FailedOutcome/properties/reason/enum", without("expired"))],
    "a maximum": [(f"{SCHEDULED}/attempts/maximum", 100)],
    "a pattern": [(f"{SCHEDULED}/invoiceId/pattern", "^[0-9]+$")],
}


@pytest.mark.parametrize("name", BREAKS_READERS)
def test_what_a_reader_does_not_understand_is_a_break(name):
    changes, where = BREAKS_READERS[name]
    found = breaks(OUTCOME, changed(OUTCOME, *changes), Side.READ)
    assert any(where in each.where for each in found), found


@pytest.mark.parametrize("name", COMPATIBLE_FOR_READERS)
def test_what_a_reader_understands_as_before_is_none(name):
    assert breaks(OUTCOME, changed(OUTCOME, *COMPATIBLE_FOR_READERS[name]), Side.READ) == []


def test_more_verbs_are_compatible_and_fewer_are_not():
    more = changed(
        COMMAND,
        ("$defs/Postpone", {**COMMAND["$defs"]["NotRegisteredVerdict"], "required": ["verb"]}),
        ("$defs/Postpone/properties/verb/const", "postpone"),
        ("oneOf", plus({"$ref": "#/$defs/Postpone"})),
    )
    assert breaks(COMMAND, more, Side.WRITTEN) == []
    assert [(each.where, each.keyword) for each in breaks(more, COMMAND, Side.WRITTEN)]


def test_a_new_header_is_compatible_and_one_that_is_gone_is_not():
    more = changed(HEADERS, ("properties/kravia.dlq.command", TEXT))
    assert breaks(HEADERS, more, Side.READ) == []
    assert [each.where for each in breaks(more, HEADERS, Side.READ)] == ["/kravia.dlq.command"]


def test_a_field_added_to_what_readers_see_closed_is_a_break():
    closed = {"type": "object", "properties": {"a": TEXT}, "additionalProperties": False}
    more = {**closed, "properties": {"a": TEXT, "b": TEXT}}
    assert [each.where for each in breaks(closed, more, Side.READ)] == ["/b"]


def test_a_field_added_to_what_writers_could_fill_is_a_break():
    open_object = {"type": "object", "properties": {"a": TEXT}}
    more = {"type": "object", "properties": {"a": TEXT, "b": TEXT}}
    assert [each.where for each in breaks(open_object, more, Side.WRITTEN)] == ["/b"]


def test_a_reference_inside_an_unknown_keyword_hides_nothing():
    old = {"$defs": {"A": {"maxLength": 9}}, "allOf": [{"$ref": "#/$defs/A"}]}
    new = {"$defs": {"A": {"maxLength": 5}}, "allOf": [{"$ref": "#/$defs/A"}]}
    assert [each.keyword for each in breaks(old, new, Side.WRITTEN)] == ["allOf"]


def test_a_definition_that_leads_into_itself_is_refused():
    tree = {"$defs": {"T": {"type": "object", "properties": {"t": {"$ref": "#/$defs/T"}}}}, "$ref": "#/$defs/T"}
    assert [each.keyword for each in breaks(tree, copy.deepcopy(tree), Side.WRITTEN)] == ["$ref"]


def test_true_is_not_one():
    assert breaks({"enum": [1]}, {"enum": [True]}, Side.WRITTEN)


def test_a_break_says_where_and_what():
    [found] = breaks(EVENT, set_at(EVENT, "properties/startMessage/anyOf/0/maxLength", 10), Side.WRITTEN)
    assert str(found) == "/startMessage: maxLength: was 1000, is 10"
