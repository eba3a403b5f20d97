"""`python -m tests.integration.slow_worker DIRECTORY NAME=value …`: the worker, but that reading a log takes long.

A ledger of two years takes minutes to read; a test has none of them, so each read waits for `SECONDS` first.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence

from worker import cli
from worker.demo.launch import environment
from worker.kafka.reader import KafkaReader
from worker.model import Partition, Record
from worker.ports import Isolation, Lost

SECONDS = 5.0
"""Of each of the two reads of a take-over: ledger and journal."""


_read_to_end = KafkaReader.read_to_end


async def read_to_end(
    self: KafkaReader, partition: Partition, isolation: Isolation, sink: Callable[[Sequence[Record]], None]
) -> int | Lost:
    """As the real one, but late."""
    await asyncio.sleep(SECONDS)
    return await _read_to_end(self, partition, isolation, sink)


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    values = environment(sys.argv[2:], os.environ)
    os.environ.clear()
    os.environ.update(values)
    KafkaReader.read_to_end = read_to_end  # type: ignore[method-assign]  # this process is here for it
    sys.argv = ["worker", "run"]
    sys.exit(cli.main())
