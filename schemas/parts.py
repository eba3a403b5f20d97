"""What the models of an invoice event share."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.fields import field_title


class Part(BaseModel):
    """Unknown fields are refused, since a misspelt one would be an invoice with less in it. No error shows a value."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, field_title_generator=field_title)


def config(**example: Any) -> ConfigDict:
    """The configuration of a model with an example for its JSON Schema."""
    return ConfigDict(json_schema_extra={"examples": [example]})
