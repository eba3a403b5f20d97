"""What an edit changes: assignments, pointers, and the header that names them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.jsontext import loads
from worker.deadletters.changes import Wrong, assignment, changed_header, with_value
from worker.deadletters.differences import differences, pointer


@given(st.dictionaries(st.text(min_size=1, max_size=4), st.integers() | st.text(max_size=4), min_size=1), st.data())
def test_what_is_set_is_the_only_difference(data, draw):
    name = draw.draw(st.sampled_from(sorted(data)))
    place = pointer((name,))
    after = with_value(data, place, ["new"])
    assert [change.path for change in differences(data, after)] == [(name,)]
    assert with_value(after, place, data[name]) == data


@given(st.lists(st.text(max_size=30).map(lambda text: "/invoice/orderLines/" + text.replace("/", "")), max_size=200))
def test_the_header_of_changes_fits_and_holds_pointers_without_blanks(pointers):
    text = changed_header(pointers)
    assert len(text.encode("utf-8", "replace")) <= 1024
    assert all(part.startswith("/invoice") for part in text.split())
    assert bool(text) == bool(pointers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/invoice/email=kari@example.com", ("/invoice/email", "kari@example.com")),
        ("/invoice/originalAmount=2500.10", ("/invoice/originalAmount", loads(b"2500.10"))),
        ('/invoice/invoiceNo="20001"', ("/invoice/invoiceNo", "20001")),
        ("/invoice/email=null", ("/invoice/email", None)),
        ("/a=b=c", ("/a", "b=c")),
    ],
)
def test_assignments(text, expected):
    assert assignment(text) == expected


@pytest.mark.parametrize("text", ["invoice/email=x", "/invoice/email", ""])
def test_assignments_that_are_none_say_what_to_write(text):
    wrong = assignment(text)
    assert isinstance(wrong, Wrong)
    assert "/pointer=value" in wrong.message


@pytest.mark.parametrize("pointer", ["/nothing/here", "/list/3", "/list/-/x", "/text/x"])
def test_a_pointer_that_leads_nowhere_is_named(pointer):
    assert isinstance(with_value({"list": [1], "text": "t"}, pointer, 1), Wrong)


def test_lists_are_changed_by_index():
    data = {"list": [1, 2]}
    assert with_value(data, "/list/-", 3) == {"list": [1, 2, 3]}
    assert with_value(data, "/list/0", None) == {"list": [2]}
    assert data == {"list": [1, 2]}
