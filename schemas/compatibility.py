"""Whether a JSON Schema may take the place of the published one of the same version. Pure.

What others write (`Side.WRITTEN`: events, commands) must be taken as before: all that the old schema accepts, the new
one accepts. What others read (`Side.READ`: outcomes, headers of dead letters) must look as before: all that the new
schema describes, a reader of the old one understands. On both sides no field goes away, and no default changes.

Both come down to one question: is what the narrower schema accepts accepted by the wider one? It is answered keyword by
keyword, and "no" wherever it isn't known: a keyword that is not known here must not change at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from typing import Any, Final

Schema = Mapping[str, Any]


class Side(Enum):
    """Who has the old schema: those who write, or those who read."""

    WRITTEN = "written"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that must not change: which keyword, where (names of fields; `*` for the items of a list)."""

    where: str
    keyword: str
    message: str

    def __str__(self) -> str:
        return f"{self.where or '/'}: {self.keyword}: {self.message}"


def breaks(old: Schema, new: Schema, side: Side) -> list[Break]:
    """What breaks those who keep to `old` when `new` replaces it; empty: nothing."""
    found = [_changed("", name, old, new) for name in ("$schema", "$id") if old.get(name) != new.get(name)]
    return found + _Comparison(old, new, side).compare(old, new, "")


_NOTES: Final = frozenset({"title", "description", "examples", "$comment", "deprecated", "$defs", "$schema", "$id"})
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_DROPPABLE: Final = ("pattern", "format", "not")
"""Each only narrows, and how far can't be compared: it is the same, or the wider schema does without."""
_UNIONS: Final = ("anyOf", "oneOf")
_KNOWN: Final = frozenset(
    {*_UPPER, *_LOWER, *_DROPPABLE, *_UNIONS, "type", "enum", "const", "required", "properties", "additionalProperties"}
    | {"propertyNames", "items", "default"}
)
_ABSENT: Final = object()
_DEEP: Final = 30


@dataclass(frozen=True, slots=True)
class _Comparison:
    """`old` and `new` hold the definitions; a pair of parts is always given as old and new."""

    old: Schema
    new: Schema
    side: Side

    def compare(self, old_part: Schema, new_part: Schema, where: str) -> list[Break]:
        if where.count("/") > _DEEP:
            return [Break(where, "$ref", "leads into itself: not known how to compare")]
        old, new = _resolved(old_part, self.old), _resolved(new_part, self.new)
        if any(_is_union(part) for part in (old, new)):
            return self._unions(old, new, where)
        found = self._unknown(old, new, where) + self._default(old, new, where)
        found += self._types(old, new, where) + self._values(old, new, where) + self._limits(old, new, where)
        for name in _DROPPABLE:
            wide, narrow = self._sorted(old.get(name, _ABSENT), new.get(name, _ABSENT))
            if wide is not _ABSENT and (wide != narrow or _has_ref(wide)):
                found.append(_changed(where, name, old, new))
        found += self._fields(old, new, where)
        for name, step in (("items", "/*"), ("propertyNames", "/(name)")):
            found += self._inner(name, old, new, where, step)
        return found

    def _sorted(self, old: Any, new: Any) -> tuple[Any, Any]:
        """Wider and narrower: which of the two must accept what the other accepts."""
        return (new, old) if self.side is Side.WRITTEN else (old, new)

    def _unknown(self, old: Schema, new: Schema, where: str) -> list[Break]:
        names = sorted((old.keys() | new.keys()) - _KNOWN - _NOTES)
        # The same reference may lead to something else: an unknown keyword must not hold one.
        return [
            _changed(where, name, old, new)
            for name in names
            if old.get(name, _ABSENT) != new.get(name, _ABSENT) or _has_ref(old[name])
        ]

    def _default(self, old: Schema, new: Schema, where: str) -> list[Break]:
        if "default" in old and old["default"] != new.get("default", _ABSENT):
            return [_changed(where, "default", old, new)]
        return []

    def _types(self, old: Schema, new: Schema, where: str) -> list[Break]:
        wide, narrow = self._sorted(_types_of(old), _types_of(new))
        return [] if wide is None or (narrow is not None and narrow <= wide) else [_changed(where, "type", old, new)]

    def _values(self, old: Schema, new: Schema, where: str) -> list[Break]:
        wide, narrow = self._sorted(_values_of(old), _values_of(new))
        if wide is None or (narrow is not None and all(any(_same(v, w) for w in wide) for v in narrow)):
            return []
        return [Break(where, "enum", f"was {_values_of(old)!r}, is {_values_of(new)!r}")]

    def _limits(self, old: Schema, new: Schema, where: str) -> list[Break]:
        found = []
        for name in (*_UPPER, *_LOWER):
            wide, narrow = self._sorted(old.get(name), new.get(name))
            if wide is None:
                continue
            if narrow is None or (narrow > wide if name in _UPPER else narrow < wide):
                found.append(_changed(where, name, old, new))
        return found

    def _inner(self, name: str, old: Schema, new: Schema, where: str, step: str) -> list[Break]:
        wide, narrow = self._sorted(old.get(name, True), new.get(name, True))
        if wide is True or narrow is False:
            return []
        if isinstance(wide, bool) or isinstance(narrow, bool):
            return [_changed(where, name, old, new)]
        return self.compare(old[name], new[name], f"{where}{step}")

    def _fields(self, old: Schema, new: Schema, where: str) -> list[Break]:
        wide, narrow = self._sorted(old, new)
        missing = set(wide.get("required", ())) - set(narrow.get("required", ()))
        word = "is required now" if self.side is Side.WRITTEN else "is not required any more"
        found = [Break(f"{where}/{name}", "required", word) for name in sorted(missing)]
        old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
        for name in sorted(old_fields.keys() | new_fields.keys()):
            path = f"{where}/{name}"
            if name not in new_fields:
                found.append(Break(path, "properties", "is gone"))
            elif name in old_fields:
                found += self.compare(old_fields[name], new_fields[name], path)
            else:
                found += self._added(new_fields[name], old, path)
        return found + self._inner("additionalProperties", old, new, where, "/(any)")

    def _added(self, field: Schema, old: Schema, path: str) -> list[Break]:
        rest = old.get("additionalProperties", True)
        if isinstance(rest, bool):
            # A writer may have written anything under this name where that was allowed; a reader may have refused it.
            fits = rest is (self.side is Side.READ)
            return [] if fits else [Break(path, "properties", "is new, and the old schema had a say about its name")]
        return self.compare(rest, field, path)

    def _unions(self, old: Schema, new: Schema, where: str) -> list[Break]:
        old_forms, new_forms = _forms(old), _forms(new)
        if old_forms is None or new_forms is None:
            return [Break(where, "anyOf", "stands beside other keywords: not known how to compare")]
        found = self._default(old, new, where)
        wide, narrow = self._sorted((old, old_forms, self.old), (new, new_forms, self.new))
        if "oneOf" in wide[0]:
            pairs = combinations([_resolved(form, wide[2]) for form in wide[1]], 2)
            if not all(_apart(*pair) for pair in pairs):
                said = "has two forms that no constant, no type and no required field tells apart"
                found.append(Break(where, "oneOf", said))
        for form in narrow[1]:
            # Sorting is its own inverse: wider and narrower become old and new again.
            tries = [self.compare(*self._sorted(other, form), where) for other in wide[1]]
            if all(tries):
                # The one of its type with the fewest breaks is the one that it was meant to be.
                closest = min(tries, key=lambda each: (_other_type(each, where), len(each)))
                found += closest
        return found


def _resolved(part: Schema, root: Schema) -> Schema:
    """`part` with what its reference leads to."""
    while "$ref" in part:
        target = root["$defs"][part["$ref"].removeprefix("#/$defs/")]
        beside = {k: v for k, v in part.items() if k != "$ref"}
        if (beside.keys() & target.keys()) - _NOTES:
            return {"allOf": [target, beside]}  # not known here: it must be the same
        part = {**target, **beside}
    return part


def _other_type(found: list[Break], where: str) -> bool:
    return any(each.where == where and each.keyword == "type" for each in found)


def _is_union(part: Schema) -> bool:
    return any(name in part for name in _UNIONS)


def _forms(part: Schema) -> Sequence[Schema] | None:
    """The forms of a union, or the one form that `part` is; None when a union has more to say."""
    if not _is_union(part):
        return [{k: v for k, v in part.items() if k != "default"}]
    said = part.keys() - _NOTES - {"default"}
    [name] = said if len(said) == 1 else [None]
    return part[name] if name in _UNIONS else None


def _types_of(part: Schema) -> frozenset[str] | None:
    given = part.get("type")
    if given is None:
        return None
    names = frozenset([given] if isinstance(given, str) else given)
    return names | {"integer"} if "number" in names else names


def _values_of(part: Schema) -> list[Any] | None:
    if "const" in part:
        return [part["const"]]
    values = part.get("enum")
    return None if values is None else list(values)


def _same(one: Any, other: Any) -> bool:
    # In Python True equals 1; in JSON it doesn't.
    return bool(one == other) and isinstance(one, bool) is isinstance(other, bool)


def _apart(one: Schema, other: Schema) -> bool:
    """Whether no value can have both forms."""
    types = _types_of(one), _types_of(other)
    if types[0] is not None and types[1] is not None and not types[0] & types[1]:
        return True
    fields = one.get("properties", {}), other.get("properties", {})
    required = set(one.get("required", ())), set(other.get("required", ()))
    for name in required[0] & required[1] & fields[0].keys() & fields[1].keys():
        values = _values_of(fields[0][name]), _values_of(fields[1][name])
        if (
            values[0] is not None
            and values[1] is not None
            and not any(_same(a, b) for a in values[0] for b in values[1])
        ):
            return True
    closed = one.get("additionalProperties") is False, other.get("additionalProperties") is False
    return bool((closed[1] and required[0] - fields[1].keys()) or (closed[0] and required[1] - fields[0].keys()))


def _has_ref(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "$ref" in value or any(map(_has_ref, value.values()))
    return isinstance(value, list) and any(map(_has_ref, value))


def _changed(where: str, name: str, old: Schema, new: Schema) -> Break:
    was, now = (f"{part[name]!r}" if name in part else "absent" for part in (old, new))
    return Break(where, name, f"was {was}, is {now}")
