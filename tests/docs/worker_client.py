"""What `worker` is while the pages' commands run: hands the command to the server of forks.py. See there.

Started without the site module (`python -IS`): standard library only, and as little of it as it takes.
"""

import array
import json
import os
import signal
import socket
import sys


def main() -> int:
    """The command's exit status."""
    if sys.argv[1:2] in (["run"], ["demo"]):  # long-lived: a process of its own from the beginning
        os.execv(os.environ["DOCS_WORKER"], ["worker", *sys.argv[1:]])  # noqa: S606 - the installed script
    request = {"arguments": sys.argv[1:], "environment": dict(os.environ), "directory": os.getcwd()}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(os.environ["DOCS_FORKS"])
        descriptors = array.array("i", [0, 1, 2]).tobytes()
        text = json.dumps(request).encode() + b"\n"
        sent = server.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        server.sendall(text[sent:])
        with server.makefile() as answers:
            process = int(answers.readline())
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda number, _: os.kill(process, number))
            status = answers.readline()
    return int(status) if status else 128 + signal.SIGKILL  # it ended without a word


if __name__ == "__main__":
    sys.exit(main())
