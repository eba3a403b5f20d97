"""`python -m tests.supply.secret_scan [DIRECTORY]`: does a file that is, or would be, committed hold a secret?

Kingfisher looks, with its own rules (formats of services' tokens, private keys) and those of secret_rules.yaml. It asks
nobody: no finding is tried out on the service it belongs to. What it finds is never printed.
"""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RULES = Path(__file__).with_name("secret_rules.yaml")
KINGFISHER = Path(sysconfig.get_path("scripts")) / "kingfisher"
CACHE = ROOT / "build" / "kingfisher"
"""Its compiled rules: the first run takes a few seconds more."""

_NOTHING_FOUND, _FOUND = 0, 200
_SKIPPED = {".git", ".hypothesis", ".noida-db", "build", "dist", "node_modules", "__pycache__"}
ADVICE = """
A real secret: revoke it where it was issued first, then take it out of the file and, if it was committed, out of the
history. Invented for a test: make it short, build it from parts, or end its line with the comment kingfisher:ignore
(before or after it, where it has several lines). See docs/explanation/supply-chain.md."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a secret seems to be (`line` counts from 1), and what kind of secret."""

    path: str
    line: int
    rule: str
    description: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.description} ({self.rule})"


class ScanError(Exception):
    """The scanner did not do its work."""


def committed(root: Path) -> list[str]:
    """What git tracks or would add, relative to `root`; where git can't tell, all but what tools leave."""
    return sorted(_told_by_git(root) if (root / ".git").exists() else _walked(root))


def _told_by_git(root: Path) -> Iterable[str]:
    # A checkout that another user owns (a mounted one, in CI) is read all the same: nothing of it is run.
    command = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files", "-z", "--cached", "--others"]
    try:
        listed = subprocess.run([*command, "--exclude-standard"], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"secrets: git does not say what is tracked ({error}): all files are read", file=sys.stderr)
        return _walked(root)
    names = {os.fsdecode(name) for name in listed.split(b"\0") if name}
    return (name for name in names if (root / name).is_file())


def _walked(root: Path) -> Iterator[str]:
    for directory, directories, files in os.walk(root):
        directories[:] = [
            name
            for name in directories
            if name not in _SKIPPED and not name.startswith(".venv") and not name.endswith((".egg-info", "_cache"))
        ]
        yield from (os.path.relpath(Path(directory) / name, root) for name in files if name != ".env")


def scan(root: Path, names: Sequence[str]) -> list[Finding]:
    """The findings in these files of `root`. Raises ScanError."""
    if not names:
        return []
    arguments = ["--no-validate", "--no-update-check", "--git-history", "none", "--redact", "--format", "jsonl"]
    done = subprocess.run(
        [str(KINGFISHER), "scan", *arguments, "--rules-path", str(RULES), "--rule-cache-dir", str(CACHE)]
        + [f"./{name}" for name in names],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in {_NOTHING_FOUND, _FOUND}:
        raise ScanError(f"kingfisher ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    scanned = sum(line.get("blobs_scanned", 0) for line in lines)
    findings = sorted(
        {
            Finding(
                path=line["finding"]["path"].removeprefix("./"),
                line=line["finding"]["line"],
                rule=line["rule"]["id"],
                description=line["rule"]["description"],
            )
            for line in lines
            if "finding" in line
        },
        key=lambda finding: (finding.path, finding.line, finding.rule),
    )
    if bool(findings) != (done.returncode == _FOUND) or not scanned:
        raise ScanError(f"kingfisher read {scanned} of {len(names)} files and ended with {done.returncode}")
    return findings


def main(arguments: Sequence[str]) -> int:
    """Exit status: 0 nothing was found, 1 something was, 2 it could not be looked for."""
    root = Path(arguments[0]) if arguments else ROOT
    try:
        names = committed(root)
        findings = scan(root, names)
    except (ScanError, OSError) as error:
        print(f"secrets: {error}", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding, file=sys.stderr)
    if findings:
        print(ADVICE, file=sys.stderr)
        return 1
    print(f"secrets: none in {len(names)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
