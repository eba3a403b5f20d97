# ruff: noqa: N815 -- field names are those of the JSON, in the case that Kravia's own fields have
"""The documents of an invoice event: each travels in it, or is named by a reference that the worker fetches."""

from typing import Annotated, Final, Self

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from schemas.files import Base64Text, DocumentUrl, FileName, MediaType, Sha256
from schemas.parts import Part, config

MAX_ATTACHMENTS: Final = 100
"""Attachments of one event. Ours: bounds what a broken producer can make us list; the worker's own limit is lower."""
MAX_SIZE: Final = 2**40
"""Bytes that a reference may name. Likewise."""

_DIGEST: Final = "e5c62df5dab5c87b6a015ef3d43597074d1eec433b15f51aec63b8582d0e4ab4"
_URL: Final = "https://documents.example.com/invoices/20001.pdf"


class _Document(Part):
    fileName: FileName = Field(
        description="A bare file name, at most 255 bytes, different from those of the event's other documents.",
        examples=["invoice-20001.pdf"],
    )
    mediaType: MediaType = Field(
        description="RFC 6838 media type.", examples=["application/pdf", "text/csv; charset=utf-8"]
    )


class InlineAttachment(_Document):
    """A document that travels in the event."""

    model_config = config(
        fileName="invoice-20001.pdf", mediaType="application/pdf", content="JVBERi0xLjQK", sha256=_DIGEST
    )

    content: Base64Text = Field(
        description="The document, in base64 (RFC 4648, padded, without line breaks).", examples=["JVBERi0xLjQK"]
    )
    sha256: Sha256 | None = Field(
        default=None,
        description="Digest of the decoded document; when given, it must be that of `content`.",
        examples=[_DIGEST],
    )

    @model_validator(mode="after")
    def _digest_fits(self) -> Self:
        if self.sha256 is not None and self.sha256 != self.content.sha256:
            raise PydanticCustomError("digest_differs", "The content's SHA-256 is not the one that is given.")
        return self


class ReferencedAttachment(_Document):
    """A document that the worker fetches: a claim check. Missing or altered, it rejects the event."""

    model_config = config(fileName="invoice-20001.pdf", mediaType="application/pdf", url=_URL, sha256=_DIGEST, size=9)

    url: DocumentUrl = Field(
        description="Where it is, by https, on a host that the worker's operator allows. May hold a signature: it is "
        "never logged.",
        examples=[_URL],
    )
    sha256: Sha256 = Field(
        description="Digest of the document, verified before anything is registered.", examples=[_DIGEST]
    )
    size: Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)] = Field(
        description="Bytes of the document, exactly.", examples=[9]
    )


def _kind(value: object) -> str:
    known = value.keys() if isinstance(value, dict) else getattr(value, "__dict__", {}).keys()
    return _REFERENCED if "url" in known else _INLINE


_INLINE: Final = "inline"
_REFERENCED: Final = "referenced"

Attachment = Annotated[
    Annotated[InlineAttachment, Tag(_INLINE)] | Annotated[ReferencedAttachment, Tag(_REFERENCED)],
    Discriminator(_kind),
]
"""A document to attach to the invoice, in the order of the list: one with `url` is a reference, any other inline."""
