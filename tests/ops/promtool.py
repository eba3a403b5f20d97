"""Runs promtool and Prometheus (Debian: the package `prometheus`)."""

import shutil
import subprocess
from pathlib import Path

import pytest


def binary(name: str) -> str:
    """The path of `promtool` or `prometheus`. The test fails where it is missing: nothing is left out in silence."""
    found = shutil.which(name)
    if found is None:
        pytest.fail(f"{name} is missing: install it (Debian: apt-get install prometheus), or run .ci/run, which does")
    return found


def promtool(*arguments: str | Path, text: str = "") -> str:
    """What it says; the test fails where its exit status is not 0."""
    done = subprocess.run(
        [binary("promtool"), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=120, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
