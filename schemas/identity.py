"""An invoice's identity, and the partition that it leads to: what a producer needs to write the record's key.

The identity is `{creditorId}/{claimType}/{q(invoiceNo)}`; for a CreditNote `/{q(accountingInvoiceId)}` is appended
where it is given, since several partial notes may name one invoice. q is NFC, then percent-encoding of all but RFC
3986's unreserved characters: no trimming, no case folding. Two events of one identity are one invoice.

The record's key is the identity's bytes, its partition `murmur2(key) mod count`: what Java's client and aiokafka do by
default. librdkafka clients set `partitioner=murmur2_random`.
"""

import struct
import unicodedata
from typing import Final, Literal, NamedTuple, get_args
from urllib.parse import quote, unquote

ClaimType = Literal["Invoice", "CreditNote", "CollectionCase"]
CLAIM_TYPES: Final[tuple[ClaimType, ...]] = get_args(ClaimType)

_MASK: Final = 0xFFFFFFFF
_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995


class IdentityParts(NamedTuple):
    """What an identity was made of; the texts in NFC."""

    creditor_id: int
    claim_type: str
    invoice_no: str
    accounting_invoice_id: str | None


def identity(creditor_id: int, claim_type: str, invoice_no: str, accounting_invoice_id: str | None = None) -> str:
    """An invoice's identity, in ASCII. `accounting_invoice_id` counts for a CreditNote only.

    The arguments are those of a valid event (see `schemas.events`); nothing is checked here. UnicodeEncodeError when a
    text holds a lone surrogate.
    """
    base = f"{creditor_id}/{claim_type}/{_quoted(invoice_no)}"
    if claim_type == "CreditNote" and accounting_invoice_id is not None:
        return f"{base}/{_quoted(accounting_invoice_id)}"
    return base


def identity_parts(text: str) -> IdentityParts | None:
    """What an identity says, or None when `text` is not one."""
    creditor, _, rest = text.partition("/")
    claim_type, _, numbers = rest.partition("/")
    invoice_no, slash, accounting = numbers.partition("/")
    if not (creditor.isascii() and creditor.isdigit() and claim_type in CLAIM_TYPES and invoice_no):
        return None
    parts = IdentityParts(int(creditor), claim_type, unquote(invoice_no), unquote(accounting) if slash else None)
    return parts if identity(*parts) == text else None


def murmur2(key: bytes) -> int:
    """MurmurHash2 of `key` as Java's Kafka client computes it (`Utils.murmur2`), as an unsigned 32-bit number."""
    length = len(key)
    h = _SEED ^ length
    words = length // 4
    for word in struct.unpack_from(f"<{words}I", key):
        k = (word * _M) & _MASK
        h = ((h * _M) & _MASK) ^ (((k ^ (k >> 24)) * _M) & _MASK)
    tail = key[words * 4 :]
    if tail:
        h = ((h ^ int.from_bytes(tail, "little")) * _M) & _MASK
    h ^= h >> 13
    h = (h * _M) & _MASK
    return h ^ (h >> 15)


def partition_for(key: bytes, count: int) -> int:
    """The partition, of `count`, that a record with this key belongs to. ValueError when `count` is below 1."""
    if count < 1:
        raise ValueError(f"A topic has at least one partition, not {count}.")
    return (murmur2(key) & 0x7FFFFFFF) % count


def _quoted(text: str) -> str:
    # quote() leaves exactly RFC 3986's unreserved characters as they are when `safe` is empty.
    return quote(unicodedata.normalize("NFC", text), safe="")
