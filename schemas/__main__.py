"""`python -m schemas` writes the JSON Schemas into `schemas/json/`; with `--publish` also the published copies.

Publishing freezes them: it is refused when a published schema would break (see `schemas.compatibility`).
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.documents import documents
from schemas.published import FOLDER, broken, published


def main(arguments: Sequence[str] = ()) -> int:
    """Write every document anew. The exit status: 1 when publishing is refused, 2 for an unknown argument."""
    if list(arguments) not in ([], ["--publish"]):
        sys.stderr.write("usage: python -m schemas [--publish]\n")
        return 2
    folder = Path(__file__).parent / "json"
    texts = documents()
    _write(folder, texts)
    if not arguments:
        return 0
    found = broken(published(folder / FOLDER), texts)
    if found:
        said = "\n".join(found)
        sys.stderr.write(f"Not published: these changes need a new version (v2), or must be undone.\n{said}\n")
        return 1
    _write(folder / FOLDER, texts)
    return 0


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
