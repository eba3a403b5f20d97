"""Fault points: parsed strictly, fired once, at the n-th time."""

import os
import signal
import subprocess
import sys

import pytest

from worker.faults import STEPS, FaultAction, FaultPoint, NotAFaultPoint, faults, parse_fault_point

PROGRAM = """
import sys
from worker.faults import faults, parse_fault_point
armed = faults(parse_fault_point(sys.argv[1]))
for number, step in enumerate(sys.argv[2:], 1):
    armed.hit(step)
    print(number, flush=True)
"""


def run(point: str, *steps: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, point, *steps], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("step", STEPS)
def test_every_step_can_be_named(step: str) -> None:
    assert parse_fault_point(f"{step}:kill") == FaultPoint(step, FaultAction.KILL, 1)
    assert parse_fault_point(f"{step}:stop:3") == FaultPoint(step, FaultAction.STOP, 3)


@pytest.mark.parametrize("text", ["", "committed", "committed:pause", "committed:kill:0", "committed:kill:x", ":kill"])
def test_a_malformed_point_is_refused_with_the_form(text: str) -> None:
    refused = parse_fault_point(text)
    assert isinstance(refused, NotAFaultPoint)
    assert "<step>:<kill|stop>[:n]" in refused.allowed


def test_an_unknown_step_is_refused_with_the_steps() -> None:
    refused = parse_fault_point("intent-acket:kill")
    assert isinstance(refused, NotAFaultPoint)
    assert "intent-acked" in refused.allowed


def test_without_a_point_nothing_happens() -> None:
    for step in STEPS:
        faults(None).hit(step)


def test_kill_ends_the_process_at_the_nth_time() -> None:
    process = run("attached:kill:2", "attached", "started", "attached", "attached")
    out, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert out.split() == ["1", "2"]
    assert "attached:kill:2 reached" in err


def test_stop_freezes_the_process_until_it_is_continued_and_fires_once() -> None:
    process = run("attached:stop", "attached", "attached")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert os.WSTOPSIG(status) == signal.SIGSTOP
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.split() == ["1", "2"]
