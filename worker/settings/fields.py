"""How a setting is declared: its default, its unit and bounds, and a description that serves help, docs and errors."""

from typing import Any

from pydantic import Field
from pydantic.config import JsonDict


def seconds(default: float, description: str, *, at_most: float = 86_400, zero: bool = False) -> Any:
    """A duration in seconds: more than 0 (`zero` allows 0), at most `at_most`."""
    return Field(
        default=default,
        description=description,
        gt=None if zero else 0,
        ge=0 if zero else None,
        le=at_most,
        allow_inf_nan=False,
        json_schema_extra={"unit": "seconds"},
    )


def count(default: int, description: str, *, at_least: int = 1, at_most: int = 1_000_000) -> Any:
    """A whole number."""
    return Field(default=default, description=description, ge=at_least, le=at_most)


def size(default: int, description: str, *, at_least: int = 1, at_most: int = 2**31 - 1) -> Any:
    """A size in bytes."""
    return Field(default=default, description=description, ge=at_least, le=at_most, json_schema_extra={"unit": "bytes"})


def topic(default: str, description: str) -> Any:
    """A topic's name: what Kafka allows (`Topic.validate` of its clients: letters, digits, dot, `_`, `-`; 249)."""
    return Field(
        default=default,
        description=description,
        pattern=r"^[A-Za-z0-9._-]{1,249}$",
        json_schema_extra={"allowed": "letters, digits, dot, underscore and dash, at most 249"},
    )


def optional(description: str, *, allowed: str | None = None) -> Any:
    """A setting that may be absent; where it is given it is not empty. `allowed`: a validator's rule in words."""
    extra: JsonDict | None = None if allowed is None else {"allowed": allowed}
    return Field(default=None, description=description, min_length=1, json_schema_extra=extra)


def optional_file(description: str) -> Any:
    """The path of a file that may be absent; where it is given it must be readable at start."""
    return Field(default=None, description=description)
