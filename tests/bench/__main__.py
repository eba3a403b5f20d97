"""`python -m tests.bench`: measures, prints a table, writes all numbers to a file when asked to."""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from tests.bench.contenders import Kravia, Limit, Worker
from tests.bench.delays import Delays, delays
from tests.bench.kafka import Ends
from tests.bench.report import document, surroundings, table
from tests.bench.rounds import Bench, Pairs
from tests.brokers import choose, topics
from worker.demo.process import ServerError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 measured, 1 something could not be started or a round did not end as it must."""
    given = _parser().parse_args(arguments)
    with (
        TemporaryDirectory(prefix="worker-bench-", ignore_cleanup_errors=True) as directory,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        try:
            runner.run(_measure(given, Path(directory)))
        except (ServerError, RuntimeError, TimeoutError) as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n{_log_end(Path(directory))}\n")
            return 1
    return 0


async def _measure(given: argparse.Namespace, directory: Path) -> None:
    pairs: list[Pairs] = []
    delay: Delays | None = None
    names = topics.unique_names()
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(choose.running(choose.chosen(given.broker), directory / "broker"))
        await topics.create(broker.bootstrap, names, partitions=given.partitions)
        kravia = await stack.enter_async_context(Kravia(directory))
        ends = await stack.enter_async_context(Ends(broker.bootstrap, names, given.partitions))
        limit = await stack.enter_async_context(Limit(kravia.url, given.concurrency))
        worker = await stack.enter_async_context(
            Worker(directory, broker.bootstrap, kravia.url, names, given.concurrency)
        )
        bench = Bench(kravia, limit, worker, ends, given.partitions, given.concurrency)
        where = surroundings(broker.version, partitions=given.partitions, concurrency=given.concurrency)
        for latency in given.latencies:
            sys.stderr.write(f"{latency:g} ms: {given.rounds} pairs of about {given.seconds:g} s\n")
            pairs.append(await bench.pairs(latency / 1000, given.rounds, given.seconds))
        if given.delay_seconds:
            sys.stderr.write(f"delays: {given.delay_seconds:g} s at {given.rate:g} events/s\n")
            delay = await delays(bench, given.rate, given.delay_seconds)
    print(table(where, pairs, delay))
    if given.json is not None:
        given.json.write_text(json.dumps(document(where, pairs, delay), indent=2) + "\n")


def _log_end(directory: Path) -> str:
    log = directory / "worker.log"
    return f"the worker's log ends with:\n{log.read_text()[-2000:]}" if log.exists() else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="What the worker adds to bare HTTP calls: rounds of plain aiohttp and of the worker in turn. "
        "docs/explanation/benchmarks.md says how to read it.",
    )
    parser.add_argument("--broker", choices=choose.CHOICES, default="apache", help="default: apache, from its jars")
    parser.add_argument("--latencies", type=float, nargs="*", default=[0, 20, 100], help="ms per call; none: no rounds")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of rounds at each latency")
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long the limit's rounds take")
    parser.add_argument("--concurrency", type=int, default=128, help="events in flight, on both sides")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--rate", type=float, default=100.0, help="events per second when delays are measured")
    parser.add_argument("--delay-seconds", type=float, default=30.0, help="how long delays are measured; 0: not at all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every number there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
