"""Reads what the worker published, as any consumer of it would: committed outcomes and dead letters."""

import asyncio
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from worker.demo.scoreboard import Scoreboard
from worker.model import TopicNames

_TYPE_PREFIX = "kravia.invoice."
_TYPE_SUFFIX = ".v1"


class Results:
    """Puts every committed outcome and dead letter on the scoreboard. `async with Results(…) as results`."""

    def __init__(self, bootstrap: str, topics: TopicNames, partitions: int, board: Scoreboard) -> None:
        self._topics = topics
        self._board = board
        self._partitions = [
            TopicPartition(topic, number)
            for topic in (topics.outcomes, topics.dead_letters)
            for number in range(partitions)
        ]
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=None,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def follow(self) -> None:
        """Read on and on, until cancelled."""
        while True:
            await self._read(200)

    async def to_end(self, timeout: float) -> None:
        """Read what is committed now. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout):
            ends = await self._consumer.end_offsets(self._partitions)
            while [one for one in self._partitions if await self._consumer.position(one) < ends[one]]:
                await self._read(50)

    async def _read(self, timeout_ms: int) -> None:
        for partition, records in (await self._consumer.getmany(timeout_ms=timeout_ms)).items():
            for record in records:
                if partition.topic == self._topics.dead_letters:
                    self._board.dead_letters += 1
                else:
                    self._outcome(record)

    def _outcome(self, record: "ConsumerRecord[bytes | None, bytes | None]") -> None:
        headers = {name: value.decode() for name, value in record.headers if value is not None}
        name = headers.get("ce_type", "").removeprefix(_TYPE_PREFIX).removesuffix(_TYPE_SUFFIX)
        self._board.outcome(headers.get("ce_id", ""), name)
