"""What `worker` and the stand-ins are on PATH: hands the command to the server of forks.py. See there.

Started without the site module (`python -IS`): standard library only, and as little of it as it takes.
"""

import array
import contextlib
import json
import os
import signal
import socket
import sys


def main() -> int:
    """The command's exit status."""
    name = os.path.basename(sys.argv[0])
    if _is_its_own(name, sys.argv[1:]):
        installed = f"{os.environ['DOCS_INSTALLED']}/{name}"
        os.execv(installed, [installed, *sys.argv[1:]])  # noqa: S606 - what is installed
    request = {"program": name, "arguments": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd()}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.environ["DOCS_FORKS"])
        descriptors = array.array("i", [0, 1, 2]).tobytes()
        text = json.dumps(request).encode() + b"\n"
        sent = server.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        # Not "the rest, if none": sending nothing fails too, once the command has ended and its side is closed.
        if sent < len(text):
            server.sendall(text[sent:])
        with server.makefile() as answers:
            process = int(answers.readline())
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda number, _: _kill(process, number))
            status = answers.readline()
    return int(status) if status else 128 + signal.SIGKILL  # it ended without a word


def _kill(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended, and its answer is on its way
        os.kill(process, number)


def _is_its_own(name: str, words: list[str]) -> bool:
    """What is long-lived, or no program of ours, is a process of its own from the beginning."""
    if name == "python":
        return words[:1] != ["-m"] or words[1] not in ("tests.bench", "tests.chaos", "tests.simulation")
    return name == "worker" and words[:1] in (["run"], ["demo"])


if __name__ == "__main__":
    sys.exit(main())
