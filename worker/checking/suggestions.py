"""What to do about a problem, by its code. Pure.

The sentence of a problem says the rule; a suggestion says where a producer usually finds the fault. A local table:
`schemas.rules` will bring the contract's own.
"""

from typing import Final

_SUGGESTIONS: Final = {
    "misrouted": "Set partitioner=murmur2_random where the producer stands on librdkafka (kcat, confluent-kafka, .NET, "
    "Go): its own default is CRC32. Then send the event again.",
    "key_differs": "Use the identity as the record's key.",
    "no_key": "Use the identity as the record's key: a record without one goes to any partition.",
    "not_json": "Write the value with a JSON library, in UTF-8.",
    "empty": "Fill it, or leave an optional field out.",
    "wrong_encoding": "Encode the value as UTF-8.",
    "duplicate_name": "Give each name of an object once.",
    "not_a_number": "Write a number, or leave the field out.",
    "unknown_field": "Names are Kravia's, in their case: schemas/json/invoice-requested.v1.json lists them.",
    "wrong_type": "Write it as the JSON type that the schema names: money and ids as numbers, without quotes.",
    "not_allowed": "Use one of the allowed values, or leave the field out.",
    "bad_format": "Write it in the form that the schema names.",
    "bad_date": "Write dates as YYYY-MM-DD, in quotes.",
    "bad_base64": "Encode it as RFC 4648 base64: padded, without line breaks.",
    "digest_differs": "Compute the SHA-256 over the decoded document.",
    "too_large": "Send a smaller document.",
    "too_many": "Split it, or leave some out.",
    "duplicate_file_name": "Give each document of the event a file name of its own.",
    "unknown_type": "Set the CloudEvents type to kravia.invoice.requested.v1.",
    "unknown_specversion": "Set the CloudEvents specversion to 1.0.",
    "bad_time": "Write it as 2026-01-31T12:00:00Z.",
    "bad_wrapper": "Check the event's data alone, or the record as kcat -J prints it.",
    "too_long": "Write one event on each line, and documents of less than Kafka's message size.",
    "record_too_large": "Send smaller documents, or raise max.message.bytes of the requests topic (and of the others: "
    "`worker topics check` says to what).",
    "repeated_identity": "Give a new invoice a number of its own.",
}


def suggestion(code: str) -> str | None:
    """What to do about problems of this code; None when their sentence says it all."""
    if code.startswith("missing_"):
        return f"Set the CloudEvents attribute {code.removeprefix('missing_')} (in Kafka: the header ce_<name>)."
    return _SUGGESTIONS.get(code)
