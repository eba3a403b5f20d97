"""The kinds of values that an invoice event holds, each with its rule, its error and its JSON Schema.

They are checked in strict types: a number is a JSON number, never a text, and `true` is not 1. An error carries a
stable code and a sentence that says the rule, never the value.
"""

import binascii
import hashlib
import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic.fields import ComputedFieldInfo, FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

MAX_DIGITS: Final = 40
"""Digits of an amount written without an exponent. Ours: Kravia's guides name no limit."""
MAX_NUMBER_TEXT: Final = 255
"""Characters of invoiceNo and accountingInvoiceId, which make the record's key. Ours."""
MAX_URL: Final = 4096
"""Characters of a document's URL, its signature included. Ours."""
MAX_FILE_NAME: Final = 255
"""Bytes of a file name, as most file systems have it."""

# Unicode's line and paragraph separators and its controls of direction end or disguise a name as C0 and C1 do.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_FILE_NAME_BREAKERS: Final = re.compile('[/\\\\"]')
# RFC 6838, section 4.2 (names), with parameters as RFC 9110, section 5.6.6 has them, without quoted values.
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
    r"(?:; ?[A-Za-z0-9!#$&^_.+-]{1,64}=[A-Za-z0-9!#$&^_.+-]{1,64}){0,4}"
)
_SHA256: Final = re.compile("[0-9a-f]{64}")
# RFC 3986's characters and no user information; hosts are judged by the worker when it fetches.
_URL: Final = re.compile(r"https://[A-Za-z0-9.\-\[\]:]{1,260}(?:[/?][A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*)?")
_CURRENCY: Final = re.compile("[A-Z]{3}")
_COUNTRY: Final = re.compile("[A-Z]{2}")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _schema_pattern(pattern: re.Pattern[str]) -> str:
    return f"^{pattern.pattern}$"


class Base64Text(str):
    """Base64 text as it came, with the digest and the size of what it holds, so that it is decoded once."""

    __slots__ = ("sha256", "size")

    sha256: str
    """Hex, of the decoded bytes."""
    size: int
    """Decoded bytes."""

    def __new__(cls, text: str) -> "Base64Text":
        """ValueError when `text` is not base64 (RFC 4648, section 4, padded, without line breaks)."""
        decoded = binascii.a2b_base64(text, strict_mode=True)
        self = super().__new__(cls, text)
        self.sha256 = hashlib.sha256(decoded).hexdigest()
        self.size = len(decoded)
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_base64)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "contentEncoding": "base64", "minLength": 4}


def field_title(name: str, field: FieldInfo | ComputedFieldInfo) -> str:
    """A field's title in a JSON Schema: its name on the wire, for pydantic's own guess mangles it."""
    return field.alias or name


def _base64(value: object) -> Base64Text:
    text = _string(value)
    if not text:
        raise PydanticCustomError("empty", "The content is empty.")
    try:
        return Base64Text(text)
    except ValueError:
        raise PydanticCustomError(
            "bad_base64", "The content must be base64 (RFC 4648, padded, without line breaks)."
        ) from None


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("wrong_type", "This must be a string.")
    return value


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
    text = _string(value)
    if _DATE.fullmatch(text):
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
    text = _string(value)
    if not text or text.isspace():
        raise PydanticCustomError("empty", "This is empty: give a number, or leave it out where it is optional.")
    if len(text) > MAX_NUMBER_TEXT:
        raise PydanticCustomError("text_too_long", "This has more than {limit} characters.", {"limit": MAX_NUMBER_TEXT})
    if _CONTROLS.search(text):
        raise PydanticCustomError("control_character", "This must not hold control characters or line breaks.")
    return text


def _file_name(value: object) -> str:
    text = _string(value)
    if not text or text.isspace():
        raise PydanticCustomError("empty", "The file name is empty.")
    if len(text.encode("utf-8", "replace")) > MAX_FILE_NAME:
        raise PydanticCustomError(
            "text_too_long", "The file name has more than {limit} bytes.", {"limit": MAX_FILE_NAME}
        )
    if text in {".", ".."} or _CONTROLS.search(text) or _FILE_NAME_BREAKERS.search(text):
        raise PydanticCustomError(
            "bad_file_name",
            "The file name must be a bare name: no slash, backslash, double quote, control character or line break.",
        )
    return text


def _currency(value: object) -> str:
    text = _string(value)
    if not _CURRENCY.fullmatch(text):
        raise PydanticCustomError("bad_currency", "This must be an ISO 4217 code: three capital letters, such as NOK.")
    return text


def _country(value: object) -> str:
    text = _string(value)
    if not _COUNTRY.fullmatch(text):
        raise PydanticCustomError("bad_country", "This must be an ISO 3166-1 code: two capital letters, such as NO.")
    return text


def _media_type(value: object) -> str:
    text = _string(value)
    if not _MEDIA_TYPE.fullmatch(text):
        raise PydanticCustomError("bad_media_type", "This must be a media type such as application/pdf.")
    return text


def _sha256(value: object) -> str:
    text = _string(value)
    if not _SHA256.fullmatch(text):
        raise PydanticCustomError("bad_sha256", "This must be a SHA-256 in 64 lower-case hexadecimal digits.")
    return text


def _url(value: object) -> str:
    text = _string(value)
    if len(text) > MAX_URL:
        raise PydanticCustomError("text_too_long", "The URL has more than {limit} characters.", {"limit": MAX_URL})
    if not _URL.fullmatch(text):
        raise PydanticCustomError("bad_url", "This must be an https URL without user, password and fragment.")
    return text


Number = Annotated[Decimal, PlainValidator(_number), WithJsonSchema({"type": "number"})]
"""A JSON number, kept digit by digit."""

CalendarDate = Annotated[
    str,
    PlainValidator(_calendar_date),
    WithJsonSchema({"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}),
]
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
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NUMBER_TEXT, "pattern": r"\S"}),
]
"""A text that identifies something: not blank, bounded, without control characters; taken as it is."""

FileName = Annotated[
    str,
    PlainValidator(_file_name),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": MAX_FILE_NAME, "pattern": r'^[^/\\"\u0000-\u001f]+$'}
    ),
]

MediaType = Annotated[
    str,
    PlainValidator(_media_type),
    WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z0-9][^\s/;]*/[A-Za-z0-9][^\s/;]*(; ?[^\s=;]+=[^\s=;]+)*$"}),
]

Sha256 = Annotated[
    str, PlainValidator(_sha256), WithJsonSchema({"type": "string", "pattern": _schema_pattern(_SHA256)})
]
"""A SHA-256 digest in hex."""

DocumentUrl = Annotated[
    str,
    PlainValidator(_url),
    WithJsonSchema({"type": "string", "format": "uri", "maxLength": MAX_URL, "pattern": _schema_pattern(_URL)}),
]
"""An https URL, as it came."""

Currency = Annotated[str, PlainValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]

Country = Annotated[str, PlainValidator(_country), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{2}$"})]

Text = Annotated[str, Field(strict=True)]
"""Any text; how long it may be is not known, so only the record bounds it."""

FilledText = Annotated[str, Field(strict=True, min_length=1, pattern=r"\S")]
"""A text that is not blank."""
