"""`python -m tests.chaos`: one run, a report on stdout, the course of it on stderr."""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.chaos.report import Report
from tests.chaos.terms import Options, read_options
from tests.chaos.world import world
from worker.demo.process import ServerError

_BEFORE_AND_AFTER = 600.0
"""Seconds for starting everything and for closing the books, at the very most."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 every promise was kept, 1 one was not, or not in time, 2 it could not be tried, 130 Ctrl-C."""
    options = read_options(arguments)
    if options.directory is not None:
        options.directory.mkdir(parents=True, exist_ok=True)
    keep = contextlib.nullcontext(options.directory) if options.directory else None
    with (
        keep or TemporaryDirectory(prefix="worker-chaos-", ignore_cleanup_errors=True) as directory,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        # aiokafka tells of every attempt to reach a broker that was killed.
        logging.basicConfig(filename=Path(directory) / "clients.log")
        try:
            report = runner.run(_run(options, Path(directory).resolve()))
        except (ServerError, AssertionError, TimeoutError) as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            return 2
        except KeyboardInterrupt:
            sys.stderr.write("stopped: nothing was checked\n")
            return 130
    print(report.text())
    if options.json is not None:
        options.json.write_text(json.dumps(report.document(), indent=2) + "\n")
    return 0 if report.good else 1


async def _run(options: Options, directory: Path) -> Report:
    async with asyncio.timeout(options.trouble + options.patience + _BEFORE_AND_AFTER):
        async with world(options, directory) as made:
            return await made.run()


if __name__ == "__main__":
    sys.exit(main())
