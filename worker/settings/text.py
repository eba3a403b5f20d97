"""Settings as people read them: values with secrets masked, and what a field allows in words."""

import re
from typing import Any

from pydantic import SecretStr

from worker.settings.model import Settings

MASK = "********"

_PROPERTIES: dict[str, dict[str, Any]] = Settings.model_json_schema()["properties"]


def is_secret(name: str) -> bool:
    """Whether a field's value must never be shown."""
    return bool(_variant(name).get("format") == "password")


def shown(name: str, value: object) -> str:
    """A field's value for people: masked when it is a secret, `(not set)` for none."""
    if value is None:
        return "(not set)"
    if isinstance(value, SecretStr) or is_secret(name):
        return MASK
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(f'"{item}"' for item in value) + "]"
    # Credentials in an address are no setting of ours, yet people put them there.
    return re.sub(r"[^/\s,@]*@", f"{MASK}@", str(value))


def default(name: str) -> str:
    """A field's default for people; `(required)` where it has none."""
    told = _PROPERTIES[name].get("default")
    field = Settings.model_fields[name]
    if field.is_required():
        return "(required)"
    return str(told) if field.default_factory is not None else shown(name, field.default)


def description(name: str) -> str:
    """What a field means."""
    return str(_PROPERTIES[name]["description"])


def unit(name: str) -> str:
    """`seconds`, `bytes` or nothing."""
    return str(_PROPERTIES[name].get("unit", ""))


def allowed(name: str) -> str:
    """What a field allows, in words: the kind of value, its unit and its bounds."""
    schema = _variant(name)
    if "allowed" in schema:
        return str(schema["allowed"])
    if "enum" in schema:
        return "one of " + ", ".join(str(choice) for choice in schema["enum"])
    kind = {
        "number": f"a number of {unit(name)}",
        "integer": f"a whole number of {unit(name)}" if unit(name) else "a whole number",
        "boolean": "1 or 0",
        "array": "a JSON list of regular expressions",
    }.get(str(schema.get("type")), "a text")
    if schema.get("format") == "path":
        kind = "a path"
    bounds = [
        words.format(_plain(schema[key]))
        for key, words in (
            ("exclusiveMinimum", "more than {}"),
            ("minimum", "at least {}"),
            ("maximum", "at most {}"),
        )
        if key in schema
    ]
    if "minLength" in schema:
        bounds.append("not empty")
    if "maxLength" in schema:
        bounds.append(f"at most {schema['maxLength']} characters")
    return ", ".join([kind, *bounds])


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else str(number)


def _variant(name: str) -> dict[str, Any]:
    """The schema of a field's value, without the `null` of an optional one."""
    schema = _PROPERTIES[name]
    for variant in schema.get("anyOf", ()):
        if variant.get("type") != "null":
            return {**schema, **variant}
    return schema
