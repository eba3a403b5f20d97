"""Ids, details and search rows: every plausible form is read, anything else says that it does not tell."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.kravia.reading import field_names, read_details, read_id, read_page
from worker.ports import Details

JSON = "application/json; charset=utf-8"
BIG = "123456789012345678901234567890"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("4711", "4711"),
        (" 4711\n", "4711"),
        (BIG, BIG),
        ('"4711"', "4711"),
        ('"3f2504e0-4f89-41d3-9a0c-0305e82c3301"', "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
        ('{"id": 4711}', "4711"),
        (f'{{"id": {BIG}}}', BIG),
        ('{"invoiceId": "a-1"}', "a-1"),
        ('{"claimId": 4711, "status": "ok"}', "4711"),
        ('{"id": null, "claimId": 4711}', "4711"),
        ('{"id": 4711, "invoiceId": "4711"}', "4711"),
        ('{"id": 4711, "claimId": 12}', None),
        ('{"ID": 4711}', None),
        ("true", None),
        ("null", None),
        ("4711.0", None),
        ("4.7e3", None),
        ("NaN", None),
        ('""', None),
        ('"  "', None),
        ('" 1"', None),
        ('"a/b"', None),
        ('"a\\\\b"', None),
        ('".."', None),
        ('"."', None),
        ('"a\\nb"', None),
        ('"\\ud800"', None),
        (json.dumps("x" * 200), "x" * 200),
        (json.dumps("x" * 201), None),
        ("9" * 201, None),
        ("9" * 5000, None),
        ('{"id": true}', None),
        ('{"id": 1.5}', None),
        ('{"id": [1]}', None),
        ('{"id": {"value": 1}}', None),
        ("[4711]", None),
        ("{}", None),
        ("", None),
        ("<html>4711</html>", None),
        ("[" * 100_000, None),
    ],
)
def test_the_id_in_registers_answer(body: str, expected: str | None) -> None:
    assert read_id(body, JSON, None) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        ("a-4711", "text/plain; charset=utf-8", "a-4711"),
        ("OK", "text/plain", None),
        ("ok 4711", "text/plain", None),
        ("a-4711", "application/json", None),
        ("a-4711", None, None),
        ("4711", "text/plain", "4711"),
    ],
)
def test_an_unquoted_id_counts_only_as_plain_text(body: str, content_type: str | None, expected: str | None) -> None:
    assert read_id(body, content_type, None) == expected


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/data/invoice/0/number", "7"),
        ("/a~1b/m~0n", "8"),
        ("/id", "1"),
        ("/data", None),
        ("/data/invoice/1/number", None),
        ("/data/invoice/00/number", None),
        ("/data/invoice/-/number", None),
        ("/missing", None),
        ("", None),
    ],
)
def test_a_pointer_names_the_only_place_that_counts(pointer: str, expected: str | None) -> None:
    body = '{"id": 1, "data": {"invoice": [{"number": 7}]}, "a/b": {"m~n": "8"}}'
    assert read_id(body, JSON, pointer) == expected


def test_the_empty_pointer_is_the_whole_answer() -> None:
    assert read_id("7", JSON, "") == "7"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_no_answer_upsets_the_readers(value: object) -> None:
    body = json.dumps(value)
    found = read_id(body, JSON, None)
    assert found is None or (0 < len(found) <= 200 and "/" not in found)
    read_details(body)
    read_page(body)
    field_names(body)


@given(st.text())
def test_no_text_upsets_the_readers(body: str) -> None:
    read_id(body, "text/plain", None)
    assert read_page(body) is None or body.strip().startswith(("[", "{"))
    read_details(body)
    field_names(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"documents": [], "availableActions": ["Start"]}', Details((), True)),
        ('{"Documents": [{"FileName": "a.pdf"}], "AvailableActions": []}', Details(("a.pdf",), False)),
        ('{"documents": ["a.pdf", "b.pdf"], "actions": [{"name": "Cancel"}]}', Details(("a.pdf", "b.pdf"), False)),
        ('{"data": {"documents": [{"name": "a"}], "availableActions": [{"type": "start"}]}}', Details(("a",), True)),
        ('{"availableActions": [{"action": "Start"}, {"action": "Pause"}]}', Details(None, True)),
        ('{"documents": [{"fileName": "a"}, {"size": 3}]}', Details(None, None)),
        ('{"documents": [7]}', Details(None, None)),
        ('{"documents": null, "availableActions": "Start"}', Details(None, None)),
        ('{"availableActions": [{"allowed": true}]}', Details(None, None)),
        ("[]", Details(None, None)),
        ("<html>", Details(None, None)),
        ("", Details(None, None)),
    ],
)
def test_details_tell_or_say_that_they_do_not(body: str, expected: Details) -> None:
    assert read_details(body) == expected


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("[]", ()),
        ('[{"invoiceNo": "1"}]', ({"invoiceNo": "1"},)),
        ('{"items": [{"id": 5, "nested": {"creditorId": 7}}], "total": 1}', ({"id": 5, "nested": {"creditorId": 7}},)),
        ('{"items": []}', ()),
        ('{"items": [], "errors": []}', None),
        ('{"items": [1]}', None),
        ("[[]]", None),
        ("{}", None),
        ('{"total": 0}', None),
        ("null", None),
        ("", None),
        ("<html>", None),
    ],
)
def test_an_unreadable_page_is_not_an_empty_one(body: str, rows: tuple[dict[str, object], ...] | None) -> None:
    page = read_page(body)
    assert (None if page is None else page.rows) == rows


def test_field_names_are_bounded_and_harmless() -> None:
    names = field_names(json.dumps({f"n{number}": number for number in range(100)}))
    assert len(names) == 20
    assert field_names('{"ola@example.com": 1, "a\\nb": 2, "%s": 3}' % ("x" * 65)) == ("?",)
