"""What the deciding verbs stand on: Kafka to read from and to write to, for one phase at a time.

A verb reads first, asks a person second, writes last. Each of its phases has a loop and connections of its own: while a
person thinks, nothing is open.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from worker import wiring
from worker.cli.common import FAILED, REFUSED, complain, connect
from worker.cli.dead_letters.session import Status
from worker.cli.progress import Reading
from worker.clock import SystemClock
from worker.deadletters.examine import Ground
from worker.deadletters.kafka_source import open_source
from worker.deadletters.outbox import Followed, Outbox
from worker.deadletters.source import Source
from worker.kafka.outbox import KafkaFollowed, KafkaOutbox
from worker.kafka.reader import KafkaAdmin, KafkaReader
from worker.kafka.security import Connection
from worker.ports import Clock, LogReader, Lost
from worker.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a phase may need."""

    source: Source
    reader: LogReader
    ground: Ground
    outbox: Outbox
    followed: Followed
    clock: Clock


class Office:
    """Settings and connection of a verb; `ask` and `look` run one of its phases."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self._settings = settings
        self._connection = connection

    def ask(self, phase: Callable[[Desk], Awaitable[T | Lost]], *, reading: bool = True) -> T | Status:
        """What the phase answers, or the exit status when Kafka fails, which stderr explains.

        `reading`: show how many records were read; else the phase shows its own progress.
        """
        if not reading:
            return asyncio.run(self._ask(phase, _nothing))
        with Reading("records") as progress:
            return asyncio.run(self._ask(phase, progress.step))

    def look(self, phase: Callable[[Desk], Awaitable[T | str | Lost]]) -> T | Status:
        """As `ask`; a text says why there is nothing to decide about, and is told on stderr."""
        found: T | str | Status = self.ask(phase)
        if isinstance(found, str):
            complain(found)
            return Status(FAILED)
        return found

    async def _ask(self, phase: Callable[[Desk], Awaitable[T | Lost]], step: Callable[[], None]) -> T | Status:
        async with self._desk(step) as desk:
            if desk is None:
                return Status(FAILED)
            answer = await phase(desk)
        if isinstance(answer, Lost):
            complain(f"Kafka: {answer.detail}")
            return Status(FAILED)
        return answer

    @asynccontextmanager
    async def _desk(self, step: Callable[[], None]) -> AsyncIterator[Desk | None]:
        topics, connection = self._settings.topic_names, self._connection
        source = await open_source(connection, topics, step)
        if isinstance(source, str):
            complain(source)
            yield None
            return
        counts = source.partitions
        if missing := [name for name in (*topics.inputs, topics.ledger, topics.journal) if name not in counts]:
            complain(f"topics are missing: {', '.join(missing)}; see `worker topics check`")
            yield None
            return
        reader, admin, outbox = KafkaReader(connection), KafkaAdmin(connection), KafkaOutbox(connection)
        ground = Ground(
            source,
            reader,
            admin,
            topics,
            self._settings.kafka_group_id,
            counts[topics.requests],
            self._settings.worker_replay_limit,
            wiring.limits(self._settings),
            wiring.rule_policy(self._settings),
        )
        followed = KafkaFollowed(connection, topics.outcomes, counts[topics.outcomes])
        try:
            yield Desk(source, reader, ground, outbox, followed, SystemClock())
        finally:
            await outbox.close()
            await followed.close()
            await reader.close()
            await admin.close()


def office(arguments: argparse.Namespace) -> Office | Status:
    """For parsers with `settings_parser` and `observe_parser`; refused settings are explained on stderr."""
    connected = connect(arguments.env_file, observe=arguments.observe)
    return Status(REFUSED) if connected is None else Office(*connected)


def _nothing() -> None:
    pass
