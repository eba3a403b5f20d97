"""Offsets by time, outside of any group."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from worker.kafka.failures import CLIENT_ERRORS, lost
from worker.kafka.reader import KafkaAdmin
from worker.kafka.security import Connection
from worker.model import Partition
from worker.ports import Lost

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class KafkaOffsets(KafkaAdmin):
    """`ports.LogAdmin`, and where a time begins."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._asked = connection

    async def since(
        self, partitions: Sequence[Partition], moment: datetime
    ) -> Mapping[Partition, tuple[int, datetime] | None] | Lost:
        """The first record not older than `moment` (aware), and its time; None where a partition has none."""
        wanted = {
            TopicPartition(*partition): int((moment - _EPOCH) / timedelta(milliseconds=1)) for partition in partitions
        }
        consumer = AIOKafkaConsumer(**self._asked.options, group_id=None, enable_auto_commit=False)
        try:
            await consumer.start()
            consumer.assign(list(wanted))
            found = await consumer.offsets_for_times(wanted)
        except CLIENT_ERRORS as error:
            return lost(error, "ask for offsets by time")
        finally:
            await consumer.stop()
        return {
            partition: None
            if (one := found.get(TopicPartition(*partition))) is None or one.offset < 0
            else (one.offset, _EPOCH + timedelta(milliseconds=max(0, one.timestamp)))
            for partition in partitions
        }
