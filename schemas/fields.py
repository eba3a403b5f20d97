"""The kinds of values that an invoice event holds, each with its rule, its error and its JSON Schema.

They are checked in strict types: a number is a JSON number, never a text, and `true` is not 1. An error carries a
stable code and a sentence that says the rule, never the value. Those of attachments are in `schemas.files`.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic.fields import ComputedFieldInfo, FieldInfo
from pydantic_core import PydanticCustomError

from schemas.texts import CONTROLS, FILLED, text_schema, whole

MAX_DIGITS: Final = 40
"""Digits of an amount written without an exponent. Ours: Kravia's guides name no limit."""
MAX_NUMBER_TEXT: Final = 255
"""Characters of invoiceNo and accountingInvoiceId, which make the record's key. Ours."""

CURRENCY: Final = "[A-Z]{3}"
COUNTRY: Final = "[A-Z]{2}"
DATE: Final = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_HAS_CONTROLS: Final = re.compile(f"[{CONTROLS}]")


def field_title(name: str, field: FieldInfo | ComputedFieldInfo) -> str:
    """A field's title in a JSON Schema: its name on the wire, for pydantic's own guess mangles it."""
    return field.alias or name


def strict_text(value: object) -> str:
    """`value`, when it is a string that UTF-8 can write; else an error for pydantic."""
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "This must be a string.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            # JSON text can't bring one (`schemas.jsontext` refuses it), a producer's own str can.
            raise PydanticCustomError(
                "wrong_encoding", "This holds half of a surrogate pair, which UTF-8 can't write."
            ) from None
    return value


def has_controls(text: str) -> bool:
    """Whether it holds control characters, line breaks or Unicode's controls of direction."""
    return _HAS_CONTROLS.search(text) is not None


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("wrong_type", "This must be a number, not in quotes.")
    number = Decimal(value)
    if not number.is_finite():
        raise PydanticCustomError("not_a_number", "This must be a finite number.")
    # What it has when it is written out: digits before the point and after it, zeros that an exponent stands for too.
    exponent = int(number.as_tuple().exponent)
    if max(number.adjusted() + 1, 1) + max(-exponent, 0) > MAX_DIGITS:
        raise PydanticCustomError(
            "too_many_digits", "This number has more than {limit} digits when it is written out.", {"limit": MAX_DIGITS}
        )
    return number


def _calendar_date(value: object) -> str:
    text = strict_text(value)
    if re.fullmatch(DATE, text):
        try:
            date.fromisoformat(text)
        except ValueError:
            pass
        else:
            return text
    raise PydanticCustomError("bad_date", "This must be a calendar date as YYYY-MM-DD.")


def _boolean_text(value: object) -> str:
    if value is True or value == "true":
        return "true"
    if value is False or value == "false":
        return "false"
    raise PydanticCustomError("not_allowed", 'This must be true or false, as a boolean or as "true" or "false".')


def _reference(value: object) -> str:
    text = strict_text(value)
    if not text or text.isspace():
        raise PydanticCustomError("empty", "This is empty: give a number, or leave it out where it is optional.")
    if len(text) > MAX_NUMBER_TEXT:
        raise PydanticCustomError("text_too_long", "This has more than {limit} characters.", {"limit": MAX_NUMBER_TEXT})
    if has_controls(text):
        raise PydanticCustomError("control_character", "This must not hold control characters or line breaks.")
    return text


def _currency(value: object) -> str:
    text = strict_text(value)
    if not re.fullmatch(CURRENCY, text):
        raise PydanticCustomError("bad_currency", "This must be an ISO 4217 code: three capital letters, such as NOK.")
    return text


def _country(value: object) -> str:
    text = strict_text(value)
    if not re.fullmatch(COUNTRY, text):
        raise PydanticCustomError("bad_country", "This must be an ISO 3166-1 code: two capital letters, such as NO.")
    return text


# Digits before the point are bounded by the limits (1e40 itself, so that a validator which computes in doubles refuses
# nothing that the model takes); those after it can't be.
Number = Annotated[
    Decimal,
    PlainValidator(_number),
    WithJsonSchema({"type": "number", "minimum": -float(10**MAX_DIGITS), "maximum": float(10**MAX_DIGITS)}),
]
"""A JSON number, kept digit by digit."""

CalendarDate = Annotated[str, PlainValidator(_calendar_date), WithJsonSchema(whole(DATE, length=10, format="date"))]
"""`YYYY-MM-DD`, kept as it was written."""

BooleanText = Annotated[
    str,
    PlainValidator(_boolean_text),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]}),
]
"""A boolean, or the text that Kravia's guide prints; the value is the text."""

Reference = Annotated[
    str,
    PlainValidator(_reference),
    WithJsonSchema(text_schema(FILLED, never=f"[{CONTROLS}]", minLength=1, maxLength=MAX_NUMBER_TEXT)),
]
"""A text that identifies something: not blank, bounded, without control characters; taken as it is."""

Currency = Annotated[str, PlainValidator(_currency), WithJsonSchema(whole(CURRENCY, length=3))]
"""ISO 4217, by its form."""

Country = Annotated[str, PlainValidator(_country), WithJsonSchema(whole(COUNTRY, length=2))]
"""ISO 3166-1 alpha-2, by its form."""

Text = Annotated[str, Field(strict=True)]
"""Any text; how long it may be is not known, so only the record bounds it."""

FilledText = Annotated[str, Field(strict=True, min_length=1, pattern=FILLED)]
"""A text that is not blank."""
