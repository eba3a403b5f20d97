"""`python` as the Dockerfile's build stage calls it, without the network: stands first on PATH while its steps run.

All is done by the real interpreter but `pip install --require-hashes`: what the lock file names is linked from this
environment, which was itself installed from lock files with hashes, so that nothing else can be imported.
"""

import os
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path


def plain_name(name: str) -> str:
    """A distribution's name as lock files write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(path: Path) -> set[str]:
    """The distributions that a lock file names."""
    return {
        plain_name(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


def _parts(distribution: str) -> Iterator[Path]:
    """Files and folders of an installed distribution that lie in site-packages."""
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:  # only for another platform or Python
        return
    for name in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
        yield Path(str(metadata.distribution(distribution).locate_file(name)))


def _install(words: list[str]) -> None:
    assert words[words.index("--only-binary") + 1] == ":all:", "no compiler in the build stage"
    names = locked(Path(words[words.index("--requirement") + 1]))
    if "--python" not in words:
        # What builds the wheel is here already: no isolation needs another one.
        for name in names:
            metadata.distribution(name)
        return
    home = Path(words[words.index("--python") + 1]).parents[1]
    (packages,) = (home / "lib").glob("python3*/site-packages")
    for part in {part for name in names for part in _parts(name)}:
        if not (packages / part.name).exists():
            (packages / part.name).symlink_to(part)


if __name__ == "__main__":
    if sys.argv[1:3] == ["-m", "pip"] and "--require-hashes" in sys.argv:
        _install(sys.argv)
    else:
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606
