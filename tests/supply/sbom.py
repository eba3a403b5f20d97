"""Does an image's SBOM name what the image holds?

python sbom.py FILE        an SPDX document as JSON, of a Linux image

BuildKit makes the SBOM from the image's file system. One that lacks a distribution of requirements/runtime.txt, or has
another version of it, tells whoever looks for a vulnerable library wrongly that it isn't there. Standard library only:
the release runs it before anything is installed.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[2] / "requirements" / "runtime.txt"


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def on_linux(lock: str) -> set[tuple[str, str]]:
    """Name and version of what a lock file has pip install on Linux."""
    lines = re.findall(r"^([\w.-]+)==([^\s;]+)(?: *; *([^\\\n]*))?", lock, re.MULTILINE)
    return {(normalised(name), version) for name, version, marker in lines if "== 'win32'" not in marker}


def missing(document: Mapping[str, Any], lock: str) -> list[str]:
    """What the lock file has and the SPDX document hasn't, as `name version`."""
    has = {(normalised(each["name"]), each.get("versionInfo")) for each in document.get("packages", ())}
    return sorted(f"{name} {version}" for name, version in on_linux(lock) - has)


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 it names everything, 1 it doesn't, 2 no SPDX document was given."""
    try:
        document = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
        if "spdxVersion" not in document:
            raise ValueError("it has no spdxVersion")
    except (IndexError, OSError, ValueError, TypeError) as error:
        print(f"sbom: no SPDX document: {error}", file=sys.stderr)
        return 2
    lock = LOCK.read_text(encoding="utf-8")
    if lacks := missing(document, lock):
        print(f"sbom: it does not name {', '.join(lacks)}", file=sys.stderr)
        return 1
    print(f"sbom: {len(document['packages'])} packages, among them all {len(on_linux(lock))} of {LOCK.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
