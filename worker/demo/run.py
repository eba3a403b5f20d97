"""`worker demo`: everything on this machine, from an invoice event to the verdict, in under a minute.

An embedded broker, the simulated Kravia with some faults, a sample producer, and the worker as a process of its own,
which is killed midway. It ends by itself: with the verdict as the last line, and status 0 only when no invoice was
registered twice and no event was lost.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka.errors import KafkaError
from rich.console import Console

from worker.demo.options import Options, add_arguments, options
from worker.demo.process import ServerError
from worker.demo.show import Show
from worker.demo.view import LiveView, PlainView, View

INTERRUPTED = 130
TERMINATED = 143
_NAMED = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; `argv` are the words behind `worker demo`. Returns the exit status.

    0: the verdict is good. 1: it is not, or not every event had its outcome in time, or something could not be
    started. 130 and 143: ended by Ctrl-C or SIGTERM, and everything that was started with it. Wrong usage raises
    SystemExit with status 2, as argparse does.
    """
    parser = argparse.ArgumentParser(
        prog="worker demo",
        description="Show the whole worker on this machine: broker, simulated Kravia, producer, worker, verdict.",
    )
    add_arguments(parser)
    wanted = options(parser.parse_args(argv))
    console = Console()
    view = PlainView(console) if wanted.plain or not console.is_terminal else LiveView(console)
    try:
        return asyncio.run(_run(wanted, view))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: everything was stopped\n")
        return INTERRUPTED
    except asyncio.CancelledError:
        sys.stderr.write("terminated: everything was stopped\n")
        return TERMINATED


async def _run(wanted: Options, view: View) -> int:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    problems: list[str] = []
    with TemporaryDirectory(prefix="worker-demo-", ignore_cleanup_errors=True) as directory:
        # What client libraries say while a broker starts or a worker dies belongs in no view.
        logging.basicConfig(filename=Path(directory) / "demo.log", level=logging.WARNING)
        show = Show(wanted, Path(directory), view)
        try:
            with view:
                await show.run()
        except ServerError as error:
            problems.append(str(error))
        except KafkaError as error:
            problems.append(f"the broker failed: {type(error).__name__}: {error}")
        except TimeoutError:
            problems.append("the outcomes could not be read to their end")
    if not show.in_time:
        problems.append(f"not every event had its outcome within {wanted.timeout:g} s (--timeout)")
    if show.verdict is not None:
        missing = show.board.without_one()
        problems += [f"{where} has {count} outcomes" for where, count in missing[:_NAMED]]
        problems += [f"and {len(missing) - _NAMED} more"] if len(missing) > _NAMED else []
    for problem in problems:
        print(f"problem: {problem}")
    if show.verdict is None:
        return 1
    print(show.verdict.line(), flush=True)
    return 0 if show.verdict.ok and not problems else 1
