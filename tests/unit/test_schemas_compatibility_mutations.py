"""Mutations of the event's schema: a change that passes takes what was taken, and shows readers nothing new."""

import json

import jsonschema
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from schemas.compatibility import Side, breaks
from schemas.jsontext import dumps, loads
from tests.unit.schema_changes import EVENT, GONE, TEXT, at, set_at
from tests.unit.schema_values import valid


def places(schema, path=()):
    """Where every schema within a schema stands."""
    if isinstance(schema, dict):
        if path and path[-1] not in {"properties", "$defs"}:
            yield "/".join(map(str, path))
        for key, part in schema.items():
            if key not in {"examples", "required", "enum", "const", "not"}:
                yield from places(part, (*path, key))
    elif isinstance(schema, list):
        for index, part in enumerate(schema):
            yield from places(part, (*path, index))


KEYWORDS = st.sampled_from(
    [
        ("type", "string"),
        ("type", "number"),
        ("minimum", 5),
        ("maximum", 5),
        ("maxLength", 3),
        ("minLength", 0),
        ("maxItems", 0),
        ("pattern", "^a"),
        ("enum", ["NOK"]),
        ("required", []),
        ("required", ["email"]),
        ("additionalProperties", False),
        ("additionalProperties", TEXT),
        ("propertyNames", {"maxLength": 3}),
        ("items", TEXT),
        ("anyOf", [TEXT]),
        ("minProperties", 3),
        ("multipleOf", 2),
        *[(name, GONE) for name in ("pattern", "not", "maxLength", "maximum", "required", "items", "type", "const")],
        ("additionalProperties", GONE),
        ("properties", GONE),
    ]
)


@st.composite
def mutations(draw):
    schema = EVENT
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([*places(schema)]))
        keyword, value = draw(KEYWORDS)
        if value is not GONE or keyword in at(schema, path):
            schema = set_at(schema, f"{path}/{keyword}", value)
    return schema


MADE = valid(EVENT, EVENT).map(lambda data: json.loads(dumps(loads(dumps(data)))))


def accepted(schema, draw):
    validator = jsonschema.Draft202012Validator(schema)
    return all(validator.is_valid(draw.draw(MADE)) for _ in range(3))


# Most mutations are refused, at once; what passes is tried on events.
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(mutations(), st.data())
def test_a_change_that_passes_takes_whatever_was_taken(new, draw):
    passes = not breaks(EVENT, new, Side.WRITTEN)
    event("passes" if passes else "refused")
    assert not passes or accepted(new, draw)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(mutations(), st.data())
def test_a_change_that_passes_shows_readers_nothing_new(old, draw):
    # Seen from the other side: those who read by the mutated schema get what the real one describes.
    passes = not breaks(old, EVENT, Side.READ)
    event("passes" if passes else "refused")
    assert not passes or accepted(old, draw)
