"""What to do about each code that an error or a warning may carry."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.rules.catalogue import BY_CODE

OTHERWISE: Final = "Correct what the message names and send the event again."

_SHAPE: Final = {
    "required": "Add the field, with a value that is not null.",
    "unknown_field": "Remove it, or spell it as schemas/json/invoice-requested.v1.json does, in its case.",
    "wrong_type": "Write the value as the JSON type that is named: numbers without quotes, texts with them.",
    "empty": "Give a value, or leave the field out where it is optional.",
    "not_allowed": "Use one of the values that the message names.",
    "bad_format": "Write the value in the form that the contract names for this field.",
    "bad_date": "Write the date as YYYY-MM-DD, a day that exists.",
    "bad_currency": "Write the ISO 4217 code in three capital letters, such as NOK.",
    "bad_country": "Write the ISO 3166-1 alpha-2 code in two capital letters, such as NO.",
    "bad_media_type": "Write a media type such as application/pdf.",
    "bad_file_name": "Give the bare file name, without a path, quotes or line breaks.",
    "bad_base64": "Encode the document as base64 with padding, without line breaks and without a data: prefix.",
    "bad_sha256": "Write the document's SHA-256 as 64 lower-case hexadecimal digits.",
    "bad_url": "Write an https URL without user, password and fragment.",
    "digest_differs": "Compute the SHA-256 anew over the document's bytes (not over their base64), or send it whole.",
    "control_character": "Remove line breaks and control characters.",
    "text_too_long": "Shorten the text.",
    "too_many": "Send fewer: split the invoice, or leave out what is not needed.",
    "too_many_digits": "Round the number to what the currency has.",
    "too_small": "Use a larger number, within the bound that is named.",
    "too_large": "Use a smaller one, within the bound that is named.",
    "more": "Correct those that are listed, then look again.",
}
_JSON: Final = {
    "not_json": "Write the value as JSON; look at the place that the message names.",
    "wrong_encoding": "Encode texts as UTF-8.",
    "duplicate_name": "Write each name of an object once.",
    "not_a_number": "Write a finite number, or null.",
    "number_too_long": "Round the number.",
    "too_deep": "Remove the nesting: an event has five levels.",
}
_ENVELOPE: Final = {
    "unknown_format": "Use CloudEvents' JSON format (application/cloudevents+json), or binary mode.",
    "tombstone": "Write an event: to take an invoice back, write a credit note.",
    "not_an_event": "Put the attributes specversion, id, source and type beside data, in one JSON object.",
    "no_data": "Put the invoice into data.",
    "data_twice": "Leave out data or data_base64.",
    "missing_specversion": 'Add the attribute specversion, "1.0" (binary mode: header ce_specversion).',
    "missing_id": "Add the attribute id, another for each event (binary mode: header ce_id).",
    "missing_source": "Add the attribute source, who writes (binary mode: header ce_source).",
    "missing_type": "Add the attribute type, kravia.invoice.requested.v1 (binary mode: header ce_type).",
    "unknown_specversion": 'Write specversion "1.0".',
    "unknown_type": "Write the type kravia.invoice.requested.v1, and nothing else into this topic.",
    "bad_time": "Write time as RFC 3339 has it, such as 2026-01-02T03:04:05Z, or leave it out.",
    "bad_replay_of": "Write the header replay-of as topic/partition/offset of the record that is replayed.",
    "misrouted": "Use the identity as the record's key, and murmur2: librdkafka (kcat, confluent-kafka, .NET, Go) uses "
    "CRC32 unless told partitioner=murmur2_random. Then send the event again.",
    "duplicate_file_name": "Give each attachment a file name of its own.",
}
_COMMANDS_AND_CALLS: Final = {
    "not_an_identity": "Copy the identity from the invoice's outcome.",
    "doubt_open": "Resolve the doubt first: worker dead-letters resolve; or discard the invoice for good.",
    "identity_locked": "Leave creditorId, claimType, invoiceNo and accountingInvoiceId as they were.",
    "bad_command": "Let worker dead-letters write the record, or give all headers of a command.",
    "replay_limit": "Find out what replays this invoice again and again; then raise WORKER_REPLAY_LIMIT.",
    "no_such_doubt": "Look at the invoice's latest outcome and take the doubt from there.",
    "conflict": "A new invoice needs a new number; to correct this one, write a credit note.",
}

SUGGESTIONS: Final[Mapping[str, str]] = MappingProxyType(
    _SHAPE | _JSON | _ENVELOPE | _COMMANDS_AND_CALLS | {code: rule.suggestion for code, rule in BY_CODE.items()}
)
"""By code, without those that are made while the worker runs (`http_422`) and pydantic's own in commands."""


def suggestion(code: str) -> str:
    """One sentence: what a producer does about a problem with this code. A general one for a code not known here."""
    return SUGGESTIONS.get(code, OTHERWISE)
