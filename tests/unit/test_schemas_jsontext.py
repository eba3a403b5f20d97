"""Strict JSON: money survives, and what is not plainly JSON is refused with a code."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.jsontext import MAX_DEPTH, JsonError, canonical, dumps, loads, plain

TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30, places=9)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**60), 10**60) | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "text",
    [
        "2500.00",
        "0.30000000000000004",
        "12345678901234567890",
        "12345678901234567890.12",
        "0.1",
        "-0.05",
        "100000000000000000000000000000.10",
    ],
)
def test_a_number_keeps_its_digits_from_byte_to_byte(text):
    assert dumps(loads(text.encode())) == text.encode()


@pytest.mark.parametrize(
    ("text", "written"), [("1e3", "1000"), ("1.5E2", "150"), ("2.50e1", "25.0"), ("1E-3", "0.001"), ("12e-1", "1.2")]
)
def test_an_exponent_is_written_out(text, written):
    assert dumps(loads(text.encode())) == written.encode()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"nope", "not_json"),
        (b'{"a":1', "not_json"),
        (b'{"a":1} x', "not_json"),
        (b'{"a":1,}', "not_json"),
        (b'"a\nb"', "not_json"),
        (b"\xef\xbb\xbf", "not_json"),
        (b'"\xff"', "wrong_encoding"),
        ('"å"'.encode("latin-1"), "wrong_encoding"),
        ("{}".encode("utf-16"), "wrong_encoding"),
        (b'"\\ud800"', "wrong_encoding"),
        (b'[{"\\udc00":1}]', "wrong_encoding"),
        (b'{"a":1,"a":1}', "duplicate_name"),
        (b'[{"b":{"a":1,"\\u0061":2}}]', "duplicate_name"),
        (b"NaN", "not_a_number"),
        (b"[-Infinity]", "not_a_number"),
        (b"1e999999999", "number_too_long"),
        (b"1e-999999999", "number_too_long"),
        (b"1e" + b"9" * 30, "number_too_long"),
        (b"0." + b"1" * 200, "number_too_long"),
        (b"1" * 5000, "number_too_long"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too_deep"),
        (b"[" * 500_000, "too_deep"),
        (b'{"a":' * 200_000, "too_deep"),
    ],
)
def test_what_is_refused(data, code):
    result = loads(data)
    assert isinstance(result, JsonError)
    assert result.code == code
    assert result.message.endswith(".")


def test_as_deep_as_allowed():
    assert not isinstance(loads(b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH), JsonError)


def test_a_byte_order_mark_is_skipped_and_pairs_of_surrogates_are_one_character():
    assert loads(b"\xef\xbb\xbf[1]") == [1]
    assert loads(b'"\\ud83d\\ude00"') == "😀"


def test_a_parse_error_says_where_and_quotes_nothing():
    result = loads(b'{"name": "Secret Person",\n oops}')
    assert result == JsonError("not_json", "The text is not JSON, from line 2, column 2 on.")


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(data):
    loads(data)


@given(VALUES)
def test_what_is_written_can_be_read(value):
    assert loads(dumps(value)) == value


@given(VALUES)
def test_any_parser_reads_what_is_written(value):
    assert json.loads(dumps(value), parse_float=Decimal) == value


@given(VALUES)
def test_writing_what_was_read_changes_nothing(value):
    data = dumps(value)
    assert dumps(loads(data)) == data


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a":1,"b":2.50}', '{"b":2.5,"a":1.0}'),
        ('{"a":null}', "{}"),
        ('[{"x":1e2}]', '[{"x":100.00,"y":null}]'),
        ("-0.0", "0"),
    ],
)
def test_canonical_text_is_equal_for_equal_content(one, other):
    assert canonical(loads(one.encode())) == canonical(loads(other.encode()))


@pytest.mark.parametrize(
    ("one", "other"), [("[1,2]", "[2,1]"), ('"1"', "1"), ("[]", "null"), ("[null]", "[]"), ('{"a":""}', "{}")]
)
def test_canonical_text_differs_for_other_content(one, other):
    assert canonical(loads(one.encode())) != canonical(loads(other.encode()))


@given(NUMBERS)
def test_plain_numbers_are_equal_exactly_when_the_numbers_are(number):
    assert Decimal(plain(number)) == number
    # Zeros are appended to the text: arithmetic would round to 28 digits.
    assert plain(number) == plain(Decimal(f"{number:f}00"))


def test_what_money_and_json_do_not_have_is_refused():
    with pytest.raises(TypeError):
        dumps(0.1)  # type: ignore[arg-type]  # what the type forbids, a caller without mypy may still try
    with pytest.raises(ValueError, match="NaN"):
        dumps(Decimal("NaN"))
