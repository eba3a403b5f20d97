"""What is wrong with data, as values: where (JSON pointer), which rule (a code), and a sentence without values."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from pydantic_core import ErrorDetails

MAX_VIOLATIONS: Final = 100
"""What is reported at most; one more then says how many there were. An outcome must fit into its topic."""
MORE: Final = "more"
"""The code of that one."""
_MAX_NAME: Final = 64

_SENTENCES: Final = {
    "missing": ("required", "This field is required."),
    "extra_forbidden": ("unknown_field", "This field is not known: remove it or correct its name."),
    "string_type": ("wrong_type", "This must be a string."),
    "int_type": ("wrong_type", "This must be a whole number, not in quotes."),
    "int_from_float": ("wrong_type", "This must be a whole number, not in quotes."),
    "bool_type": ("wrong_type", "This must be true or false."),
    "model_type": ("wrong_type", "This must be an object."),
    "model_attributes_type": ("wrong_type", "This must be an object."),
    "dict_type": ("wrong_type", "This must be an object."),
    "list_type": ("wrong_type", "This must be a list."),
    "string_too_short": ("empty", "This must not be empty."),
    "string_unicode": ("wrong_encoding", "This holds half of a surrogate pair, which UTF-8 can't write."),
    "string_pattern_mismatch": ("bad_format", "This does not have the form that it needs."),
}
_LIMITS: Final = {
    "string_too_long": ("text_too_long", "This has more than {max_length} characters."),
    "too_long": ("too_many", "This list has more than {max_length} items."),
    "greater_than_equal": ("too_small", "This must be at least {ge}."),
    "less_than_equal": ("too_large", "This must be at most {le}."),
    "literal_error": ("not_allowed", "This must be {expected}."),
}


class Violation(NamedTuple):
    """`pointer` is RFC 6901, into the data; `code` is stable; `message` says the rule, never the value."""

    pointer: str
    code: str
    message: str


def bounded(found: list[Violation]) -> list[Violation]:
    """At most `MAX_VIOLATIONS` of them, and one that says how many more there are."""
    if len(found) <= MAX_VIOLATIONS:
        return found
    rest = len(found) - MAX_VIOLATIONS
    return [*found[:MAX_VIOLATIONS], Violation("", MORE, f"There are {rest} more problems than are listed.")]


def pointer(path: Iterable[str | int]) -> str:
    """RFC 6901. A name longer than 64 characters is cut: it is not one of ours."""
    return "".join(f"/{str(name)[:_MAX_NAME].replace('~', '~0').replace('/', '~1')}" for name in path)


def violation(error: ErrorDetails, path: Iterable[str | int]) -> Violation:
    """What one of pydantic's errors (its input included) says, at `path`. A null is a missing value."""
    kind = error["type"]
    where = pointer(path)
    if error["input"] is None and error["loc"] and isinstance(error["loc"][-1], str):
        return Violation(where, *_SENTENCES["missing"])
    if kind in _SENTENCES:
        return Violation(where, *_SENTENCES[kind])
    if kind in _LIMITS:
        code, sentence = _LIMITS[kind]
        return Violation(where, code, sentence.format(**error["ctx"]))
    # The remaining kinds are our own (see `schemas.fields`, `schemas.files`): their sentences hold no values.
    return Violation(where, kind, error["msg"])
