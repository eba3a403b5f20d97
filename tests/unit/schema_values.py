"""Values made from a JSON Schema's keywords, and odd ones to put in. For properties that compare schema and models."""

import json
import re
import string
from decimal import Decimal

from hypothesis import strategies as st

from schemas.documents import documents

ODD_TEXTS = [
    "",
    " ",
    "\u2028",
    "\ufeff",
    "\x00",
    "\x85",
    "a\n",
    "a\u202eb",
    ".",
    "..",
    "a/b",
    'a"b',
    "å" * 127,
    "å" * 128,
    "x" * 255,
    "x" * 256,
    "NOK\n",
    "2024-02-29",
    "2025-02-29",
    "2025-04-31",
    "0000-01-01",
    "2025-01-01\n",
    "２０２５-01-01",
    "QUJD",
    "QUI=",
    "QQ==",
    "QQ=",
    "QUJDR",
    "QQ==QQ==",
    "QQ\n==",
    "application/pdf\n",
    "a/b; c=d",
    "a/b;  c=d",
    "https://a",
    "https://a/%2",
    "https://a/%2F?b=[c]",
    "https://u:p@a/",
    "https://a/#b",
    "https://[::1]:443/x",
    "https://[:::]/x",
    "https://a:0/",
    "https://a:65536/",
    "http://a/",
    "0" * 64,
    "A" * 64,
    "true",
    "True",
]
NUMBERS = st.one_of(
    st.integers(-(10**10), 10**10),
    st.decimals(-(10**30), 10**30, allow_nan=False, places=10),
    st.sampled_from([0, 10**40 - 1, Decimal("2500.10"), Decimal("1E-39")]),
)
ODD_NUMBERS = st.one_of(
    st.sampled_from([0, 2**40, 2**40 + 1, 2**63 - 1, 2**63, 10**39, 10**40, 10**41, -(10**40)]),
    st.sampled_from([Decimal("1.0"), Decimal("1E3"), Decimal("0.5"), Decimal("1E-40"), Decimal("12345678901E-30")]),
)
ODD = st.one_of(
    st.none(), st.booleans(), ODD_NUMBERS, st.sampled_from(ODD_TEXTS), st.just([]), st.just({}), st.just({"url": "x"})
)
PLAIN = st.text(string.ascii_letters + "åæø-", min_size=1, max_size=8)


def document_schema(name):
    """A JSON Schema as it is published."""
    return json.loads(documents()[name])


def valid(schema, root):
    """Values that `schema` accepts. `root` holds its definitions."""
    if "$ref" in schema:
        return valid(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return st.one_of([valid(branch, root) for branch in schema[union]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            parts = {name: valid(part, root) for name, part in schema["properties"].items()}
            required = {name: parts.pop(name) for name in schema.get("required", [])}
            return st.fixed_dictionaries(required, optional=parts)
        case "array":
            return st.lists(valid(schema["items"], root), max_size=3)
        case "string" if "pattern" in schema:
            return _text(schema)
        case "string":
            return PLAIN
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "number":
            return NUMBERS
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case other:
            raise AssertionError(f"{other}: teach this function what the schema now says")


def _text(schema):
    pattern = schema["pattern"]
    if not pattern.startswith("^"):
        return PLAIN
    least, most = schema.get("minLength", 0), schema.get("maxLength", 5000)
    never = re.compile(schema["not"]["pattern"]) if "not" in schema else None
    made = st.from_regex(pattern[1:-1], fullmatch=True).filter(lambda text: least <= len(text) <= most)
    return made if never is None else made.filter(lambda text: not never.search(text))


def odd(value):
    """A value to put in the place of `value`: mostly of its kind."""
    if isinstance(value, str):
        return st.one_of(*[st.sampled_from(ODD_TEXTS)] * 3, ODD)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return st.one_of(*[ODD_NUMBERS] * 3, ODD)
    return ODD
