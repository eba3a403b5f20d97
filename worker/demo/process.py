"""A server run as a child process: it never outlives us, and its output goes to a file.

Brokers of the demo and of the tests are such servers. A child gets a session of its own, so that Ctrl-C in a terminal
reaches us alone and we decide the order in which things end; should we be killed, the kernel ends the child
(PR_SET_PDEATHSIG, Linux; the signal comes when the *thread* that started it ends, so `start` is called from the thread
that runs the event loop).
"""

import asyncio
import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_PR_SET_PDEATHSIG = 1
"""`man 2 prctl`, linux/prctl.h."""
_PORTS = range(20_000, 32_000)
"""Below Linux's ephemeral range (32768 and up): an outgoing connection must not take the port of a stopped broker."""


_RESERVED: list[socket.socket] = []
"""Marks of the ports that this process has chosen."""


class ServerError(RuntimeError):
    """A server could not be started; the message says which, why, and where its output is."""


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on now, and that no process gets from here while this one lives.

    Raises ServerError when there is none.
    """
    for port in random.sample(_PORTS, 200):
        if port_is_free(port) and _reserve(port):
            return port
    raise ServerError("found no free TCP port on 127.0.0.1 between 20000 and 31999: stop what listens there")


def _reserve(port: int) -> bool:
    """A server listens seconds after its port was chosen: meanwhile another process would choose it too.

    The mark is a name in Linux's abstract namespace (`man 7 unix`), which ends with this process and leaves no file.
    """
    if not sys.platform.startswith("linux"):
        return True
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0kravia-invoice-worker-port-{port}")
    except OSError:
        mark.close()
        return False
    _RESERVED.append(mark)
    return True


def port_is_free(port: int) -> bool:
    """Whether nobody listens on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # remains of closed connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _end_with_parent() -> Callable[[], None] | None:
    """What the child runs before exec. libc is loaded here: after fork only the call itself is safe."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def run() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return run


class Watched(Protocol):
    """A server that somebody waits for."""

    @property
    def name(self) -> str: ...

    def exit_message(self) -> str | None:
        """Why it is not running any more; None while it runs."""

    def tail(self) -> str:
        """The end of its output."""


class Server:
    """One child process. `start` again after `stop` or `kill` runs the same command."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None):
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id while it runs. Raises ServerError when it does not."""
        if self._process is None or self._process.poll() is not None:
            raise ServerError(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; that it answers is for the caller to find out. Raises ServerError."""
        if self.running:
            raise ServerError(f"{self.name} is already running")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.log.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603 -- our own fixed command, no shell
                    self._command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._environment,
                    start_new_session=True,
                    preexec_fn=_end_with_parent(),  # noqa: PLW1509 -- no locks are taken in it, see above
                )
        except OSError as error:
            raise ServerError(f"{self.name} could not be started: {error}") from error

    def exit_message(self) -> str | None:
        """Why it is not running any more, with the end of its output; None while it runs."""
        if self.running:
            return None
        status = None if self._process is None else self._process.returncode
        return f"{self.name} ended with status {status}; its output ends with:\n{self.tail()}"

    def tail(self) -> str:
        """The end of its output."""
        return self.log.read_bytes()[-1500:].decode(errors="replace").strip() if self.log.exists() else ""

    def signal(self, number: int) -> None:
        """Send a signal, for example SIGSTOP. Raises ServerError when it does not run."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, at once; nothing when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self, timeout: float = 15.0) -> None:
        """SIGTERM, SIGKILL after `timeout` seconds; nothing when it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(TimeoutError):  # it had its time: killed below
            async with asyncio.timeout(timeout):
                while self._process.poll() is None:  # noqa: ASYNC110 -- a process is asked, it does not tell
                    await asyncio.sleep(0.02)
        self.kill()
