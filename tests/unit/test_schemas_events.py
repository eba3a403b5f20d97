"""The contract of the invoice event: what is taken, and what is said about what is not."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import InvoiceRequest, check, encode, identity_of, readable_identity
from schemas.jsontext import loads
from schemas.violations import MAX_VIOLATIONS, Violation

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["invoice", "claimType", "creditorId", "attachments", "x"]) | st.text(), inner
        )
    ),
    max_leaves=15,
)


def example(name):
    return loads((EXAMPLES / f"invoice-requested.{name}.json").read_bytes())


def invoice(name="invoice", **changes):
    data = example(name)
    data["invoice"].update(changes)
    return data


def attachment(**changes):
    part = {"fileName": "a.pdf", "mediaType": "application/pdf", "content": "JVBERg==", **changes}
    return invoice() | {"attachments": [part]}


def found(data):
    """Pointer and code of every problem."""
    result = check(data)
    assert isinstance(result, list), "it was taken"
    return {(v.pointer, v.code) for v in result}


@pytest.mark.parametrize("name", ["invoice", "attachments", "credit-note", "collection-case"])
def test_examples_are_taken(name):
    assert isinstance(check(example(name)), InvoiceRequest)


@pytest.mark.parametrize("name", ["invoice", "attachments", "credit-note", "collection-case"])
def test_what_a_producer_encodes_is_what_it_meant(name):
    request = check(example(name))
    assert check(loads(encode(request))) == request


def test_a_producer_keeps_its_digits():
    data = loads(b'{"originalAmount":12345678901234567890.10}')
    request = check(invoice(**data))
    assert b'"originalAmount":12345678901234567890.10' in encode(request)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("claimType", "invoice", "not_allowed"),
        ("claimType", ["Invoice"], "not_allowed"),
        ("claimType", None, "required"),
        ("creditorId", "10759", "wrong_type"),
        ("creditorId", True, "wrong_type"),
        ("creditorId", 0, "too_small"),
        ("creditorId", 2**63, "too_large"),
        ("creditorId", None, "required"),
        ("invoiceNo", 20001, "wrong_type"),
        ("invoiceNo", "", "empty"),
        ("invoiceNo", " ", "empty"),
        ("invoiceNo", "x" * 256, "text_too_long"),
        ("invoiceNo", "2\n1", "control_character"),
        ("accountingInvoiceId", "", "empty"),
        ("debtorName", " ", "bad_format"),
        ("debtorNumber", 10001, "wrong_type"),
        ("originalAmount", "2500", "wrong_type"),
        ("originalAmount", True, "wrong_type"),
        ("originalAmount", 10**40, "too_many_digits"),
        ("originalAmount", None, "required"),
        ("currencyCode", "nok", "bad_currency"),
        ("invoiceDate", "2025-02-29", "bad_date"),
        ("invoiceDate", "20250401", "bad_date"),
        ("invoiceDate", "2025-W14-2", "bad_date"),
        ("dueDate", "２０２５-01-01", "bad_date"),
        ("isPrivateIndividual", "True", "not_allowed"),
        ("isPrivateIndividual", 1, "not_allowed"),
        ("postalAddress", [], "wrong_type"),
        ("orderLines", {}, "wrong_type"),
        ("orderLines", [{}] * 2001, "too_many"),
        ("duedate", "2025-01-01", "unknown_field"),
        ("Invoice", 1, "unknown_field"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_its_rule(field, value, code):
    assert found(invoice(**{field: value})) == {(f"/invoice/{field}", code)}


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"fileName": "../a.pdf"}, "fileName", "bad_file_name"),
        ({"fileName": "a\\b.pdf"}, "fileName", "bad_file_name"),
        ({"fileName": 'a".pdf'}, "fileName", "bad_file_name"),
        ({"fileName": "a\r\nX: y"}, "fileName", "bad_file_name"),
        ({"fileName": ".."}, "fileName", "bad_file_name"),
        ({"fileName": "å" * 128}, "fileName", "text_too_long"),
        ({"fileName": ""}, "fileName", "empty"),
        ({"mediaType": "pdf"}, "mediaType", "bad_media_type"),
        ({"mediaType": "application/pdf\r\nX: y"}, "mediaType", "bad_media_type"),
        ({"content": ""}, "content", "empty"),
        ({"content": "abc"}, "content", "bad_base64"),
        ({"content": "JVBE\nRg=="}, "content", "bad_base64"),
        ({"content": "JVBERg==JVBERg=="}, "content", "bad_base64"),
        ({"content": "JVBE_-=="}, "content", "bad_base64"),
        ({"content": 1}, "content", "wrong_type"),
        ({"size": 1}, "size", "unknown_field"),
    ],
)
def test_an_attachment_that_is_wrong_is_named_with_its_rule(changes, where, code):
    assert found(attachment(**changes)) == {(f"/attachments/0/{where}", code)}


def test_everything_that_is_wrong_is_reported():
    data = invoice(creditorId="1", dueDate="x", orderLines=[{"unitPrice": True}, 3], extra=1)
    data |= {"startMessage": "", "attachments": [7]}
    assert found(data) == {
        ("/invoice/creditorId", "wrong_type"),
        ("/invoice/dueDate", "bad_date"),
        ("/invoice/orderLines/0/description", "required"),
        ("/invoice/orderLines/0/unitPrice", "wrong_type"),
        ("/invoice/orderLines/0/count", "required"),
        ("/invoice/orderLines/0/total", "required"),
        ("/invoice/orderLines/1", "wrong_type"),
        ("/invoice/extra", "unknown_field"),
        ("/startMessage", "empty"),
        ("/attachments/0", "wrong_type"),
    }


def test_without_a_claim_type_the_rest_is_checked_all_the_same():
    data = invoice(claimType="Bill", currencyCode="kr")
    assert found(data) == {("/invoice/claimType", "not_allowed"), ("/invoice/currencyCode", "bad_currency")}


@pytest.mark.parametrize("value", [3, "x", [], True])
def test_an_invoice_that_is_no_object_hides_nothing(value):
    assert found({"invoice": value, "startMessage": 1}) == {("/invoice", "wrong_type"), ("/startMessage", "wrong_type")}


def test_a_collection_case_has_an_address_and_its_lines_are_left_to_a_rule():
    lines = example("invoice")["invoice"]["orderLines"]
    assert isinstance(check(invoice("collection-case", orderLines=lines)), InvoiceRequest)
    assert found(invoice("collection-case", orderLines="none")) == {("/invoice/orderLines", "wrong_type")}
    assert found(invoice("collection-case", postalAddress=None)) == {("/invoice/postalAddress", "required")}
    assert isinstance(check(invoice("collection-case", orderLines=None)), InvoiceRequest)


def test_null_equals_absent():
    data = invoice(email=None, orderLines=None, bookkeepingDetails=None, isPrivateIndividual=None)
    assert isinstance(check(data | {"attachments": None, "startMessage": None}), InvoiceRequest)


def test_a_boolean_becomes_the_text_that_kravia_wants():
    assert check(invoice(isPrivateIndividual=True)).invoice.isPrivateIndividual == "true"
    assert check(invoice(isPrivateIndividual="false")).invoice.isPrivateIndividual == "false"


@pytest.mark.parametrize("data", [None, 1, "x", [], True])
def test_data_must_be_an_object(data):
    assert check(data) == [Violation("", "wrong_type", "This must be an object.")]


def test_a_flood_of_problems_is_bounded_and_counted():
    result = check(invoice(**{f"x{i}": i for i in range(1000)}))
    assert len(result) == MAX_VIOLATIONS + 1
    assert result[-1] == Violation("", "more", "There are 900 more problems than are listed.")


def test_what_is_far_too_much_is_not_listed_piece_by_piece():
    many = {f"x{i}": i for i in range(2001)}
    assert found(invoice(**many)) == {("/invoice", "too_many")}
    assert found(many) == {("", "too_many")}
    assert found(invoice() | {"attachments": [0] * 101}) == {("/attachments", "too_many")}


def test_a_name_is_escaped_in_its_pointer_and_cut():
    assert found(invoice(**{"a/b~c": 1})) == {("/invoice/a~1b~0c", "unknown_field")}
    assert found(invoice(**{"x" * 500: 1})) == {(f"/invoice/{'x' * 64}", "unknown_field")}


def test_no_message_holds_a_value():
    secret = "Ola Nordmann 01017012345"
    data = invoice(currencyCode=secret, invoiceDate=secret, ssn=[secret], isPrivateIndividual=secret, creditorId=secret)
    data |= {"attachments": [{"fileName": f"/{secret}", "mediaType": secret, "content": secret}]}
    result = check(data)
    assert len(result) == 8
    assert "Nordmann" not in json.dumps(result)


def test_the_identity_is_read_where_other_fields_are_wrong():
    assert readable_identity(invoice(dueDate=1)) == "10759/Invoice/20001"
    assert readable_identity(invoice("credit-note")) == identity_of(check(example("credit-note")))
    assert readable_identity(invoice(accountingInvoiceId=7)) == "10759/Invoice/20001"


@pytest.mark.parametrize(
    "changes",
    [{"creditorId": "1"}, {"claimType": "x"}, {"invoiceNo": ""}, {"claimType": "CreditNote", "accountingInvoiceId": 7}],
)
def test_without_all_of_its_parts_there_is_no_identity(changes):
    assert readable_identity(invoice(**changes)) is None


@given(JSON)
def test_no_json_makes_it_raise(data):
    check(data)
    readable_identity(data)


@given(JSON, st.sampled_from(sorted(example("invoice")["invoice"])))
def test_no_value_of_a_field_makes_it_raise(value, field):
    data = invoice(**{field: value})
    check(data)
    readable_identity(data)
