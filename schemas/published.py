"""The JSON Schemas as they were published last: `json/published/`. A later release must not break who keeps to them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schemas.compatibility import Side, breaks

FOLDER: Final = "published"
"""Within the folder of the JSON Schemas."""
_SIDES: Final = {
    "invoice-requested": Side.WRITTEN,
    "command": Side.WRITTEN,
    "outcome": Side.READ,
    "dead-letter-headers": Side.READ,
}


def published(folder: Path) -> dict[str, str]:
    """File name and text of every published schema in `folder`; none when it is not there. OSError: can't be read."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}


def broken(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What the schemas in `now` break of those `before`, in words; empty: nothing. A new file breaks nobody."""
    found = []
    for name, text in before.items():
        side = _SIDES.get(name.partition(".")[0])
        if side is None:
            found.append(f"{name}: who writes and who reads it is not known: add it to schemas.published")
        elif name not in now:
            found.append(f"{name}: is gone; a new version has a file of its own beside it")
        else:
            found += [f"{name}: {each}" for each in breaks(json.loads(text), json.loads(now[name]), side)]
    return found
