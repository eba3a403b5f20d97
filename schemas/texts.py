"""Patterns that every regular-expression engine reads alike, and the JSON Schemas made of them.

The models use the same patterns, so schema and model can't disagree. They keep to what ECMA-262, Python, Java, .NET and
RE2 have in common: no look-around, no `\\s`, `\\d` and `\\S` (each engine has its own idea of them), no long repetition
of a group (Java's engine recurses). `$` also matches before a line break at the end in Python, Java and .NET: what is
not of one length therefore also refuses, by `never`, whatever may not be in it.
"""

from typing import Any, Final

JsonSchema = dict[str, Any]

# What Python's str.isspace() and Unicode's White_Space call blank.
_BLANKS: Final = "\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
FILLED: Final = f"[^{_BLANKS}]"
"""Finds a character that is not blank."""
# Unicode's line and paragraph separators and its controls of direction end or disguise a name as C0 and C1 do.
CONTROLS: Final = "\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
"""Control characters, to stand between brackets."""


def text_schema(pattern: str | None = None, *, never: str | None = None, **limits: Any) -> JsonSchema:
    """A string in which `pattern` is found and `never` is not, with other keywords of JSON Schema."""
    schema: JsonSchema = {"type": "string", **limits}
    if pattern is not None:
        schema["pattern"] = pattern
    if never is not None:
        schema["not"] = {"pattern": never}
    return schema


def whole(pattern: str, *, length: int | None = None, never: str | None = None, **limits: Any) -> JsonSchema:
    """A string that is `pattern` from its first to its last character, which `length` or `never` makes sure of."""
    if length is not None:
        limits = {"minLength": length, "maxLength": length, **limits}
    return text_schema(f"^{pattern}$", never=never, **limits)
