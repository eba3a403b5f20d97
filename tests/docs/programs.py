"""What PATH holds while the pages' commands run: our `worker`, and stand-ins for what is not to be had here."""

import subprocess
import sys
from pathlib import Path

from tests.docs.markdown import ROOT
from tests.docs.standins import STAND_INS

_CLIENT = Path(__file__).with_name("client.py")


def programs(directory: Path) -> Path:
    """A new directory for PATH's beginning, like the environment's `bin`.

    `worker` and the stand-ins are clients of `forks`, the rest are links to what is installed.
    """
    directory.mkdir(parents=True)
    for name in ("worker", *STAND_INS):
        program = directory / name
        program.write_text(f"#!{sys.executable} -IS\n{_CLIENT.read_text(encoding='utf-8')}", encoding="utf-8")
        program.chmod(0o755)
    for installed in Path(sys.executable).parent.iterdir():
        here = directory / installed.name
        if not here.exists() and not installed.name.startswith(("python", "activate", "Activate")):
            here.symlink_to(installed)
    (directory / "activate").write_text(": # `. .venv/bin/activate`: it is active\n", encoding="utf-8")
    return directory


def forks(directory: Path) -> tuple[subprocess.Popen[str], str]:
    """The process that the programs are forked from, and its socket."""
    path = directory / "forks"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.docs.forks", str(path)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process, str(path)
