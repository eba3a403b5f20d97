"""What an invoice event must keep to and no JSON Schema can say: as data, and as docs/reference/events.md shows it.

A test holds the first list to the models: whatever the schema accepts and they refuse is one of its rules.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple


class ProseRule(NamedTuple):
    """`code` is that of the error, `fields` is where it may stand (empty: in the record as a whole)."""

    code: str
    fields: tuple[str, ...]
    sentence: str


MODEL_RULES: Final = (
    ProseRule(
        "wrong_type",
        ("creditorId", "size"),
        "A whole number is written without fraction and exponent: `10759`, not `10759.0`.",
    ),
    ProseRule(
        "too_many_digits",
        (
            "originalAmount",
            "unitPrice",
            "count",
            "vatInPercent",
            "total",
            "discountInPercent",
            "amount",
            "ledgerAccount",
            "vatCode",
        ),
        "A number has at most 40 digits, those before and after the point together, when it is written without an "
        "exponent.",
    ),
    ProseRule(
        "bad_date",
        ("invoiceDate", "dueDate", "bookingDate"),
        "The day is in the calendar, not `2025-02-29`, from the year 0001 on. (`format` says so too, but most "
        "validators don't assert it.)",
    ),
    ProseRule("text_too_long", ("fileName",), "A file name has at most 255 bytes in UTF-8."),
    ProseRule(
        "bad_base64", ("content",), "The characters before the padding and the padding make whole groups of four."
    ),
    ProseRule("digest_differs", ("attachments",), "`sha256` beside `content` is the digest of what `content` holds."),
    ProseRule("bad_url", ("url",), "An address in brackets is an IPv6 address; a port is 1 to 65535."),
)
"""Checked by the models (`schemas.events.check`) beyond the JSON Schema."""

WORKER_RULES: Final = (
    ProseRule("too_many", ("attachments",), "An event has at most 20 attachments (the schema says 100)."),
    ProseRule(
        "too_large",
        ("content", "size"),
        "A document in the event has at most 10 MiB (10485760 bytes), decoded; one by reference what "
        "`DOCUMENT_MAX_BYTES` allows (25 MiB).",
    ),
    ProseRule("duplicate_file_name", ("fileName",), "The documents of an event have different file names."),
    ProseRule("misrouted", (), "The record stands in the partition that its identity leads to."),
)
"""Checked by the worker beyond the models, and by `schemas.produce`."""

TEXT_RULES: Final = (
    ProseRule("wrong_encoding", (), "The text is UTF-8, and no escape is half of a surrogate pair."),
    ProseRule("duplicate_name", (), "No object has the same name twice."),
    ProseRule("not_a_number", (), "There is no NaN and no Infinity."),
    ProseRule(
        "number_too_long",
        (),
        "A number with a fraction or an exponent has at most 128 characters, and digits when it is written out.",
    ),
    ProseRule("too_deep", (), "Objects and lists lie within each other at most 64 deep."),
)
"""Checked while the JSON text is read (`schemas.jsontext.loads`), before a validator sees it."""


def markdown() -> str:
    """All rules as one table, for docs/reference/events.md."""
    rows = ["| code | where | rule |", "| --- | --- | --- |"]
    rows += _rows(MODEL_RULES)
    rows += _rows(WORKER_RULES)
    rows += _rows(TEXT_RULES)
    return "\n".join(rows)


def _rows(rules: Iterable[ProseRule]) -> list[str]:
    return [
        f"| `{rule.code}` | {', '.join(f'`{field}`' for field in rule.fields) or 'record'} | {rule.sentence} |"
        for rule in rules
    ]
