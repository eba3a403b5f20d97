"""The AsyncAPI 3.0 document of all topics, which `schemas/asyncapi.yaml` holds; generated from models and constants.

Its payloads refer to the JSON Schemas in `schemas/json/`. Source: the AsyncAPI 3.0.0 specification, Kafka bindings
0.5.0.
"""

from typing import Any, Final

from schemas import CONTRACT_VERSION
from schemas.channels import (
    DEAD_LETTERS,
    GROUP,
    JOURNAL,
    LEDGER,
    OUTCOMES,
    PARTITIONS,
    REPLAYS,
    REPLICAS,
    REQUESTS,
    Channel,
)
from schemas.messages import BINDING, correlation_ids, messages
from schemas.outcomes import OUTCOME_TYPES

NAME: Final = "asyncapi.yaml"
"""Of the file, in `schemas/`."""

_EVENTS: Final = ("invoiceRequested", "invoiceRequestedStructured", "invoiceRequestedBare")
_CHANNELS: Final[dict[str, tuple[Channel, tuple[str, ...]]]] = {
    "requests": (REQUESTS, _EVENTS),
    "replays": (REPLAYS, (*_EVENTS, "verdict", "verdictStructured")),
    "outcomes": (OUTCOMES, tuple(f"{outcome}Outcome" for outcome in OUTCOME_TYPES)),
    "deadLetters": (DEAD_LETTERS, ("deadLetter",)),
    "journal": (JOURNAL, ("journalRecord",)),
    "ledger": (LEDGER, ("ledgerRecord",)),
}
_OPERATIONS: Final = {
    "receiveInvoiceEvents": ("receive", "requests", "Process invoice events."),
    "receiveReplays": ("receive", "replays", "Process dead letters sent again; obey verdicts."),
    "publishOutcomes": ("send", "outcomes", "Say how each input record ended."),
    "publishDeadLetters": ("send", "deadLetters", "Keep what did not end well."),
    "writeJournal": ("send", "journal", "Internal: write down what is done, before and after it is done."),
    "readJournal": ("receive", "journal", "Internal: take over a partition, read_uncommitted, without a group."),
    "writeLedger": ("send", "ledger", "Internal: write down how an invoice stands."),
    "readLedger": ("receive", "ledger", "Internal: take over a partition, read_committed, without a group."),
}
_IN_GROUP: Final = frozenset({"receiveInvoiceEvents", "receiveReplays"})
_INTERNAL: Final = frozenset({"journal", "ledger"})
_SASL: Final = ("plain", "scramSha256", "scramSha512")


def asyncapi() -> dict[str, Any]:
    """The document, as what a YAML or JSON writer takes."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:kravia:invoice-worker",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {name: _channel(name, *described) for name, described in _CHANNELS.items()},
        "operations": {name: _operation(name, *described) for name, described in _OPERATIONS.items()},
        "components": {
            "messages": messages(),
            "correlationIds": correlation_ids(),
            "securitySchemes": {kind: {"type": kind} for kind in (*_SASL, "X509")},
        },
    }


def _info() -> dict[str, Any]:
    return {
        "title": "Kravia invoice worker",
        "version": CONTRACT_VERSION,
        "description": "Brings invoice events from Kafka to Kravia: never billed twice, nothing lost. Producers write "
        "CloudEvents to invoice.requests; each ends in exactly one outcome event on invoice.outcomes. Topic names are "
        "the defaults. docs/reference/contract.md says it in full.",
        "license": {"name": "MIT"},
        "tags": [
            {"name": "public", "description": "For producers, readers and operators."},
            {"name": "internal", "description": "The worker's own: leave alone."},
        ],
    }


def _servers() -> dict[str, Any]:
    host = {
        "host": "{bootstrapServer}",
        "variables": {
            "bootstrapServer": {"default": "localhost:9092", "description": "A broker; KAFKA_BOOTSTRAP_SERVERS."}
        },
    }
    security = [{"$ref": f"#/components/securitySchemes/{kind}"} for kind in (*_SASL, "X509")]
    return {
        "plaintext": host | {"protocol": "kafka", "description": "KAFKA_SECURITY_PROTOCOL=PLAINTEXT."},
        "secured": host
        | {
            "protocol": "kafka-secure",
            "description": "KAFKA_SECURITY_PROTOCOL=SASL_SSL or SSL; SASL by PLAIN or SCRAM, client certificates.",
            "security": security,
        },
    }


def _channel(name: str, channel: Channel, held: tuple[str, ...]) -> dict[str, Any]:
    configuration: dict[str, Any] = {
        "cleanup.policy": list(channel.cleanup),
        "retention.ms": channel.retention_ms,
        "retention.bytes": -1,
    }
    if channel.max_bytes is not None:
        configuration["max.message.bytes"] = channel.max_bytes
    return {
        "address": channel.topic,
        "title": channel.title,
        "description": channel.description,
        "tags": [{"name": "internal" if name in _INTERNAL else "public"}],
        "messages": {message: {"$ref": f"#/components/messages/{message}"} for message in held},
        "bindings": {
            "kafka": {
                "topic": channel.topic,
                "partitions": PARTITIONS,
                "replicas": REPLICAS,
                "topicConfiguration": configuration,
                "bindingVersion": BINDING,
            }
        },
    }


def _operation(name: str, action: str, channel: str, summary: str) -> dict[str, Any]:
    binding: dict[str, Any] = {"clientId": {"type": "string", "description": "KAFKA_CLIENT_ID; the host's name."}}
    if name in _IN_GROUP:
        binding["groupId"] = {
            "type": "string",
            "default": GROUP,
            "description": "KAFKA_GROUP_ID. One group for each ledger: a second would bill everything twice.",
        }
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary,
        "tags": [{"name": "internal" if channel in _INTERNAL else "public"}],
        "messages": [{"$ref": f"#/channels/{channel}/messages/{held}"} for held in _CHANNELS[channel][1]],
        "bindings": {"kafka": binding | {"bindingVersion": BINDING}},
    }
