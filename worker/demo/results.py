"""Reads what the worker published, as any consumer of it would: committed outcomes and dead letters.

Every look reads both topics from their beginning, in one fetch. The embedded broker (noida-db 0.2.3) names aborted
transactions also to a fetch that begins behind their end, where aiokafka meets no abort marker and so hides whatever
the same producer wrote later; Apache Kafka names only those in the fetched range. A killed worker leaves an aborted
transaction, and there are few enough records.
"""

import asyncio
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from worker.demo.scoreboard import Scoreboard
from worker.model import TopicNames

_TYPE_PREFIX = "kravia.invoice."
_TYPE_SUFFIX = ".v1"
_WHOLE_TOPIC = 1024 * 1024 * 1024
_LOOK_TIMEOUT = 30.0


class Results:
    """Puts every committed outcome and dead letter on the scoreboard. `async with Results(…) as results`."""

    def __init__(self, bootstrap: str, topics: TopicNames, partitions: int, board: Scoreboard) -> None:
        self._topics = topics
        self._board = board
        self._seen: set[tuple[TopicPartition, int]] = set()
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
            fetch_max_bytes=_WHOLE_TOPIC,
            max_partition_fetch_bytes=_WHOLE_TOPIC,
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    async def follow(self, interval: float) -> None:
        """Look every `interval` seconds, until cancelled. Raises TimeoutError as `look` does."""
        while True:
            await self.look()
            await asyncio.sleep(interval)

    async def look(self) -> None:
        """Read what is committed now. Raises TimeoutError when that takes more than half a minute."""
        async with asyncio.timeout(_LOOK_TIMEOUT):
            ends = await self._consumer.end_offsets(self._partitions)
            written = [partition for partition in self._partitions if ends[partition] > 0]
            if not written:
                return
            await self._consumer.seek_to_beginning(*written)
            while [one for one in written if await self._consumer.position(one) < ends[one]]:
                for partition, records in (await self._consumer.getmany(*written, timeout_ms=50)).items():
                    for record in records:
                        self._take(partition, record)

    def _take(self, partition: TopicPartition, record: "ConsumerRecord[bytes | None, bytes | None]") -> None:
        if (partition, record.offset) in self._seen:
            return
        self._seen.add((partition, record.offset))
        if partition.topic == self._topics.dead_letters:
            self._board.dead_letters += 1
            return
        headers = {name: value.decode() for name, value in record.headers if value is not None}
        name = headers.get("ce_type", "").removeprefix(_TYPE_PREFIX).removesuffix(_TYPE_SUFFIX)
        self._board.outcome(headers.get("ce_id", ""), name)
