"""What every settled event leaves behind: its outcome."""

import json
import uuid
from dataclasses import replace

import jsonschema
import pytest

from schemas.documents import documents
from schemas.outcomes import NAMESPACE, OUTCOME, OUTCOME_TYPES
from tests.unit.fakes_receipts import (
    BARE,
    DESK,
    ENDINGS,
    ENVELOPE,
    FAILED,
    IDENTITY,
    IN_DOUBT,
    ORIGIN,
    REJECTED,
    RESOLVED,
    SCHEDULED,
    receipt,
)
from worker.model import Problem, Refusal, Rejected
from worker.receipts import outcome_record, receipt_id


def outcome(ending, **more):
    return json.loads(outcome_record(receipt(ending, **more), DESK).value)


def headers(record):
    return {name: value.decode() for name, value in record.headers}


class TestOutcome:
    @pytest.mark.parametrize("ending", ENDINGS, ids=lambda e: type(e).__name__)
    def test_its_data_keeps_to_the_published_schema(self, ending):
        data = outcome(ending)
        jsonschema.Draft202012Validator(json.loads(documents()["outcome.v1.json"])).validate(data)
        assert OUTCOME.validate_python(data).outcome == data["outcome"] == type(ending).__name__.lower()

    @pytest.mark.parametrize("ending", ENDINGS, ids=lambda e: type(e).__name__)
    def test_it_is_a_cloudevent_that_follows_from_its_input(self, ending):
        record = outcome_record(receipt(ending), DESK)
        assert headers(record) == {
            "ce_specversion": "1.0",
            "ce_id": str(uuid.uuid5(NAMESPACE, "invoice.requests/11/7")),
            "ce_type": OUTCOME_TYPES[type(ending).__name__.lower()],
            "ce_source": "/kravia-invoice-worker/invoice%20worker",
            "ce_time": "2026-01-02T03:04:06.500000Z",
            "ce_subject": IDENTITY,
            "ce_correlationid": "order-1",
            "ce_causationid": "e-1",
            "traceparent": "00-aa-bb-01",
            "content-type": "application/json",
        }
        assert (record.topic, record.partition, record.key) == ("invoice.outcomes", 11 % 4, IDENTITY.encode())

    def test_it_is_the_same_however_often_it_is_made(self):
        assert outcome_record(receipt(FAILED), DESK) == outcome_record(receipt(FAILED), DESK)

    def test_ids_never_change(self):
        # A reader drops duplicates by them, across versions of the worker.
        assert receipt_id(ORIGIN) == "39619694-16c2-5743-b460-c9d6d66caeb0"

    def test_what_an_identity_says_is_spelt_out(self):
        data = outcome(SCHEDULED)
        assert (data["identity"], data["creditorId"], data["claimType"]) == (IDENTITY, 10759, "CreditNote")
        assert (data["invoiceNo"], data["accountingInvoiceId"]) == ("20 001", "A/1")

    def test_without_identity_and_id_coordinates_stand_for_both(self):
        ending = Rejected(Refusal.UNDECODABLE, (Problem("", "tombstone", "No value."),))
        record = outcome_record(receipt(ending, envelope=BARE, identity=None), DESK)
        got = headers(record)
        assert record.key == b"invoice.requests/11/7"
        assert got["ce_subject"] == got["ce_correlationid"] == got["ce_causationid"] == "invoice.requests/11/7"
        assert "traceparent" not in got
        assert "identity" not in json.loads(record.value)

    def test_without_a_correlation_id_the_input_starts_one(self):
        got = headers(outcome_record(receipt(SCHEDULED, envelope=replace(ENVELOPE, correlation_id=None)), DESK))
        assert got["ce_correlationid"] == "e-1"

    def test_every_register_call_is_accounted_for(self):
        data = outcome(SCHEDULED)
        assert data["calls"] == [
            {"at": "2026-01-02T03:04:06.500000Z", "answer": "registered:200", "owner": "owner-1", "intent": 1041}
        ]
        assert data["attempts"] == 2

    def test_every_problem_is_listed(self):
        assert [(e["pointer"], e["code"]) for e in outcome(REJECTED)["errors"]] == [
            ("/invoice/orderLines/3/total", "wrong_type"),
            ("/invoice/x", "unknown_field"),
        ]

    def test_a_failure_says_where_why_and_how_often(self):
        data = outcome(FAILED)
        assert (data["step"], data["reason"], data["attempts"]) == ("attach", "expired", 5)
        assert (data["httpStatus"], data["invoiceId"], data["lastAnswer"]) == (503, "4711", "server_error")
        assert outcome(IN_DOUBT)["doubt"] == 1041

    @pytest.mark.parametrize(("verdict", "invoice_id"), [("registered", "4711"), ("not_registered", None)])
    def test_a_verdict_says_who_decided_what_of_which_doubt(self, verdict, invoice_id):
        data = outcome(replace(RESOLVED, verdict=verdict, invoice_id=invoice_id))
        assert (data["verdict"], data["doubt"], data.get("invoiceId")) == (verdict, 1041, invoice_id)
        assert (data["who"], data["why"]) == ("kari", "Saw it in the portal.")

    def test_a_replay_says_so(self):
        record = outcome_record(receipt(SCHEDULED, envelope=replace(ENVELOPE, replay_of="invoice.requests/2/5")), DESK)
        assert headers(record)["replay-of"] == json.loads(record.value)["replayOf"] == "invoice.requests/2/5"
