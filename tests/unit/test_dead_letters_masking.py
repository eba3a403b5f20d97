"""No personal data leaves the reading verbs unless it is asked for; documents and URLs' queries never do."""

import base64
import json
from types import UnionType
from typing import get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.events import CollectionCase, CreditNote, Invoice, InvoiceRequest
from schemas.identity import identity
from tests.unit.fakes_core import TOPICS
from tests.unit.fakes_letters import REFUSED, SCHEDULED, again, found_by_the_command_line
from worker.cli import main
from worker.deadletters.differences import differences, pointer
from worker.deadletters.masking import disclosed, masked
from worker.model import Coordinates, Record

MARKER = "Zyxwvu Marker"
DOCUMENT = base64.b64encode(MARKER.encode() * 30).decode()
FIRST = Coordinates(TOPICS.requests, 0, 0)
IDENTITY_FIELDS = {"claimType", "creditorId", "invoiceNo", "accountingInvoiceId"}
"""What makes the identity is shown: it is how people name an invoice."""


def full_event(text=MARKER):
    """An event with every field, and `text` wherever a text goes that is no part of the identity."""
    return {
        "invoice": {
            "claimType": "Invoice",
            "creditorId": 10759,
            "accountingInvoiceId": "A-1",
            "debtorName": text,
            "debtorNumber": text,
            "email": f"{text}@example.com",
            "ssn": text,
            "organizationNumber": text,
            "isPrivateIndividual": "true",
            "postalAddress": {
                "addressAddressLine1": text,
                "addressPostalCode": text,
                "addressCity": text,
                "addressCountryCode": "NO",
            },
            "invoiceNo": "20001",
            "invoiceDate": "2026-04-01",
            "dueDate": "2026-05-01",
            "originalAmount": 2500,
            "currencyCode": "NOK",
            "description": text,
            "orderLines": [
                {
                    "description": text,
                    "unitPrice": 1,
                    "count": 1,
                    "vatInPercent": 25,
                    "unit": text,
                    "total": 1,
                    "discountInPercent": 0,
                }
            ],
            "bookkeepingDetails": [
                {
                    "amount": 1,
                    "description": text,
                    "bookingDate": "2026-04-01",
                    "ledgerAccount": 3000,
                    "vatCode": 3,
                }
            ],
        },
        "attachments": [
            {"fileName": f"{text}.txt", "mediaType": "text/plain", "content": DOCUMENT},
            {
                "fileName": f"{text}.pdf",
                "mediaType": "application/pdf",
                "url": f"https://documents.example.com/{'Zyxwvu'}?sig={'Zyxwvu'}",
                "sha256": "0" * 64,
                "size": 1,
            },
        ],
        "startMessage": text,
    }


def every_kind_wrong(value, name=""):
    """The marker in the place of every value that is no text either."""
    if isinstance(value, dict):
        return {key: every_kind_wrong(item, key) for key, item in value.items()} | {"unknownField": MARKER}
    if isinstance(value, list):
        return [every_kind_wrong(item, name) for item in value]
    return value if name in IDENTITY_FIELDS else MARKER


def models(kind):
    """The models within a type."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {kind}
    inner = get_args(kind) if get_origin(kind) is not None or isinstance(kind, UnionType) else ()
    return set().union(*(models(one) for one in inner)) if inner else set()


def field_names(model, seen=None):
    """Names of every field of a model and of those within it."""
    seen = set() if seen is None else seen
    if model in seen:
        return set()
    seen.add(model)
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in models(field.annotation) | set().union(*(models(one) for one in field.metadata)):
            names |= field_names(inner, seen)
    return names


def names_in(value):
    if isinstance(value, dict):
        return set(value) | set().union(*map(names_in, value.values()))
    return set().union(*map(names_in, value)) if isinstance(value, list) else set()


def test_the_event_of_this_test_has_every_field_of_the_contract():
    known = set().union(*(field_names(model) for model in (InvoiceRequest, Invoice, CreditNote, CollectionCase)))
    assert {"addressCity", "vatCode", "url", "content"} <= known
    assert known <= names_in(full_event())


def structured(data):
    attributes = {"specversion": "1.0", "id": "e-1", "source": "/erp", "type": "kravia.invoice.requested.v1"}
    return json.dumps(attributes | {"subject": MARKER, "debtor": MARKER, "data": data}).encode()


FULL = json.dumps(full_event()).encode()
VALUES = {
    "valid": (FULL, "application/json"),
    "wrong": (json.dumps(every_kind_wrong(full_event())).encode(), "application/json"),
    "torn": (FULL[:-10], "application/json"),
    "structured": (structured(full_event()), "application/cloudevents+json"),
    "structured, wrong": (structured(every_kind_wrong(full_event())), "application/cloudevents+json"),
    "a list": (json.dumps([MARKER]).encode(), "application/json"),
    "a text": (json.dumps(MARKER).encode(), "application/json"),
    "bytes": (b"\xff" + MARKER.encode(), MARKER),
    "elsewhere": (json.dumps({"invoice": [{"debtorName": MARKER}], "attachments": MARKER}).encode(), "text/plain"),
}


@pytest.mark.parametrize("name", VALUES)
def test_no_marker_is_in_any_output(name, monkeypatch, tmp_path, capsys):
    world = found_by_the_command_line(monkeypatch, tmp_path)
    value, kind = VALUES[name]
    headers = (
        ("content-type", kind.encode()),
        ("debtor", MARKER.encode()),
        ("command-who", MARKER.encode()),
        ("kravia.dlq.reason", MARKER.encode()),
        (f"name-{MARKER}", b"1"),
    )
    key = identity(10759, "Invoice", "20001").encode() if name == "valid" else MARKER.encode()
    world.settle(Record(TOPICS.requests, 0, 0, 0, key, value, headers), REFUSED)
    if name == "valid":
        changes = {"debtorName": f"{MARKER} 2", "dueDate": "2026-06-01", "email": None}
        world.settle(again(world, FIRST, verb="edit", changes=changes, changed="/invoice/debtorName"), REFUSED)
        world.settle(again(world, FIRST, verb="edit", changes={"ssn": f"{MARKER} 3"}), SCHEDULED)
    state = ("--state", "all")
    for words in (
        *(("list", *state, *more) for more in ((), ("--json",), ("--csv",))),
        *(("groups", *state, *more) for more in ((), ("--json",), ("--csv",))),
        *(("show", str(FIRST), *more) for more in ((), ("--json",))),
        *(("audit", *more) for more in ((), ("--json",), ("--csv",))),
        ("export", "--masked", *state, "out.jsonl"),
    ):
        assert main(["dead-letters", *words]) == 0
        told = capsys.readouterr()
        assert told.out or words[0] in {"export", "audit"}
        assert_unmarked(told.out + told.err)
    assert_unmarked((tmp_path / "out.jsonl").read_text())


def assert_unmarked(text):
    for piece in ("Zyxwvu", DOCUMENT[:20], base64.b64encode(FULL).decode()[:40]):
        assert piece not in text


def test_asked_for_personal_data_is_shown_but_no_document_and_no_signature(monkeypatch, tmp_path, capsys):
    world = found_by_the_command_line(monkeypatch, tmp_path)
    for offset, name in enumerate(VALUES):
        value, kind = VALUES[name]
        world.settle(Record(TOPICS.requests, 0, offset, 0, None, value, (("content-type", kind.encode()),)), REFUSED)
    for offset, name in enumerate(VALUES):
        assert main(["dead-letters", "show", f"{TOPICS.requests}/0/{offset}", "--show-personal-data"]) == 0
        out = capsys.readouterr().out
        assert MARKER in out, name
        assert DOCUMENT not in out
        assert "sig=" not in out


def test_what_is_harmless_stays_readable():
    shown = masked(full_event())
    invoice = shown["invoice"]
    assert (invoice["invoiceNo"], invoice["originalAmount"], invoice["dueDate"]) == ("20001", 2500, "2026-05-01")
    assert (invoice["debtorName"], invoice["email"]) == ("***", "***")
    assert invoice["postalAddress"] == dict.fromkeys(full_event()["invoice"]["postalAddress"], "***")
    assert invoice["orderLines"][0]["total"] == 1
    assert shown["attachments"][0]["content"].startswith(f"({len(MARKER) * 30} bytes, sha256 ")
    assert shown["attachments"][1]["url"] == "https://documents.example.com/***"


@pytest.mark.parametrize(("private", "shown"), [("false", "999888777"), (False, "999888777"), ("true", "***")])
def test_a_company_is_no_person(private, shown):
    invoice = {"isPrivateIndividual": private, "organizationNumber": "999888777"}
    assert masked({"invoice": invoice})["invoice"]["organizationNumber"] == shown
    assert masked({"invoice": {"organizationNumber": "999888777"}})["invoice"]["organizationNumber"] == "***"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@given(JSON)
def test_masking_takes_whatever_json_there_is(value):
    masked(value)
    masked({"invoice": value, "attachments": value})
    disclosed(value)


@given(JSON, JSON)
def test_a_value_differs_from_another_exactly_when_they_are_not_the_same(before, after):
    assert list(differences(before, before)) == []
    same = json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    assert (list(differences(before, after)) == []) == same


def test_pointers_are_those_of_rfc_6901():
    [found] = differences({"a/b": [{"~": 1}]}, {"a/b": [{"~": 2}]})
    assert (pointer(found.path), found.before, found.after) == ("/a~1b/0/~0", 1, 2)
