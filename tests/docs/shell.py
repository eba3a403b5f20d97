"""Runs the blocks of a page as its reader would: in one directory, one after another, in bash.

Each block is a bash of its own; variables and the current directory last until the page's end. A command that
ends with another status than 0 fails the block, unless `MAY_FAIL` says why it may. A line that runs until it is stopped
(`worker run`, a broker, `--watch`) is started, waited for until it is ready, and stopped by SIGINT at the page's end.
"""

import os
import pty
import re
import shlex
import signal
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.samples import Story, addresses, told
from tests.docs.world import PATIENCE, World, until
from worker.demo.process import free_port

TIMEOUT = 120.0
"""Seconds for a block."""

MAY_FAIL: tuple[tuple[str, tuple[int, ...], str], ...] = (
    (r"worker validate ", (1,), "the page's file holds an event that is wrong"),
    (r"worker statement ", (1,), "the world has doubts that nobody has decided: unexplained"),
    (r"worker dead-letters replay .*--since", (1,), "what must be edited or resolved first is left out"),
    (r"worker dead-letters replay .*--dry-run", (1,), "likewise"),
)
"""Commands that may end with such a status, and why."""

_LASTING: tuple[tuple[str, str], ...] = (
    (r"^(\w+=\S+ )*worker run\b", "worker"),
    (r"^noida-db start\b", "broker"),
    (r"^(\S*/)?python -m worker\.demo\.simulator\b", "simulator"),
    (r"^worker status .*--watch\b", "watch"),
)
_PREAMBLE = r"""
set -uo pipefail -E
failed() { printf '%s\t%s\n' "$1" "${2//$'\n'/ }" >>"$DOCS_FAILED"; }
trap 'failed $? "$BASH_COMMAND"' ERR
# A reader that stops early must not fail the command before it.
head() { command head "$@"; local status=$?; cat >/dev/null; return $status; }
# What a page reads may come a moment later; an example that shows nothing is none.
kcat() {
  if [[ " $* " != *" -C "* ]]; then command kcat "$@"; return; fi
  local shown=x end=$((SECONDS + 60))
  while [[ $shown == x && $SECONDS -lt $end ]]; do
    if ! shown=$(if ! command kcat "$@"; then exit 1; fi; echo x); then return 1; fi
    if [[ $shown == x ]]; then sleep 0.1; fi
  done
  if [[ $shown == x ]]; then echo "kcat showed nothing" >&2; return 1; fi
  printf '%s' "${shown%x}"
}
DOCS_BEFORE=$(compgen -v)
"""
_EPILOGUE = """
trap - ERR
export -p >"$DOCS_STATE"
for DOCS_NAME in $(compgen -v); do  # what is set without `export`
  if ! grep -qx "$DOCS_NAME" <<<"$DOCS_BEFORE"; then declare -p "$DOCS_NAME" >>"$DOCS_STATE" 2>/dev/null; fi
done
pwd >>"$DOCS_STATE.directory"
"""


@dataclass
class Lasting:
    """A command that runs until it is stopped."""

    line: str
    kind: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]


class Shell:
    """One page's."""

    def __init__(
        self,
        directory: Path,
        checkout: Path,
        world: World,
        environment: Mapping[str, str],
        story: Story | None = None,
    ) -> None:
        """`environment` is what the reader has set beforehand, PATH among it; `directory` takes notes.

        `story`: the invoices that the page tells of, where the world has them.
        """
        self.world = world
        self._story = story
        self._notes = directory
        self._directory = checkout
        self._environment = dict(environment)
        self._lasting: list[Lasting] = []
        self._failed: str | None = None
        directory.mkdir(parents=True)

    def run(self, text: str) -> str:
        """Run a block; what it printed. AssertionError where a command failed that may not."""
        assert self._failed is None, f"a block before this one failed: {self._failed}"
        self._failed = text
        text = addresses(text, self.world)
        if self._story is not None:
            text = told(text, self.world, self._story)
        said = ""
        for lasts, part in _parts(text):
            said += self._start(part) if lasts else self._script(part)
        self._failed = None
        return said

    def _script(self, text: str) -> str:
        state, failed = self._notes / "state", self._notes / "failed"
        failed.write_text("")
        known = f"source {shlex.quote(str(state))}\n" if state.exists() else ""
        script = self._notes / "script"
        script.write_text(_PREAMBLE + known + text + _EPILOGUE, encoding="utf-8")
        environment = self._environment | {"DOCS_STATE": str(state), "DOCS_FAILED": str(failed)}
        status, said = _bash(script, self._directory, environment)
        assert status == 0, f"the block ended with {status}:\n{said}"
        self._directory = Path((self._notes / "state.directory").read_text().splitlines()[-1])
        for line in failed.read_text().splitlines():
            number, _, command = line.partition("\t")
            assert _may_fail(command, int(number)), f"`{command}` ended with {number}:\n{said}"
        return said

    # What lasts

    def _start(self, line: str) -> str:
        [kind] = [kind for pattern, kind in _LASTING if re.search(pattern, line)]
        port = self.world.http_port
        if any(other.kind == "worker" for other in self._lasting) or "KAFKA_BOOTSTRAP_SERVERS" in self._environment:
            port = free_port()  # another worker has the world's
        state = self._notes / "state"
        known = f"source {shlex.quote(str(state))}; " if state.exists() else ""
        log = self._notes / f"lasting-{len(self._lasting)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"{known}export WORKER_HTTP_PORT={port}; {line}"],
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._lasting.append(started := Lasting(line, kind, process, log))
        until(lambda: _is_ready(started, port, self.world), bool, f"`{line}` is ready")
        if "--observe" in line:
            self.world.wait_observed()
        return ""

    def died(self) -> None:
        """The worker that was started last has killed itself."""
        lasting = self._lasting.pop()
        assert lasting.process.wait(PATIENCE) in (-signal.SIGKILL, 128 + signal.SIGKILL), lasting.tail()

    def stop(self) -> None:
        """Ctrl-C for all that lasts, the latest first: each must end well."""
        while self._lasting:
            lasting = self._lasting.pop()
            os.killpg(lasting.process.pid, signal.SIGINT)
            status = lasting.process.wait(PATIENCE)
            well = (0, 130, -signal.SIGINT) if lasting.kind in ("watch", "broker") else (0,)
            assert status in well, f"`{lasting.line}` ended with {status} after Ctrl-C:\n{lasting.tail()}"

    def kill(self) -> None:
        """End what a failed test left."""
        for lasting in self._lasting:
            if lasting.process.poll() is None:
                os.killpg(lasting.process.pid, signal.SIGKILL)
                lasting.process.wait()


def _parts(text: str) -> list[tuple[bool, str]]:
    """The block in parts: whether it lasts, and its text; a part that lasts is a logical line."""
    made: list[tuple[bool, str]] = []
    for line in re.findall(r"(?:[^\n]*\\\n)*[^\n]*\n?", text):
        command = line.replace("\\\n", " ").strip()
        if any(re.search(pattern, command) for pattern, _ in _LASTING):
            made.append((True, command.removesuffix("&")))
        elif made and not made[-1][0]:
            made[-1] = (False, made[-1][1] + line)
        elif command:
            made.append((False, line))
    return made


def _bash(script: Path, directory: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Its status and all that it said. Stdin is a terminal where somebody says yes to everything."""
    leader, terminal = pty.openpty()
    try:
        os.write(leader, b"y\n" * 20)
        process = subprocess.Popen(
            ["bash", str(script)],
            cwd=directory,
            env=dict(environment),
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            said, _ = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            said, _ = process.communicate()
            raise AssertionError(f"it did not end within {TIMEOUT:g} s:\n{said.decode(errors='replace')}") from None
    finally:
        os.close(terminal)
        os.close(leader)
    return process.returncode, said.decode(errors="replace")


def _may_fail(command: str, status: int) -> bool:
    return any(re.search(pattern, command) and status in statuses for pattern, statuses, _ in MAY_FAIL)


def _is_ready(lasting: Lasting, port: int, world: World) -> bool:
    assert lasting.process.poll() is None, f"`{lasting.line}` ended:\n{lasting.tail()}"
    match lasting.kind:
        case "worker":
            return world.is_ready(port)
        case "watch":
            return lasting.log.stat().st_size > 0
        case _:
            [_, own] = re.findall(r"--(kafka-)?port (\d+)", lasting.line)[0]
            return _listens(int(own))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
