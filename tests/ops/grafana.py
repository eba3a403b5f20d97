"""Grafana's own schema of dashboards and panels, as its Foundation SDK has it (v10.1, the oldest that we write for)."""

import enum
import json
import typing
from collections.abc import Iterator
from types import UnionType
from typing import Any

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

plugins.register_default_plugins()

NEWER = {"definition", "titleFormat"}
"""Of a query variable: what the editor shows. Of an annotation: the Prometheus data source's own option for its text.
Grafana writes both; the SDK's schema does not have them."""


def faults(dashboard: dict[str, Any]) -> list[str]:
    """What the schema does not know, or knows otherwise: each with its path in the dashboard. Empty: it fits."""
    read = Dashboard.from_json(dashboard)
    again = json.loads(JSONEncoder().encode(read))
    return [*_lost(dashboard, again, ""), *_wrong(read, Dashboard, "")]


def _lost(before: Any, after: Any, path: str) -> Iterator[str]:
    """What does not come back from the schema's classes: they keep what they know."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() - NEWER:
            if name in after:
                yield from _lost(before[name], after[name], f"{path}/{name}")
            elif before[name] is not None:
                yield f"{path}/{name}: unknown"
    elif isinstance(before, list) and isinstance(after, list):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _lost(one, other, f"{path}/{number}")
    elif before != after:
        yield f"{path}: {before!r} was read as {after!r}"


def _wrong(value: Any, kind: Any, path: str) -> Iterator[str]:
    """Values that are not of the kind that a class declares; the classes don't look."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        found = [list(_wrong(value, one, path)) for one in arguments]
        yield from min(found, key=len)
    elif origin is typing.Literal:
        if value not in arguments:
            yield f"{path}: {value!r} is none of {arguments}"
    elif origin is list:
        if not isinstance(value, list):
            yield f"{path}: {value!r} is no list"
            return
        for number, one in enumerate(value):
            yield from _wrong(one, arguments[0], f"{path}/{number}")
    elif origin is None and isinstance(kind, type):
        yield from _wrong_one(value, kind, path)


def _wrong_one(value: Any, kind: type, path: str) -> Iterator[str]:
    if issubclass(kind, enum.Enum):
        if value not in [member.value for member in kind]:
            yield f"{path}: {value!r} is none of {[member.value for member in kind]}"
    elif kind in (str, bool, int, float, dict, type(None)):
        fits = isinstance(value, (int, float) if kind is float else kind) and (kind is bool or value is not True)
        if not fits:
            yield f"{path}: {value!r} is no {kind.__name__}"
    elif hasattr(value, "to_json"):
        # Of a variant (a query, a panel's own options) the value's class tells more than the declared one.
        for name, declared in typing.get_type_hints(type(value)).items():
            yield from _wrong(getattr(value, name), declared, f"{path}/{name}")
