"""The JSON Schemas (2020-12) that `schemas/json/` holds, generated from the models."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.commands import CommandData
from schemas.dead_letters import DeadLetterHeaders
from schemas.events import InvoiceRequest
from schemas.outcomes import Outcome

_DOCUMENTS: Final[Mapping[str, tuple[TypeAdapter[Any], str]]] = {
    "invoice-requested.v1.json": (TypeAdapter(InvoiceRequest), "Data of kravia.invoice.requested.v1"),
    "outcome.v1.json": (TypeAdapter(Outcome), "Data of an outcome event"),
    "command.v1.json": (TypeAdapter(CommandData), "Data of kravia.invoice.command.v1"),
    "dead-letter-headers.v1.json": (TypeAdapter(DeadLetterHeaders), "Headers of a dead letter, their values as text"),
}


class _Generator(GenerateJsonSchema):
    """Leaves out what is pydantic's or OpenAPI's rather than JSON Schema's."""

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Without `discriminator`, which is OpenAPI's keyword; the branches' constants tell them apart."""
        found = super().tagged_union_schema(schema)
        found.pop("discriminator", None)
        return found

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Without `default: null`: null is the same as absent everywhere."""
        found = super().default_schema(schema)
        if found.get("default", ...) is None:
            del found["default"]
        return found


def documents() -> dict[str, str]:
    """File name and text of every JSON Schema."""
    return {name: _text(name, adapter, title) for name, (adapter, title) in _DOCUMENTS.items()}


def _text(name: str, adapter: TypeAdapter[Any], title: str) -> str:
    schema = adapter.json_schema(mode="validation", by_alias=True, schema_generator=_Generator)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:kravia:invoice-worker:{name}", "title": title}
    # ASCII only: patterns hold invisible characters, which every engine takes as they are and no reader sees.
    return json.dumps(head | {k: v for k, v in schema.items() if k != "title"}, indent=2) + "\n"
