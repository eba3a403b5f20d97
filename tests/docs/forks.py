"""The programs on PATH, without the second that each Python process takes to import the worker.

A server process imports the worker, and the stand-ins, once and forks for each command: arguments, environment,
directory and the caller's own stdin, stdout and stderr come over a UNIX socket from `client.py`, which is what PATH
holds. The command runs in a process of its own; `worker` is the same `worker.cli.main` that the installed script calls.
"""

import array
import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from typing import Any

# None of them starts a thread: a process with threads must not fork. So not Helm's engine, which is Go.
_MODULES = (
    "tests.bench.report",
    "tests.chaos.world",
    "tests.docs.standins",
    "tests.simulation.run",
    "worker.app",
    "worker.checking.judge",
    "worker.cli.program",
    "worker.doctor.examine",
    "worker.finance.statement",
    "worker.inquiry.telling",
    "worker.kravia",
    "worker.wiring",
)


def serve(path: str) -> None:
    """Listen on the UNIX socket `path` until killed. Prints a line when it listens."""
    for name in _MODULES:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(16)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: they tell their own status
        threads = len(os.listdir("/proc/self/task"))
        assert threads == 1, f"{threads} threads: what is imported here must not start any"
        print("listening", flush=True)
        while True:
            caller, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _command(caller)
            caller.close()


def _command(caller: socket.socket) -> None:
    """One command, in its own process; does not return."""
    status = 1
    try:
        request = _received(caller)
        caller.sendall(f"{os.getpid()}\n".encode())
        status = _run(request)
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a process
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        with contextlib.suppress(OSError):
            caller.sendall(f"{status}\n".encode())
        os._exit(status)


def _received(caller: socket.socket) -> dict[str, Any]:
    """The request, its three file descriptors in place of our own."""
    size = array.array("i", [0, 0, 0])
    text, passed, _, _ = caller.recvmsg(1 << 20, socket.CMSG_LEN(len(size) * size.itemsize))
    descriptors = array.array("i")
    for _, _, data in passed:
        descriptors.frombytes(data)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    while not text.endswith(b"\n"):
        text += caller.recv(1 << 20)
    request: dict[str, Any] = json.loads(text)
    return request


def _run(request: dict[str, Any]) -> int:
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = [request["program"], *request["arguments"]]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - they end with the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115
    from tests.docs.standins import STAND_INS
    from worker.cli import main

    stand_in = STAND_INS.get(request["program"])
    try:
        return main() if stand_in is None else stand_in(request["arguments"])
    except SystemExit as end:  # argparse's
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)


if __name__ == "__main__":
    serve(sys.argv[1])
