"""The messages of the AsyncAPI document: headers, value, key and examples of what stands in each topic."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from schemas.attributes import STRUCTURED
from schemas.channels import GROUP
from schemas.cloudevents import (
    REPLAY_OF,
    Schema,
    binary_headers,
    outcome_headers,
    structured_headers,
    structured_value,
)
from schemas.commands import COMMAND_TYPE
from schemas.dead_letters import DeadLetterHeaders
from schemas.events import REQUESTED_TYPE
from schemas.outcomes import OUTCOME_TYPES, outcome_id

Message = dict[str, Any]

BINDING: Final = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""

_EXAMPLES: Final = Path(__file__).parent / "examples"
_IDENTITY: Final[Schema] = {
    "type": "string",
    "pattern": r"^\d+/(Invoice|CreditNote|CollectionCase)/[A-Za-z0-9._~%-]+(/[A-Za-z0-9._~%-]+)?$",
    "description": "The invoice's identity: {creditorId}/{claimType}/{invoiceNo}, of a credit note with an "
    "accountingInvoiceId also /{accountingInvoiceId}; both in NFC and percent-encoded but for A-Z a-z 0-9 - . _ ~.",
    "examples": ["10759/Invoice/20001", "10759/CreditNote/20001/A%2F2%20b"],
}
_ANY_KEY: Final[Schema] = {"type": "string", "description": "The identity, else the input's topic/partition/offset."}
_OPAQUE_KEY: Final[Schema] = {"type": "string", "description": "The worker's own."}
_OUTCOMES: Final[Mapping[str, str]] = {
    "scheduled": "Registered, all documents attached, started.",
    "rejected": "Ended by what the event says. In the dead-letter topic, too.",
    "failed": "Ended without the event's fault. In the dead-letter topic, too.",
    "repeated": "The same invoice again: the earlier result stands, no call was made.",
    "discarded": "A person decided against it.",
    "resolved": "A person's verdict on a doubt was obeyed.",
}
_REPLAY: Final = {"replay-of": REPLAY_OF}


def messages() -> dict[str, Message]:
    """Every message by its name in `components`."""
    event: Schema = {"$ref": "./json/invoice-requested.v1.json"}
    command: Schema = {"$ref": "./json/command.v1.json"}
    found = {
        "invoiceRequested": _message(
            "Invoice event, binary mode",
            "The preferred form: attributes in headers, the data is the value.",
            headers=binary_headers(REQUESTED_TYPE, _REPLAY),
            payload=event,
            examples=[
                _example(name, headers=_binary_example(REQUESTED_TYPE), payload=example(f"invoice-requested.{name}"))
                for name in ("invoice", "credit-note", "collection-case", "attachments")
            ],
        ),
        "invoiceRequestedStructured": _message(
            "Invoice event, structured mode",
            "The whole CloudEvent is the value.",
            headers=structured_headers(_REPLAY),
            payload=structured_value(REQUESTED_TYPE, event),
            content_type=STRUCTURED,
            correlation="structured",
            examples=[
                _example("structured", headers={"content-type": STRUCTURED}, payload=example("cloudevent-structured"))
            ],
        ),
        "invoiceRequestedBare": _message(
            "Invoice event, bare JSON",
            "No attributes; the outcome then names the record by topic/partition/offset.",
            headers={"type": "object", "properties": _REPLAY},
            payload=event,
            correlation=None,
            examples=[_example("bare", payload=example("invoice-requested.invoice"))],
        ),
        "verdict": _message(
            "Verdict, binary mode",
            "What a person found out about a register call in doubt. Its id is the command's: one that was seen "
            "before has no effect.",
            headers=binary_headers(COMMAND_TYPE, _REPLAY),
            payload=command,
            examples=[
                _example(verb, headers=_binary_example(COMMAND_TYPE, "/ops/kari"), payload=example(f"command.{verb}"))
                for verb in ("registered", "not_registered")
            ],
        ),
        "verdictStructured": _message(
            "Verdict, structured mode",
            "The same, the whole CloudEvent in the value.",
            headers=structured_headers(_REPLAY),
            payload=structured_value(COMMAND_TYPE, command),
            content_type=STRUCTURED,
            correlation="structured",
            examples=[
                _example(
                    "structured",
                    headers={"content-type": STRUCTURED},
                    payload=_attributes(COMMAND_TYPE, "/ops/kari") | {"data": example("command.registered")},
                )
            ],
        ),
    }
    for outcome, kind in OUTCOME_TYPES.items():
        found[f"{outcome}Outcome"] = _message(
            f"Outcome: {outcome}",
            _OUTCOMES[outcome],
            headers=outcome_headers(kind),
            payload={"$ref": f"./json/outcome.v1.json#/$defs/{outcome.capitalize()}Outcome"},
            key=_ANY_KEY,
            examples=[_outcome_example(outcome)],
        )
    found["deadLetter"] = _dead_letter()
    for name, title in (("journalRecord", "Journal record"), ("ledgerRecord", "Ledger record")):
        found[name] = {
            "title": f"{title} (internal)",
            "summary": "Opaque: the worker's own, version 1 of a format that may change without notice.",
            "contentType": "application/octet-stream",
            "payload": {"description": "Opaque."},
            "bindings": _bindings(_OPAQUE_KEY),
        }
    return found


def correlation_ids() -> dict[str, Any]:
    """Where an event says what it belongs to."""
    description = "Passed on into the outcome's ce_correlationid; without one the event's id is."
    return {
        "binary": {"description": description, "location": "$message.header#/ce_correlationid"},
        "structured": {"description": description, "location": "$message.payload#/correlationid"},
    }


@cache
def example(name: str) -> Any:
    """The JSON of a file in `schemas/examples`."""
    return json.loads((_EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def _message(
    title: str,
    summary: str,
    *,
    headers: Schema,
    payload: Schema,
    examples: list[Any],
    key: Schema = _IDENTITY,
    content_type: str = "application/json",
    correlation: str | None = "binary",
) -> Message:
    made: Message = {"title": title, "summary": summary, "contentType": content_type, "headers": headers}
    if correlation:
        made["correlationId"] = {"$ref": f"#/components/correlationIds/{correlation}"}
    return made | {"payload": payload, "bindings": _bindings(key), "examples": examples}


def _bindings(key: Schema) -> dict[str, Any]:
    return {"kafka": {"key": key, "bindingVersion": BINDING}}


def _example(name: str, **parts: Any) -> dict[str, Any]:
    return {"name": name, **parts}


def _attributes(kind: str, source: str | None = None) -> dict[str, Any]:
    given = {name: value for name, value in example("cloudevent-structured").items() if name != "data"}
    return given | {"type": kind} | ({"source": source} if source else {})


def _binary_example(kind: str, source: str | None = None) -> dict[str, Any]:
    attributes = _attributes(kind, source)
    content_type = attributes.pop("datacontenttype")
    return {f"ce_{name}": value for name, value in attributes.items()} | {"content-type": content_type}


def _outcome_example(outcome: str) -> dict[str, Any]:
    data = example(f"outcome.{outcome}")
    origin = data["origin"]
    where = f"{origin['topic']}/{origin['partition']}/{origin['offset']}"
    cause = data.get("eventId", where)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(outcome_id(**origin)),
        "ce_type": OUTCOME_TYPES[outcome],
        "ce_source": f"/kravia-invoice-worker/{GROUP}",
        "ce_time": data["settledAt"],
        "ce_subject": data.get("identity", where),
        "ce_correlationid": cause,
        "ce_causationid": cause,
        **({"replay-of": data["replayOf"]} if "replayOf" in data else {}),
        "content-type": "application/json",
    }
    return _example(outcome, headers=headers, payload=data)


def _dead_letter() -> Message:
    fields = {str(field.alias): field for field in DeadLetterHeaders.model_fields.values()}
    return {
        "title": "Dead letter",
        "summary": "The record as it came, key, value and headers; these headers stand behind its own.",
        "description": "All values are UTF-8 text: numbers in digits, times as RFC 3339. Where a name comes twice the "
        "last counts. Names below __dlq.errors are KIP-1191's.",
        "contentType": "application/octet-stream",
        "headers": {
            "type": "object",
            "required": [name for name, field in fields.items() if field.is_required()],
            "properties": {name: {"$ref": f"./json/dead-letter-headers.v1.json#/properties/{name}"} for name in fields},
        },
        "payload": {"description": "Whatever the producer wrote, byte for byte; it may be no JSON at all, or nothing."},
        "bindings": _bindings({"type": "string", "description": "As it came; it may be anything, or nothing."}),
        "examples": [
            _example("in_doubt", headers=example("dead-letter-headers"), payload=example("invoice-requested.invoice"))
        ],
    }
