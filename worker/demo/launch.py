"""Starts the worker as the demo wants it and no otherwise: `python -m worker.demo.launch DIRECTORY NAME=value … `.

The worker must not pick up what the machine has set for a real one: variables of ours and a `.env` in the current
directory are left behind. exec keeps the process id, so that a kill -9 meets the worker itself.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import worker

_OURS = ("KAFKA_", "KRAVIA_", "TOPIC_", "WORKER_")
_ROOT = Path(worker.__file__).resolve().parents[1]


def python_path(inherited: Mapping[str, str]) -> dict[str, str]:
    """What a child needs to import us, wherever it runs and whether we are installed or not."""
    return {"PYTHONPATH": os.pathsep.join(part for part in (str(_ROOT), inherited.get("PYTHONPATH", "")) if part)}


def environment(assignments: Sequence[str], inherited: Mapping[str, str]) -> dict[str, str]:
    """What the worker finds: `inherited` without settings of ours, with `NAME=value` assignments."""
    kept = {name: value for name, value in inherited.items() if not name.upper().startswith(_OURS)}
    return kept | dict(pair.split("=", 1) for pair in assignments)


def command(directory: Path, settings: Mapping[str, str], *options: str) -> list[str]:
    """The command line that starts the worker in `directory` with these settings; it needs `python_path`.

    `options` of `worker run`, such as `--observe`.
    """
    assignments = [f"{name}={value}" for name, value in settings.items()]
    return [sys.executable, "-m", "worker.demo.launch", str(directory), *options, *assignments]


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    options = [word for word in sys.argv[2:] if word.startswith("--")]
    os.execve(  # noqa: S606 -- our own interpreter, no shell
        sys.executable,
        [sys.executable, "-m", "worker", "run", *options],
        environment(sys.argv[2 + len(options) :], os.environ),
    )
