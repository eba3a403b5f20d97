"""The kinds of values that an attachment holds, as `schemas.fields` has those of the invoice."""

import binascii
import hashlib
import ipaddress
import re
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, PlainValidator, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from schemas.fields import has_controls, strict_text
from schemas.texts import CONTROLS, FILLED, text_schema, whole

MAX_URL: Final = 4096
"""Characters of a document's URL, its signature included. Ours."""
MAX_FILE_NAME: Final = 255
"""Bytes of a file name, as most file systems have it."""

_FILE_NAME_BREAKERS: Final = '/\\\\"'
# RFC 6838, section 4.2 (names), with parameters as RFC 9110, section 5.6.6 has them, without quoted values.
_MEDIA_TYPE: Final = (
    "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
    "(?:; ?[A-Za-z0-9!#$&^_.+-]{1,64}=[A-Za-z0-9!#$&^_.+-]{1,64}){0,4}"
)
_SHA256: Final = "[0-9a-f]{64}"
# RFC 3986 without user information and fragment; which hosts are allowed is judged by the worker when it fetches.
_URL: Final = (
    r"https://(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?"
)
_NOT_IN_URL: Final = "[^!-~]|%[0-9A-Fa-f]?(?:[^0-9A-Fa-f]|$)"
_AUTHORITY: Final = re.compile(r"https://(?:\[([^\]]+)\]|[^/?:]+)(?::([0-9]+))?")
_MAX_PORT: Final = 65535


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
        # That groups of four are whole is left to prose: a repeated group over megabytes overflows Java's stack.
        return whole("[A-Za-z0-9+/]{2,}={0,2}", never="[^A-Za-z0-9+/=]", minLength=4, contentEncoding="base64")


def _base64(value: object) -> Base64Text:
    text = strict_text(value)
    if not text:
        raise PydanticCustomError("empty", "The content is empty.")
    if isinstance(text, Base64Text):
        return text
    try:
        return Base64Text(text)
    except ValueError:
        raise PydanticCustomError(
            "bad_base64", "The content must be base64 (RFC 4648, padded, without line breaks)."
        ) from None


def _file_name(value: object) -> str:
    text = strict_text(value)
    if not text or text.isspace():
        raise PydanticCustomError("empty", "The file name is empty.")
    if len(text.encode()) > MAX_FILE_NAME:
        raise PydanticCustomError(
            "text_too_long", "The file name has more than {limit} bytes.", {"limit": MAX_FILE_NAME}
        )
    if text in {".", ".."} or has_controls(text) or re.search(f"[{_FILE_NAME_BREAKERS}]", text):
        raise PydanticCustomError(
            "bad_file_name",
            "The file name must be a bare name: no slash, backslash, double quote, control character or line break.",
        )
    return text


def _media_type(value: object) -> str:
    text = strict_text(value)
    if not re.fullmatch(_MEDIA_TYPE, text):
        raise PydanticCustomError("bad_media_type", "This must be a media type such as application/pdf.")
    return text


def _sha256(value: object) -> str:
    text = strict_text(value)
    if not re.fullmatch(_SHA256, text):
        raise PydanticCustomError("bad_sha256", "This must be a SHA-256 in 64 lower-case hexadecimal digits.")
    return text


def _url(value: object) -> str:
    text = strict_text(value)
    if len(text) > MAX_URL:
        raise PydanticCustomError("text_too_long", "The URL has more than {limit} characters.", {"limit": MAX_URL})
    if not re.fullmatch(_URL, text) or re.search(_NOT_IN_URL, text) or not _reachable(text):
        raise PydanticCustomError(
            "bad_url", "This must be an https URL (RFC 3986) without user, password and fragment."
        )
    return text


def _reachable(url: str) -> bool:
    """Whether the address between brackets is one, and the port."""
    found = _AUTHORITY.match(url)
    address, port = found.groups() if found else (None, None)
    if address is not None:
        try:
            ipaddress.IPv6Address(address)
        except ValueError:
            return False
    return port is None or 0 < int(port) <= _MAX_PORT


FileName = Annotated[
    str,
    PlainValidator(_file_name),
    WithJsonSchema(
        text_schema(
            FILLED, never=f"^\\.{{1,2}}$|[{_FILE_NAME_BREAKERS}{CONTROLS}]", minLength=1, maxLength=MAX_FILE_NAME
        )
    ),
]
"""A bare file name."""

MediaType = Annotated[str, PlainValidator(_media_type), WithJsonSchema(whole(_MEDIA_TYPE, never="[^ -~]"))]
"""An RFC 6838 media type, with up to four plain parameters."""

Sha256 = Annotated[str, PlainValidator(_sha256), WithJsonSchema(whole(_SHA256, length=64))]
"""A SHA-256 digest in hex."""

DocumentUrl = Annotated[
    str, PlainValidator(_url), WithJsonSchema(whole(_URL, never=_NOT_IN_URL, format="uri", maxLength=MAX_URL))
]
"""An https URL, as it came."""
