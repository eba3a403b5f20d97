"""The published schemas, and changes of them for tests."""

import copy

from tests.unit.schema_values import document_schema

EVENT = document_schema("invoice-requested.v1.json")
COMMAND = document_schema("command.v1.json")
OUTCOME = document_schema("outcome.v1.json")
HEADERS = document_schema("dead-letter-headers.v1.json")
GONE = object()


def set_at(schema, path, value):
    """A copy of `schema` with `value` there; GONE takes it out."""
    new = copy.deepcopy(schema)
    *above, last = path.split("/")
    part = new
    for name in above:
        part = part[int(name)] if isinstance(part, list) else part[name]
    if value is GONE:
        del part[last]
    else:
        part[last] = value
    return new


def at(schema, path):
    for name in path.split("/"):
        schema = schema[int(name)] if isinstance(schema, list) else schema[name]
    return schema


def changed(schema, *changes):
    for path, value in changes:
        schema = set_at(schema, path, value(at(schema, path)) if callable(value) else value)
    return schema


TEXT = {"type": "string"}


def without(*names):
    return lambda values: [value for value in values if value not in names]


def plus(*values):
    return lambda given: [*given, *values]
