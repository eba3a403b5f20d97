"""Strict JSON in and out, with money as Decimal from byte to byte.

In: UTF-8 only (a byte order mark is skipped, as RFC 8259 allows), numbers with a fraction or an exponent become
Decimal, duplicate names, NaN, Infinity, lone surrogates and more than `MAX_DEPTH` levels are refused. Out: compact
UTF-8, every digit of a Decimal as it came, never an exponent.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Final, Never, TypeAlias

JsonValue: TypeAlias = dict[str, "JsonValue"] | list["JsonValue"] | str | int | Decimal | bool | None
Writable: TypeAlias = Mapping[str, "Writable"] | Sequence["Writable"] | str | int | Decimal | bool | None

MAX_DEPTH: Final = 64
"""Levels of objects and lists within each other: ours has five."""
MAX_NUMBER: Final = 128
"""Characters of one number, and digits that it has when it is written without an exponent."""

_CONTAINER: Final = (dict, list)
_quoted: Final[Callable[[str], str]] = encode_basestring


@dataclass(frozen=True, slots=True)
class JsonError:
    """Why bytes are not JSON that we take: a stable code and a sentence that holds none of the text."""

    code: str
    message: str


class _RefusedError(ValueError):
    """Carries a JsonError out of the parser's hooks; never leaves `loads`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.error = JsonError(code, message)


def loads(data: bytes) -> JsonValue | JsonError:
    """The value that `data` holds, or why it is refused. Whole numbers become int, all others Decimal.

    Codes: `empty`, `wrong_encoding`, `not_json`, `duplicate_name`, `not_a_number`, `number_too_long`, `too_deep`.
    """
    if not data or data.isspace():
        return JsonError("empty", "There is no text: the JSON value is missing.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return JsonError("wrong_encoding", f"The text must be UTF-8: byte {error.start} is not.")
    try:
        value: JsonValue = _DECODER.decode(text)
    except _RefusedError as refused:
        return refused.error
    except json.JSONDecodeError as error:
        return JsonError("not_json", f"The text is not JSON, from line {error.lineno}, column {error.colno} on.")
    except RecursionError:
        return _TOO_DEEP
    except ValueError:
        # int() refuses thousands of digits (sys.set_int_max_str_digits).
        return _NUMBER_TOO_LONG
    if _deeper_than(value, MAX_DEPTH):
        return _TOO_DEEP
    # Only an escape can hide a surrogate: UTF-8 itself has none.
    if "\\u" in text and _has_surrogate(value):
        return JsonError("wrong_encoding", "A text has half of a surrogate pair (\\ud800 to \\udfff).")
    return value


def dumps(value: Writable) -> bytes:
    """`value` as compact UTF-8 JSON; names keep their order, a Decimal its digits (`2500.00`, `1000` for 1E+3).

    TypeError for a value that JSON or money does not have (float among them), ValueError for a Decimal that is not
    finite, UnicodeEncodeError for a lone surrogate.
    """
    return _text(value).encode()


def canonical(value: Writable) -> str:
    """Text that is equal for equal content: names sorted, null ones left out, `2500.00`, `2500` and `2.5e3` alike.

    Errors as for `dumps`.
    """
    if isinstance(value, str):  # first, as in `_text`
        return _quoted(value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{_quoted(k)}:{canonical(v)}' for k, v in sorted(value.items()) if v is not None)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(canonical, value))}]"
    return _text(value)


def plain(number: Decimal) -> str:
    """`number` without an exponent and without zeros at the end of its fraction. ValueError when it is not finite."""
    text = _digits(number)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _text(value: Writable) -> str:
    # Ordered by how often each type comes: this runs for every event.
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, Mapping):
        return f"{{{','.join([f'{_quoted(k)}:{_text(v)}' for k, v in value.items()])}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    raise TypeError(f"{type(value).__name__} can't be written as JSON.")


def _digits(number: Decimal) -> str:
    if not number.is_finite():
        raise ValueError("JSON has no NaN and no Infinity.")
    return format(number, "f")


def _decimal(text: str) -> Decimal:
    # Without these bounds 1e999999999 would be a gigabyte of zeros when it is written out.
    if len(text) > MAX_NUMBER:
        raise _RefusedError(_NUMBER_TOO_LONG.code, _NUMBER_TOO_LONG.message)
    mantissa, _, exponent = text.lower().partition("e")
    if exponent and (len(exponent) > 5 or abs(int(exponent)) + len(mantissa) > MAX_NUMBER):
        raise _RefusedError(_NUMBER_TOO_LONG.code, _NUMBER_TOO_LONG.message)
    return Decimal(text)


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _RefusedError("duplicate_name", "An object has the same name twice.")
    return result


def _constant(_text: str) -> Never:
    raise _RefusedError("not_a_number", "NaN and Infinity are not JSON: write a number or null.")


def _deeper_than(value: JsonValue, limit: int) -> bool:
    # Level by level, so that depth costs no stack.
    level = [value]
    for _ in range(limit):
        below: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                below += [v for v in item.values() if isinstance(v, _CONTAINER)]
            elif isinstance(item, list):
                below += [v for v in item if isinstance(v, _CONTAINER)]
        if not below:
            return False
        level = below
    return True


def _has_surrogate(value: JsonValue) -> bool:
    try:
        dumps(value)
    except UnicodeEncodeError:
        return True
    return False


_TOO_DEEP: Final = JsonError("too_deep", f"Objects and lists lie within each other more than {MAX_DEPTH} deep.")
_NUMBER_TOO_LONG: Final = JsonError(
    "number_too_long", f"A number has more than {MAX_NUMBER} digits when it is written out."
)
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_float=_decimal, parse_constant=_constant)
