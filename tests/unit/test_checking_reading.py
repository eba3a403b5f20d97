"""Events out of files: which format it is, where each event begins, and what is no event at all."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.checking import document, items, reading
from worker.checking.items import Broken, Form, Item
from worker.checking.reading import Format, read_items


def read(data: bytes, form: Format = Format.AUTO) -> list[Item | Broken]:
    return list(read_items(io.BytesIO(data), "f", form))


def seen(data: bytes, form: Format = Format.AUTO) -> list[tuple[int, object]]:
    """Line and value of each item, line and code of what is none."""
    return [(one.place.line, one.problem.code if isinstance(one, Broken) else one.value) for one in read(data, form)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n \n", []),
        (b"[]", []),
        (b'{"a":1}', [(1, b'{"a":1}')]),
        (b'\xef\xbb\xbf{"a":1}\r\n\r\n{"b":2}\r\n', [(1, b'{"a":1}'), (3, b'{"b":2}')]),
        (b'{"a":1}\n{"b":\n{"c":3}', [(1, b'{"a":1}'), (2, b'{"b":'), (3, b'{"c":3}')]),
        (b'{"broken":\n{"b":2}\n', [(1, b'{"broken":'), (2, b'{"b":2}')]),
        (b'{\n "a": 1.50\n}\n', [(1, b'{\n "a": 1.50\n}')]),
        (b'{\n"a":1\n}\n{"b":2}', [(1, b'{\n"a":1\n}'), (4, b'{"b":2}')]),
        (b'\n[\n {"a":1},\n\n {"a":1,"a":2} ]\n', [(3, b'{"a":1}'), (5, b'{"a":1,"a":2}')]),
        (b"[[1],2]", [(1, b"[1]"), (1, b"2")]),
        (b"<invoice/>", [(1, "not_json")]),
        (b"{", [(1, "not_json")]),
        (b'[1,\n{"a":}]', [(1, b"1"), (2, "not_json")]),
        (b"[1 2]", [(1, b"1"), (1, "not_json")]),
        (b"[1,]", [(1, b"1"), (1, "not_json")]),
        (b"[1", [(1, b"1"), (1, "not_json")]),
        (b'[{"a":1},\n{"a":"\xff"}]', [(1, "wrong_encoding")]),
        (b"[" + b'{"a":' * 100_000, [(1, "too_deep")]),
    ],
)
def test_what_is_read(data: bytes, expected: list[tuple[int, object]]):
    assert seen(data) == expected


def test_the_format_can_be_said():
    assert seen(b'{\n"a":1}\n', Format.LINES) == [(1, b"{"), (2, b'"a":1}')]
    assert seen(b'{"a":1}\n{"b":2}\n', Format.JSON) == [(1, b'{"a":1}'), (2, b'{"b":2}')]


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.one_of(st.text(), st.integers(), st.lists(st.none())), max_size=4)
    ),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_an_array_and_the_same_as_lines_give_the_same_events(
    values: list[object], indent: int | None, ascii_only: bool
):
    array = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    lines = b"\n".join(json.dumps(value, ensure_ascii=ascii_only).encode() for value in values)
    for data, form in ((array, Format.JSON), (array, Format.AUTO), (lines, Format.LINES), (lines, Format.JSON)):
        found = read(data, form)
        assert [json.loads(one.value) for one in found] == values
        texts = data.split(b"\n")
        assert all(texts[one.place.line - 1].lstrip(b" [")[:1] == b"{" for one in found)


def test_events_across_the_chunks_are_whole():
    values = [{"n": number, "text": "å" * number} for number in range(0, 40_000, 900)]
    array = json.dumps(values, ensure_ascii=False).encode()
    assert [json.loads(one.value) for one in read(array)] == values


def test_a_line_that_is_too_long_is_left_out_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch):
    for module in (items, reading, document):
        monkeypatch.setattr(module, "MAX_ITEM", 200_000)
    long = b'{"a":"' + b"x" * 1_000_000 + b'"}'
    assert seen(b'{"b":1}\n' + long + b'\n{"c":1}\n') == [(1, b'{"b":1}'), (2, "too_long"), (3, b'{"c":1}')]
    assert seen(b'[{"b":1},' + long + b"]") == [(1, b'{"b":1}'), (1, "too_long")]
    assert seen(b'{"b":1}\n{"a":"' + b"x" * 199_000 + b'"}')[1][0] == 2


def test_what_kcat_prints_is_taken_for_the_record_that_it_was():
    printed = {
        "topic": "invoice.requests",
        "partition": 3,
        "offset": 17,
        "tstype": "create",
        "ts": 1,
        "broker": 0,
        "headers": ["ce_id", "1", "X-Empty", None],
        "key": "10759/Invoice/1",
        "payload": '{"invoice":{}}',
    }
    [item] = read(json.dumps(printed).encode())
    assert isinstance(item, Item)
    assert (item.form, item.partition, item.key) == (Form.WRAPPED, 3, b"10759/Invoice/1")
    assert item.value == b'{"invoice":{}}'
    assert item.headers == (("ce_id", b"1"), ("X-Empty", b""))
    [tombstone] = read(b'{"payload":null,"key":null}')
    assert isinstance(tombstone, Item)
    assert (tombstone.value, tombstone.key) == (None, b"")
    for wrong in ({"payload": 1}, {"headers": ["a"]}, {"headers": [1, "a"]}, {"partition": "3"}, {"key": 3}):
        [broken] = read(json.dumps(printed | wrong).encode())
        assert isinstance(broken, Broken)
        assert broken.problem.code == "bad_wrapper"


def test_a_cloudevent_is_told_by_its_specversion():
    [item] = read(b'{"specversion":"1.0","data":{}}')
    assert isinstance(item, Item)
    assert item.form is Form.STRUCTURED
    [data] = read(b'{"invoice":{"description":"\\"specversion\\" and \\"payload\\""}}')
    assert isinstance(data, Item)
    assert data.form is Form.DATA
