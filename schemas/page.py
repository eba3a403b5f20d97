"""`python -m schemas.page RENDERED PAGE` takes the page that AsyncAPI's template rendered in among the docs.

The page begins with the digest of what it was made from, so that a test can say when it is stale.
"""

import hashlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schemas.__main__ import generated

REMEDY: Final = "make asyncapi"
"""What makes the page anew."""

_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")


def digest(files: Mapping[str, str]) -> str:
    """SHA-256, in hex, of the generated files by name: the document and the JSON Schemas that it refers to."""
    whole = hashlib.sha256()
    for name, text in sorted(files.items()):
        whole.update(f"{name}\0{text}\0".encode())
    return whole.hexdigest()


def page(rendered: str, made_from: str) -> str:
    """The page for docs/: `rendered` below its origin, without the template's runs of empty lines."""
    head = (
        f"<!-- Rendered by @asyncapi/markdown-template from schemas/asyncapi.yaml: `{REMEDY}`. sha256:{made_from} -->\n"
    )
    lines = "\n".join(line.rstrip() for line in rendered.splitlines())
    body = re.sub(r"\n{3,}", "\n\n", lines).strip()
    return f"{head}\n{body}\n"


def digest_of(text: str) -> str | None:
    """The digest that a page says it was made from; None when it says none."""
    found = _DIGEST.search(text.partition("\n")[0])
    return found and found[1]


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    target.write_text(page(source.read_text(encoding="utf-8"), digest(generated())), encoding="utf-8")
