"""Stand-ins for the programs that can't do their work here: each checks its arguments as far as they can be.

A stand-in ends with 0 where the real one
would accept the command, as far as can be told, and with 64 and a sentence where it would not, or where the stand-in
does not know the words: teach it then, from the program's own reference.

What is inside of a command is done for real: `kubectl exec … -- worker …` runs the worker's command, `helm … -f FILE
--set …` renders the chart.
"""

import argparse
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Never
from unittest import mock

from tests.docs.markdown import ROOT
from tests.docs.standin import WRONG, wrong
from tests.docs.standin_image import cosign, docker
from tests.docs.standin_kafka import OPTIONS, kafka

TARGETS: Mapping[str, str] = {
    "demo": "tests/integration/test_demo.py",
    "test": "this run",
    "check": "this run, and .ci/run",
    "licences": "make check, and tests/supply/test_licences.py",
    "sast": "make check",
    "secrets": "make check, and tests/supply/test_secret_scan.py",
    "audit": "the forge: it asks a service; tests/supply/test_audit.py judges what it says",
    "screenshots": "by hand: a browser",
    "install": "this run stands on it",
    "test-kafka": ".ci/run",
    "bench": "tests/integration/test_bench.py runs a short one; minutes, on Apache Kafka",
    "model": "model-small; hours",
    "model-small": ".ci/run",
    "simulate": "tests/simulation/test_simulation.py, with fewer seeds",
    "chaos": "by hand: five minutes, three Kafka brokers; tests/unit/test_chaos_books.py its books",
    "asyncapi": "by hand: node; tests/unit/test_asyncapi.py holds the document to its source",
    "chart": "tests/ops/test_chart_objects.py",
    "base-digest": "by hand: a registry",
    "ops": "tests/ops/test_dashboards.py and tests/ops/test_alerts.py hold what it writes to its source",
    "ops-check": "this run: tests/ops",
    "lock": "by hand: a registry; lock-check in make check",
    "upgrade": "by hand: a registry",
    "format": "format-check in make check",
    "clean": "by hand: it would remove what this runs on",
    "help": "here",
    "format-check": "make check",
    "imports": "make check",
    "lint": "make check",
    "lock-check": "make check",
    "types": "make check",
}
"""What runs each make target that a page prints, since a page's block does not: it is expanded with `make -n` only."""


def make(words: Sequence[str]) -> int:
    """The target is there, and something runs it; its recipe expands."""
    targets = [word for word in words if "=" not in word and not word.startswith("-")]
    for target in targets:
        if target not in TARGETS:
            wrong(f"make {target}: nothing is known to run this target; say in tests/docs/standins.py what does")
    done = subprocess.run(
        ["/usr/bin/env", "make", "-n", *words], cwd=ROOT, env=_plain(), check=False, capture_output=True
    )
    sys.stderr.buffer.write(done.stderr)
    return done.returncode


def git(words: Sequence[str]) -> int:
    """A commit's name, where there need not be one."""
    if list(words) != ["rev-parse", "HEAD"]:
        wrong(f"git {' '.join(words)}: only `git rev-parse HEAD` is known here")
    print("0" * 40)
    return 0


def python(words: Sequence[str]) -> int:
    """Programs that take minutes: only their options are read. All else is the environment's own (client.py)."""
    return _options_of(words[1], words[2:])


def helm(words: Sequence[str]) -> int:
    """See standin_helm, which takes a while to import."""
    from tests.docs import standin_helm

    return standin_helm.helm(words)


def kubectl(words: Sequence[str]) -> int:
    """See standin_kubectl, likewise."""
    from tests.docs import standin_kubectl

    return standin_kubectl.kubectl(words)


def _options_of(module: str, words: Sequence[str]) -> int:
    """Parse only: the parser ends the process where it is wrong, and never comes to run anything."""

    class Parsed(Exception):  # noqa: N818 - no error
        pass

    def parse(parser: argparse.ArgumentParser, *_given: object) -> Never:
        _, unknown = parser.parse_known_args(words)
        if unknown:
            wrong(f"{module}: no such options: {' '.join(unknown)}")
        raise Parsed

    with mock.patch.object(argparse.ArgumentParser, "parse_args", parse):
        try:
            runpy.run_module(module, run_name="__main__")
        except Parsed:
            return 0
    return WRONG


def _plain() -> dict[str, str]:
    """Without this directory of stand-ins on PATH: `make` is looked for once more."""
    _, *rest = os.environ["PATH"].split(os.pathsep)
    return os.environ | {"PATH": os.pathsep.join(rest)}


STAND_INS: Mapping[str, Callable[[Sequence[str]], int]] = {
    "make": make,
    "cosign": cosign,
    "docker": docker,
    "git": git,
    "python": python,
    "helm": helm,
    "kubectl": kubectl,
    **{name: kafka(name) for name in OPTIONS},
}
