"""The consumer: group membership, the poll loop that never stops, and `ports.Intake` for the partitions' owners."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata

from worker.kafka.failures import CLIENT_ERRORS, lost
from worker.kafka.reader import KafkaAdmin, to_record
from worker.kafka.security import Connection
from worker.model import Partition, TopicNames
from worker.ports import Lost, LostWhy, Observer, Sink

log = structlog.get_logger(__name__)

_POLL = 0.05
"""Seconds that one poll waits: how soon a partition that got room again is asked."""
_NOWHERE = TopicPartition("", -1)
"""Stands for no partition: `getmany()` without any would mean all of them."""


@dataclass(frozen=True, slots=True)
class ConsumerConfig:
    """Times in seconds, sizes in bytes."""

    group: str
    group_instance_id: str | None
    session_timeout: float
    heartbeat_interval: float
    rebalance_timeout: float
    max_poll_interval: float
    max_poll_records: int
    fetch_max_wait: float
    fetch_max_bytes: int
    max_partition_fetch_bytes: int
    commit_timeout: float


class GroupConsumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """A member of the group. `sink` must be set before `start`."""

    sink: Sink

    def __init__(
        self, connection: Connection, config: ConsumerConfig, topics: TopicNames, admin: KafkaAdmin, observer: Observer
    ) -> None:
        self._connection = connection
        self._config = config
        self._topics = topics
        self._admin = admin
        self._observer = observer
        self._consumer: AIOKafkaConsumer | None = None
        self._stopping = False
        self.last_poll = 0.0
        """The loop's time of the latest poll: the liveness of intake."""
        self._assigned_at = 0.0
        self._wanted: list[TopicPartition] = []
        self.problem: str | None = "not a member of the group yet"
        self._failing: str | None = None
        """What `problem` says of a poll that failed: the next that does not takes it back."""

    @property
    def dead(self) -> bool:
        """aiokafka's coordination task has ended: this member will never get a partition again."""
        if self._consumer is None or self._stopping:
            return False
        task = getattr(self._consumer._coordinator, "_coordination_task", None)  # noqa: SLF001 - nothing else tells
        return task is not None and task.done()

    async def start(self) -> Lost | None:
        """Join the group; `Lost` when no broker answers."""
        config = self._config
        self._consumer = AIOKafkaConsumer(
            **self._connection.options,
            group_id=config.group,
            group_instance_id=config.group_instance_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=int(config.session_timeout * 1000),
            heartbeat_interval_ms=int(config.heartbeat_interval * 1000),
            rebalance_timeout_ms=int(config.rebalance_timeout * 1000),
            max_poll_interval_ms=int(config.max_poll_interval * 1000),
            fetch_max_bytes=config.fetch_max_bytes,
            max_partition_fetch_bytes=config.max_partition_fetch_bytes,
            fetch_max_wait_ms=int(config.fetch_max_wait * 1000),
        )
        # Both topics must be known before the first join: range skips a topic without metadata.
        try:
            await self._consumer.start()
        except CLIENT_ERRORS as error:
            return lost(error, "join the group")
        self._consumer.subscribe(topics=list(self._topics.inputs), listener=self)
        self.last_poll = asyncio.get_running_loop().time()
        return None

    async def run(self) -> None:
        """Poll until `stop`. It never pauses: who stops polling is put out of the group."""
        consumer = self._live()
        while not self._stopping:
            self.last_poll = asyncio.get_running_loop().time()
            wanted = self._wanted = [TopicPartition(*partition) for partition in self.sink.with_room()]
            try:
                batch = await consumer.getmany(
                    *(wanted or [_NOWHERE]), timeout_ms=int(_POLL * 1000), max_records=self._config.max_poll_records
                )
            except OffsetOutOfRangeError as error:
                self._out_of_range(error)
            except NoOffsetForPartitionError:
                self._observer.warned("fetched_before_seek")  # between assignment and our seek: harmless
            except CLIENT_ERRORS as error:
                self.problem = self._failing = f"the group's coordinator: {type(error).__name__}"
                log.error("poll_failed", error=type(error).__name__, detail=str(error))
                await asyncio.sleep(1.0)
            else:
                if self._failing is not None:
                    # Unless something else is wrong by now; without an assignment nothing flows anyway.
                    self.problem = None if self.problem == self._failing else self.problem
                    self._failing = None
                self._deliver(wanted, batch)

    def _deliver(self, wanted: list[TopicPartition], batch: dict[TopicPartition, list[ConsumerRecord]]) -> None:
        # No await between the fetch and this: a rebalance can't come in between.
        if batch:
            self.sink.offer({Partition(*tp): [to_record(message) for message in found] for tp, found in batch.items()})
        state = self._live()._subscription  # noqa: SLF001  (position() is a coroutine that may wait; this is a look)
        for tp in wanted:
            if tp not in batch and state.is_assigned(tp):
                position = state.subscription.assignment.state_value(tp)
                if position.has_valid_position:
                    self.sink.advance(Partition(*tp), position.position)

    def _out_of_range(self, error: OffsetOutOfRangeError) -> None:
        for tp, offset in error.args[0].items():
            detail = f"{tp.topic}/{tp.partition}: offset {offset} is not in the log any more, or not yet"
            log.error("out_of_range", partition=tp.partition, detail=detail)
            self.sink.refuse(Partition(*tp), detail)

    async def ends(self, partitions: Sequence[Partition]) -> Mapping[Partition, int] | Lost:
        """The offset that the next record of each will get: of committed ones, as the group reads them."""
        try:
            found = await self._live().end_offsets([TopicPartition(*partition) for partition in partitions])
        except CLIENT_ERRORS as error:
            return lost(error, "ask for the ends of the inputs")
        return {Partition(*tp): offset for tp, offset in found.items()}

    def _live(self) -> AIOKafkaConsumer:
        assert self._consumer is not None, "started"
        return self._consumer

    async def stop(self) -> None:
        """Leave the group (a static member can't: its partitions wait a session time-out)."""
        self._stopping = True
        if self._consumer is not None:
            await self._consumer.stop()

    # Rebalances. What these raise aiokafka logs and swallows: nothing is signalled by raising.

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Drain; heartbeats go on meanwhile."""
        self.problem = "rebalancing"
        self._observer.rebalanced()
        if revoked:
            await self.sink.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Hold everything, then hand over. No await: no heartbeat is sent until this returns."""
        consumer = self._live()
        consumer.pause(*assigned)
        for tp in assigned:
            # A position of any kind, or aiokafka raises for the whole consumer; it is paused until it is released.
            consumer.seek(tp, 0)
        self.problem = None
        self._assigned_at = asyncio.get_running_loop().time()
        log.info("assigned", partitions=sorted(f"{tp.topic}/{tp.partition}" for tp in assigned))
        self.sink.assigned([Partition(*tp) for tp in assigned])

    # For metrics: looks, never waits

    def high_watermarks(self) -> dict[Partition, int]:
        """The high watermark of each assigned partition, as the latest fetch saw it; where there was one."""
        return {
            Partition(tp.topic, tp.partition): end
            for tp in self._assignment()
            if (end := self._live().highwater(tp)) is not None
        }

    def fetch_age(self, now: datetime) -> float:
        """Seconds since a broker answered a fetch, of the partition with room that has waited longest; 0: none has.

        `now`: wall time, which is what aiokafka notes.
        """
        assigned = self._assignment()
        since = asyncio.get_running_loop().time() - self._assigned_at
        ages = [
            since if (at := self._live().last_poll_timestamp(tp)) is None else min(since, now.timestamp() - at / 1000)
            for tp in self._wanted
            if tp in assigned
        ]
        return max(0.0, *ages, 0.0)

    def _assignment(self) -> frozenset[TopicPartition]:
        return frozenset() if self._consumer is None else self._consumer.assignment()

    # Intake

    def release(self, partition: Partition, offset: int) -> bool:
        """See `ports.Intake`."""
        consumer, tp = self._live(), TopicPartition(*partition)
        if tp not in consumer.assignment():
            return False
        consumer.seek(tp, offset)
        consumer.resume(tp)
        return True

    def hold(self, partition: Partition) -> None:
        """See `ports.Intake`."""
        consumer, tp = self._live(), TopicPartition(*partition)
        if tp in consumer.assignment():
            consumer.pause(tp)

    async def prove_membership(self, partitions: Sequence[Partition]) -> Lost | None:
        """See `ports.Intake`. What is committed may be rewound by this: harmless, the ledger knows what is settled."""
        committed = await self._admin.committed(self._config.group, partitions)
        if isinstance(committed, Lost):
            return committed
        earliest = await self._admin.earliest(partitions)
        if isinstance(earliest, Lost):
            return earliest
        offsets = {
            TopicPartition(*partition): OffsetAndMetadata(earliest[partition], "")
            if known is None
            else OffsetAndMetadata(known.offset, known.metadata)
            for partition, known in committed.items()
        }
        try:
            async with asyncio.timeout(self._config.commit_timeout):
                await self._live().commit(offsets)
        except CLIENT_ERRORS as error:
            return Lost(LostWhy.NOT_MEMBER, f"the membership commit was refused: {type(error).__name__}")
        return None
