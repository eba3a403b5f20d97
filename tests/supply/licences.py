"""`python -m tests.supply.licences`: may a company run what the lock files name beside MIT code?

Licences are SPDX expressions (https://spdx.org/licenses), as PEP 639's License-Expression has them; older distributions
say theirs in words, which `[tool.licences.words]` of pyproject.toml translates. What is installed is asked, and only of
what the lock files name. Two lists: what runs in production (requirements/runtime.txt and the extras but `dev`) may
have a licence of `allow`; what only serves development (the rest of requirements/dev.txt), of `allow-in-development`
too. A single distribution with another licence is let through when `[tool.licences.reviewed]` says why.
"""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, LicenseWithExceptionSymbol, get_spdx_licensing
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
_SPDX = get_spdx_licensing()
_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class Policy:
    """`[tool.licences]`: SPDX identifiers; words in place of them; by name, what a reviewed distribution said ("" for
    nothing).
    """

    production: frozenset[str]
    development: frozenset[str]
    words: Mapping[str, str]
    reviewed: Mapping[str, str]

    @classmethod
    def of(cls, pyproject: Mapping[str, Any]) -> "Policy":
        table = pyproject["tool"]["licences"]
        allow = frozenset(table["allow"])
        return cls(
            production=allow,
            development=allow | frozenset(table["allow-in-development"]),
            words={said.casefold(): meant for said, meant in table["words"].items()},
            reviewed={canonicalize_name(name): entry["says"] for name, entry in table["reviewed"].items()},
        )


def expression(said: metadata.PackageMetadata, words: Mapping[str, str]) -> str | None:
    """What a distribution's metadata says, as SPDX where `words` knows it; None where it says nothing.

    License-Expression first, then the field License (unless it holds a whole text), then the classifiers: all of them,
    since they don't say whether one may choose.
    """
    fields = said.json
    if spdx := fields.get("license_expression"):
        return str(spdx).strip()
    free = str(fields.get("license", "")).strip()
    classifiers = [each.removeprefix(_CLASSIFIER) for each in said.get_all("Classifier") or () if "License ::" in each]
    if free.casefold() in words or (free and "\n" not in free and not classifiers):
        return words.get(free.casefold(), free)
    meant = sorted({words.get(each.casefold(), each) for each in classifiers if each != "License :: OSI Approved"})
    return " AND ".join(meant) or None


def permitted(spdx: str, allowed: frozenset[str]) -> bool:
    """Does it leave a way to use it under allowed licences only? Raises ExpressionError where it is not SPDX."""
    return _permitted(_SPDX.parse(spdx, validate=True, strict=True), allowed)


def _permitted(node: Any, allowed: frozenset[str]) -> bool:
    if isinstance(node, _SPDX.AND):
        return all(_permitted(each, allowed) for each in node.args)
    if isinstance(node, _SPDX.OR):
        return any(_permitted(each, allowed) for each in node.args)
    if isinstance(node, LicenseWithExceptionSymbol):  # an exception takes duties away, never adds one
        return node.render() in allowed or node.license_symbol.key in allowed
    return node.key in allowed


def objection(name: str, spdx: str | None, allowed: frozenset[str], reviewed: Mapping[str, str]) -> str | None:
    """What is wrong with the licence of the distribution `name`, and what to do; None: nothing."""
    if name in reviewed:
        if (spdx or "") == reviewed[name]:
            return None
        return f"said {reviewed[name]!r} when it was reviewed and says {spdx!r} now: review it again"
    if spdx is None:
        return (
            "says nothing of its licence: read its licence file, then write what that is and why it will do under"
            " [tool.licences.reviewed], or take another library"
        )
    try:
        if permitted(spdx, allowed):
            return None
    except ExpressionError:
        return f"says {spdx!r}, which is no SPDX expression: put what it means under [tool.licences.words]"
    return (
        f"has the licence {spdx!r}, which is not allowed here: take another library, or have somebody who may decide it"
        " write down why it will do under [tool.licences.reviewed]"
    )


def locked(text: str) -> list[Requirement]:
    """The requirements of a lock file: name, version and marker."""
    lines = (line.removesuffix("\\").strip() for line in text.splitlines() if line[:1].strip() and line[0] != "#")
    return [Requirement(line) for line in lines]


def needed(roots: Iterable[str]) -> set[str]:
    """The canonical names of what is installed for these requirements, all the way down."""
    found: set[str] = set()
    waiting = [Requirement(root) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        seen.add((name, extras))
        found.add(name)
        for line in metadata.requires(name) or ():
            below = Requirement(line)
            if not below.marker or any(below.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                below.marker = None
                waiting.append(below)
    return found


def complaints(
    requirements: Iterable[Requirement], production: set[str], policy: Policy, absent: list[str]
) -> Iterable[str]:
    """One line for each distribution that may not stay; names of those that this platform lacks go to `absent`."""
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate():
            absent.append(f"{requirement.name} ({requirement.marker})")
            continue
        try:
            said = metadata.metadata(requirement.name)
        except metadata.PackageNotFoundError:
            yield f"{name} is in the lock file and not installed: make install"
            continue
        if said["Version"] not in requirement.specifier:
            yield f"{name} is installed as {said['Version']}, the lock file has {requirement.specifier}: make install"
        allowed = policy.production if name in production else policy.development
        if wrong := objection(name, expression(said, policy.words), allowed, policy.reviewed):
            yield f"{name} {said['Version']} ({'runs in production' if name in production else 'development'}) {wrong}"


def main() -> int:
    """Exit status: 0 everything may stay, 1 something may not."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    policy = Policy.of(pyproject)
    runtime, dev = (locked((ROOT / "requirements" / name).read_text("utf-8")) for name in ("runtime.txt", "dev.txt"))
    extras = pyproject["project"]["optional-dependencies"]
    production = {str(canonicalize_name(each.name)) for each in runtime}
    production.update(needed(each for extra, each_of in extras.items() if extra != "dev" for each in each_of))
    names = {canonicalize_name(each.name): each for each in [*dev, *runtime]}
    absent: list[str] = []
    wrong = list(complaints(names.values(), production, policy, absent))
    wrong += [
        f"[tool.licences.reviewed] names {name}, which no lock file has: take it out"
        for name in sorted(set(policy.reviewed) - set(names))
    ]
    for line in wrong:
        print(f"licences: {line}", file=sys.stderr)
    if absent:
        print(f"licences: not looked at, since this platform does not install them: {', '.join(absent)}")
    if not wrong:
        runs = len(production & set(names))
        print(f"licences: {runs} distributions run in production, {len(names) - runs} serve development: all may stay")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
