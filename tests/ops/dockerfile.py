"""Runs a Dockerfile's instructions in a folder instead of a container: absolute paths of the image lie below it.

Only what ours uses is known; another instruction fails.
"""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SHIM = Path(__file__).with_name("offline_pip.py")
_SILENT = {"ARG", "LABEL", "USER", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
"""Say how an image runs, not what it holds."""


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """Name and rest of each instruction, continued lines joined, in order."""
    joined = re.sub(r"\\\n\s*", "", dockerfile)
    pairs = [line.partition(" ") for line in joined.splitlines() if line[:1].isupper()]
    return [(name, rest.strip()) for name, _, rest in pairs]


@dataclass(frozen=True, slots=True)
class Image:
    """The files of the final stage are below `root`; `environ` is what its processes find, and nothing else."""

    root: Path
    environ: dict[str, str]

    def run(self, *command: str, status: int = 0, more: dict[str, str] | None = None) -> str:
        """What a command says, its path looked up in the image's. The test fails on another exit status."""
        found = shutil.which(command[0], path=self.environ["PATH"])
        assert found is not None, command[0]
        done = subprocess.run(
            [found, *command[1:]],
            env=self.environ | (more or {}),
            cwd=self.root.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + (done.stderr if status else "")


def build(dockerfile: str, context: Path, scratch: Path) -> Image:
    """Both stages. The first one is gone when this returns, but for what the second one copied."""
    stages: list[list[tuple[str, str]]] = []
    for name, rest in instructions(dockerfile):
        if name == "FROM":
            stages.append([])
        elif stages:
            stages[-1].append((name, rest))
    first, last = stages
    stage = _Stage(scratch / "root", _shim(scratch))
    for name, rest in first:
        stage.do(name, rest, context)
    kept = scratch / "kept"
    final = _Stage(stage.root, Path(sys.executable).parent)
    for name, rest in last:
        if name == "COPY":
            come_from, source, target = shlex.split(rest)
            assert come_from == "--from=build", "the context is for the build stage"
            assert source == target, "an environment's scripts name its path"
            kept.mkdir()
            shutil.move(stage.at(source), kept / "it")
            shutil.rmtree(stage.root)
            stage.at(target).parent.mkdir(parents=True)
            shutil.move(kept / "it", stage.at(target))
        else:
            assert name != "RUN", "nothing is installed into the final stage"
            final.do(name, rest, context)
    return Image(stage.root, final.environ)


def _shim(scratch: Path) -> Path:
    folder = scratch / "bin"
    folder.mkdir()
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(_SHIM))} "$@"\n', encoding="utf-8"
    )
    python.chmod(0o755)
    return folder


class _Stage:
    """`root`: where `/` of the stage is; `python`: the folder of its base image's interpreter."""

    def __init__(self, root: Path, python: Path) -> None:
        self.root = root
        self.environ = {"PATH": f"{python}:/usr/bin:/bin", "HOME": str(root.parent)}
        self._directory = root
        root.mkdir(exist_ok=True)

    def at(self, path: str) -> Path:
        """A path of the image, from its working directory."""
        return self.root / path.lstrip("/") if path.startswith("/") else self._directory / path

    def do(self, name: str, rest: str, context: Path) -> None:
        """One instruction."""
        match name:
            case "ENV":
                for pair in shlex.split(rest):
                    key, _, value = pair.partition("=")
                    self.environ[key] = self._here(value).replace("$PATH", self.environ["PATH"])
            case "WORKDIR":
                self._directory = self.at(rest)
                if rest != "/tmp":  # noqa: S108 - every image has one
                    self._directory.mkdir(parents=True, exist_ok=True)
            case "COPY":
                self._copy(shlex.split(rest), context)
            case "RUN":
                done = subprocess.run(
                    ["/bin/sh", "-ec", self._here(rest)],
                    env=self.environ,
                    cwd=self._directory,
                    capture_output=True,
                    text=True,
                    timeout=300,
                    check=False,
                )
                assert done.returncode == 0, f"{rest}\n{done.stdout}{done.stderr}"
            case _:
                assert name in _SILENT, f"what does {name} do?"

    def _copy(self, words: list[str], context: Path) -> None:
        *sources, target = words
        for source in sources:
            # A folder's contents are copied, a file is copied into a folder that the target's `/` says it is.
            to = self.at(target)
            if (context / source).is_dir():
                shutil.copytree(context / source, to, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                to = to / Path(source).name if target.endswith("/") else to
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(context / source, to)

    def _here(self, text: str) -> str:
        return re.sub(r"(?<![\w./-])/(opt|dist|src)\b", lambda found: f"{self.root}/{found[1]}", text)
