"""What the simulated Kravia reads off the wire, and what it refuses by name."""

import json

import pytest

from tests.unit.fakes_simulator import GUIDE
from worker.demo.simulator_wire import Faulty, Registration, read_form, read_registration


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"isPrivateIndividual": True}, "isPrivateIndividual"),
        ({"creditorId": "10759"}, "creditorId"),
        ({"creditorId": True}, "creditorId"),
        ({"creditorId": None}, "creditorId"),
        ({"originalAmount": "2500"}, "originalAmount"),
        ({"claimType": "Letter"}, "claimType"),
        ({"colour": "red"}, "colour"),
        ({"orderLines": [{"total": "1"}]}, "orderLines[0].total"),
        ({"postalAddress": "Oslo"}, "postalAddress"),
    ],
)
def test_wrong_types_are_refused_by_name(changed: dict[str, object], field: str) -> None:
    found = read_registration(json.dumps(GUIDE | changed).encode())
    assert isinstance(found, Faulty)
    assert list(found.errors) == [field]


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    assert isinstance(read_registration(body), Faulty)


def test_a_credit_note_is_told_apart_by_its_own_id() -> None:
    note = GUIDE | {"claimType": "CreditNote", "accountingInvoiceId": "K/1", "invoiceNo": "20 001"}
    found = read_registration(json.dumps(note).encode())
    assert isinstance(found, Registration)
    assert found.identity == "10759/CreditNote/20%20001/K%2F1"


def test_a_form_with_two_fields_is_not_accepted() -> None:
    field = b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nYQ==\r\n'
    assert read_form("multipart/form-data; boundary=x", field + field + b"--x--\r\n") is None
