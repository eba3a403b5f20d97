"""A tiny log with transactions and fencing: the fakes of the Kafka ports for tests of one module."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field

from worker.model import Partition, Record
from worker.ports import Acked, Isolation, Lost, LostWhy, Tail


@dataclass
class Transaction:
    state: str = "open"
    touched: set = field(default_factory=set)
    offsets: dict = field(default_factory=dict)


@dataclass
class Row:
    record: object
    transaction: Transaction
    """`record` None: a control marker."""


class FakeLog:
    """Partitions of rows. `trace` lists what producers did, as (id's last part, operation)."""

    def __init__(self):
        self.rows = defaultdict(list)
        self.start = defaultdict(int)
        self.committed = {}
        self.holders = {}
        self.trace = []

    def append(self, partition, record, transaction):
        self.rows[partition].append(Row(record, transaction))
        return len(self.rows[partition]) - 1

    def put(self, partition, key, value):
        """A committed record from somebody else; its offset."""
        return self.append(partition, (key, value, ()), Transaction("committed"))

    def record(self, partition, offset):
        key, value, headers = self.rows[partition][offset].record
        return Record(partition.topic, partition.number, offset, 0, key, value, headers)

    def visible(self, partition):
        """Committed records, as `read_committed` sees them."""
        return [
            self.record(partition, offset)
            for offset, row in enumerate(self.rows[partition])
            if row.record is not None and row.transaction.state == "committed" and offset >= self.start[partition]
        ]


class FakeProducer:
    """`ports.LogProducer`. `plan(op, …)` scripts the next calls: a Lost or an Acked to return, seconds or an
    asyncio.Event to wait for."""

    def __init__(self, log, transactional_id):
        self.log = log
        self.id = transactional_id
        self.plans = defaultdict(deque)
        self.open = None
        self.closed = False
        self.sends = []
        """Each send's records."""

    def plan(self, op, *actions):
        self.plans[op].extend(actions)

    async def _do(self, op):
        self.log.trace.append((self.id.rpartition(".")[2], op))
        action = self.plans[op].popleft() if self.plans[op] else None
        if isinstance(action, asyncio.Event):
            await action.wait()
        elif isinstance(action, int | float):
            await asyncio.sleep(action)
        else:
            await asyncio.sleep(0)
            if action is not None:
                return action
        if self.closed or (op != "start" and self.log.holders.get(self.id) is not self):
            return Lost(LostWhy.FENCED, f"{op}: a newer producer holds {self.id}")
        return None

    async def start(self):
        if (lost := await self._do("start")) is not None:
            return lost
        former = self.log.holders.get(self.id)
        if former is not None and former.open is not None:
            former._end("aborted")
            former.open = Transaction("aborted")  # it does not know yet
        self.log.holders[self.id] = self
        return None

    async def begin(self):
        if (lost := await self._do("begin")) is not None:
            return lost
        assert self.open is None, "a transaction is open already"
        self.open = Transaction()
        return None

    async def send(self, records):
        assert self.open is not None, "no transaction is open"
        self.sends.append(tuple(records))
        if (other := await self._do("send")) is not None:
            return other
        offsets = []
        for record in records:
            partition = Partition(record.topic, record.partition)
            self.open.touched.add(partition)
            offsets.append(self.log.append(partition, (record.key, record.value, record.headers), self.open))
        return Acked(tuple(offsets))

    async def send_offsets(self, group, offsets):
        assert self.open is not None, "no transaction is open"
        if (lost := await self._do("send_offsets")) is not None:
            return lost
        self.open.offsets |= {(group, partition): offset for partition, offset in offsets.items()}
        return None

    async def commit(self):
        assert self.open is not None, "no transaction is open"
        if (lost := await self._do("commit")) is not None:
            return lost
        self.log.committed |= self.open.offsets
        self._end("committed")
        return None

    def _end(self, state):
        transaction, self.open = self.open, None
        transaction.state = state
        for partition in transaction.touched:
            self.log.append(partition, None, transaction)

    async def close(self):
        self.closed = True
        if self.open is not None and self.log.holders.get(self.id) is self:
            self._end("aborted")
        self.open = None


class FakeReader:
    """`ports.LogReader`. `lost`: what every read answers instead. `reads`: whole reads, in their order."""

    def __init__(self, log):
        self.log = log
        self.lost = None
        self.reads = []
        self.singles = 0

    async def read_to_end(self, partition, isolation, sink):
        await asyncio.sleep(0)
        self.reads.append((partition.topic, isolation))
        self.log.trace.append(("reader", partition.topic))
        if self.lost is not None:
            return self.lost
        rows = self.log.rows[partition]
        for offset in range(self.log.start[partition], len(rows)):
            row = rows[offset]
            if isolation is Isolation.COMMITTED and row.transaction.state == "open":
                return offset
            if row.record is None or (isolation is Isolation.COMMITTED and row.transaction.state == "aborted"):
                continue
            sink([self.log.record(partition, offset)])
        return len(rows)

    async def read_one(self, partition, offset):
        await asyncio.sleep(0)
        self.singles += 1
        if self.lost is not None:
            return self.lost
        if offset < self.log.start[partition] or self.log.rows[partition][offset].record is None:
            return None
        return self.log.record(partition, offset)

    async def read_tail(self, partition, count):
        await asyncio.sleep(0)
        if self.lost is not None:
            return self.lost
        end = len(self.log.rows[partition])
        tail = [record for record in self.log.visible(partition) if record.offset >= end - count]
        return Tail(tail, end - count <= self.log.start[partition])


class FakeAdmin:
    """`ports.LogAdmin`. `beginnings`: the inputs' first offsets, 0 where none is said; `ends`: what it says instead."""

    def __init__(self, log):
        self.log = log
        self.beginnings = {}
        self.ends = {}
        self.lost = None
        self.deletions = []

    async def delete_before(self, offsets):
        await asyncio.sleep(0)
        self.deletions.append(dict(offsets))
        if self.lost is not None:
            return self.lost
        for partition, offset in offsets.items():
            self.log.start[partition] = max(self.log.start[partition], offset)
        return None

    async def committed(self, group, partitions):
        await asyncio.sleep(0)
        self.log.trace.append(("admin", "committed"))
        return self.lost or {partition: self.log.committed.get((group, partition)) for partition in partitions}

    async def earliest(self, partitions):
        await asyncio.sleep(0)
        return self.lost or {partition: self.beginnings.get(partition, 0) for partition in partitions}

    async def latest(self, partitions):
        await asyncio.sleep(0)
        return self.lost or {one: self.ends.get(one, len(self.log.rows[one])) for one in partitions}
