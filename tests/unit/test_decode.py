"""From a record to an event, or to everything that is wrong with it."""

import hashlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import partition_for
from schemas.jsontext import dumps, loads
from tests.unit.fakes_decode import COUNT, EXAMPLES, KEY, codes, event, example, invalid, record
from worker.decode import decode
from worker.model import Event, Invalid, Record, Refusal


def test_the_guides_example():
    data = example()
    got = event(data)
    assert got.identity == KEY.decode()
    assert loads(got.body) == data["invoice"]
    assert (got.creditor_id, got.amount, got.currency) == (10759, Decimal(2500), "NOK")
    assert (got.attachments, got.start_message) == ((), "Confirming invoice action")
    assert [(w.pointer, w.code) for w in got.warnings] == [("/invoice/accountingInvoiceId", "reference_missing")]
    assert got.size == record(data).size


def test_the_body_has_the_guides_order_whatever_the_producers():
    guide = example()["invoice"]
    shuffled = dict(sorted(guide.items(), reverse=True))
    assert event({"invoice": shuffled}).body == event({"invoice": guide}).body == dumps(guide)


@pytest.mark.parametrize(
    "amount",
    ["2500", "2500.00", "0.30000000000000004", "0.1", "12345678901234567890", "12345678901234567890.12", "-0.05"],
)
def test_an_amount_reaches_the_api_as_written(amount):
    text = json.dumps(json.loads((EXAMPLES / "invoice-requested.invoice.json").read_text(encoding="utf-8")))
    got = event(text.replace('"originalAmount": 2500', f'"originalAmount": {amount}').encode())
    assert f'"originalAmount":{amount},'.encode() in got.body
    assert got.amount == Decimal(amount)


def test_an_exponent_is_written_out():
    text = dumps(example()).replace(b'"originalAmount":2500', b'"originalAmount":2.5e3')
    assert b'"originalAmount":2500,' in event(text).body


def test_null_stays_null_and_absent_stays_absent():
    data = example()
    del data["invoice"]["ssn"]
    body = event(data).body
    assert b'"accountingInvoiceId":null' in body
    assert b"ssn" not in body


@pytest.mark.parametrize("value", [True, "true"])
def test_is_private_individual_is_sent_as_text(value):
    data = example()
    data["invoice"]["isPrivateIndividual"] = value
    assert b'"isPrivateIndividual":"true"' in event(data).body


def test_attachments_come_with_the_digest_of_what_they_hold():
    data = example("attachments")
    key = b"10759/Invoice/20002"
    got = event(data, key=key, partition=partition_for(key, COUNT))
    assert [(a.file_name, a.media_type, a.content) for a in got.attachments] == [
        ("faktura-20002.pdf", "application/pdf", "JVBERi0xLjQK"),
        ("timesheet.csv", "text/csv; charset=utf-8", "ZGF5LGhvdXJzCg=="),
    ]
    assert got.attachments[0].sha256 == hashlib.sha256(b"%PDF-1.4\n").hexdigest()
    assert got.start_message == "Confirming invoice 20002"


class TestSameContent:
    """`fields` are equal exactly when the register bodies say the same."""

    def fields(self, **changes):
        data = example()
        data["invoice"].update(changes)
        return event(data).fields

    @pytest.mark.parametrize(
        "changes",
        [
            {"originalAmount": Decimal("2500.00")},
            {"originalAmount": Decimal("2.5E+3")},
            {"isPrivateIndividual": True},
            {"email": "john@example.com"},
            {"bookkeepingDetails": None},
            {"postalAddress": dict(reversed(example()["invoice"]["postalAddress"].items()))},
        ],
    )
    def test_another_way_to_say_the_same(self, changes):
        assert self.fields(**changes) == self.fields()

    @pytest.mark.parametrize(
        "changes",
        [
            {"originalAmount": Decimal("2500.01")},
            {"isPrivateIndividual": False},
            {"email": "John@example.com"},
            {"description": None},
            {"description": "Services in March "},
            {"orderLines": list(reversed(example()["invoice"]["orderLines"]))},
            {"bookkeepingDetails": [{"amount": 1}]},
        ],
    )
    def test_something_else(self, changes):
        (name,) = changes
        ours, theirs = self.fields(**changes), self.fields()
        assert {k for k in ours.keys() | theirs.keys() if ours.get(k) != theirs.get(k)} == {name}

    @given(st.decimals(-(10**25), 10**25, allow_nan=False, places=7))
    def test_thirty_digits_are_compared(self, amount):
        assert Decimal(self.fields(originalAmount=amount)["originalAmount"]) == amount

    def test_null_is_not_listed(self):
        assert "ssn" not in self.fields()


class TestUndecodable:
    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (None, "tombstone"),
            (b"", "empty"),
            (b"hello", "not_json"),
            (b"\xff\xfe", "wrong_encoding"),
            (b'{"invoice":{},"invoice":{}}', "duplicate_name"),
            (b'{"invoice":NaN}', "not_a_number"),
            (b"[" * 10_000, "too_deep"),
            (b'{"a":' * 500 + b"1" + b"}" * 500, "too_deep"),
            (b'{"invoice":{"originalAmount":1e999999}}', "number_too_long"),
        ],
    )
    def test_what_is_no_json(self, value, code):
        result = invalid(value)
        assert (result.reason, result.identity) == (Refusal.UNDECODABLE, None)
        assert codes(result) == {("", code)}
        assert str(result.envelope.origin) == f"invoice.requests/{partition_for(KEY, COUNT)}/42"

    def test_a_megabyte_of_anything(self):
        assert codes(invalid(b"x" * 1_000_000)) == {("", "not_json")}
        assert codes(invalid(b'"' + b"x" * 1_000_000 + b'"')) == {("", "wrong_type")}
        assert codes(invalid({str(i): i for i in range(80_000)})) == {("", "too_many")}


class TestMisrouted:
    def test_the_right_partition_key_and_partitioner_are_named(self):
        result = invalid(example(), partition=0)
        assert (result.reason, result.identity) == (Refusal.MISROUTED, None)
        (problem,) = result.problems
        assert problem.code == "misrouted"
        assert "partition 11 of 12" in problem.message
        assert KEY.decode() in problem.message
        assert "murmur2_random" in problem.message

    def test_it_comes_before_what_else_is_wrong(self):
        data = example()
        data["invoice"]["dueDate"] = "soon"
        assert invalid(data, partition=0).reason is Refusal.MISROUTED
        assert invalid(data).reason is Refusal.VALIDATION

    @pytest.mark.parametrize("key", [None, b"", b"10759/invoice/20001"])
    def test_another_key_that_leads_to_the_right_partition_is_taken_and_noted(self, key):
        assert ("", "key_differs") in {(w.pointer, w.code) for w in event(example(), key=key).warnings}

    def test_without_an_identity_any_partition_will_do(self):
        data = example()
        del data["invoice"]["invoiceNo"]
        result = invalid(data, partition=3)
        assert (result.reason, result.identity) == (Refusal.VALIDATION, None)
        assert codes(result) == {("/invoice/invoiceNo", "required")}

    @given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30), st.integers(1, 50))
    def test_each_invoice_has_exactly_one_partition(self, number, count):
        data = example()
        data["invoice"]["invoiceNo"] = number
        value = dumps(data)
        results = [decode(Record("t", p, 0, 0, None, value), partition_count=count) for p in range(count)]
        taken = [r for r in results if not (isinstance(r, Invalid) and r.reason is Refusal.MISROUTED)]
        assert len(taken) == 1 or all(isinstance(r, Invalid) and r.identity is None for r in taken)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_source", "CE_Type", "ce_specversion", "ce_time", "content-type", "replay-of"])
        | st.text(max_size=10),
        st.binary(max_size=30)
        | st.sampled_from(
            [b"1.0", b"kravia.invoice.requested.v1", b"application/cloudevents+json", b"2025-01-01T00:00:00Z"]
        ),
    ),
    max_size=8,
).map(tuple)
VALUES = (
    st.none()
    | st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["invoice", "data", "data_base64", "id", "attachments"]) | st.text(), inner
            )
        ),
        max_leaves=10,
    ).map(lambda v: json.dumps(v).encode())
)


@given(st.none() | st.binary(max_size=20), VALUES, HEADERS, st.integers(-(2**63), 2**63 - 1))
def test_no_record_makes_it_raise(key, value, headers, timestamp):
    record = Record("invoice.requests", 0, 0, timestamp, key, value, headers)
    result = decode(record, partition_count=1)
    assert isinstance(result, Event | Invalid)
    assert result.envelope.time.utcoffset() is not None
