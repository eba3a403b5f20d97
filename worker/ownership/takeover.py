"""Becoming the owner of a partition.

The order is the protocol's: both producers start (Kafka ends the former owner's transactions and fences it for good),
the journal's writes a claim (it is still ours after the second began), only then offsets, ledger and journal are read.
"""

import asyncio
import os
import secrets
from collections.abc import Mapping

from worker.facts import Fact, Kind, UnreadableRecordError
from worker.model import Partition
from worker.ownership.config import OwnershipConfig, Ports
from worker.ownership.journal import Journal
from worker.ownership.mark import forgotten, marks
from worker.ownership.ownership import Ownership
from worker.ownership.restore import find_header, restore
from worker.ports import Committed, LogAdmin, LogProducer, Lost, LostWhy
from worker.standing import PARTITIONER, Header


def transactional_ids(ledger: str, partition: int) -> tuple[str, str]:
    """The ids of a partition's producers. No group in them: what must be fenced is the ledger."""
    return f"{ledger}.{partition}.journal", f"{ledger}.{partition}.settle"


async def take_over(config: OwnershipConfig, ports: Ports, partition: int) -> Ownership | Lost:
    """Fence the former owner and become the new one."""
    ids = transactional_ids(config.topics.ledger, partition)
    producers = ports.producer(ids[0]), ports.producer(ids[1])
    try:
        taken = await _take_over(config, ports, partition, producers)
    except BaseException:
        await asyncio.gather(*(producer.close() for producer in producers))
        raise
    if isinstance(taken, Lost):
        await asyncio.gather(*(producer.close() for producer in producers))
        ports.observer.ownership(partition, taken.why)
    return taken


async def _take_over(
    config: OwnershipConfig, ports: Ports, partition: int, producers: tuple[LogProducer, LogProducer]
) -> Ownership | Lost:
    began = ports.clock.monotonic()
    if (lost := await _looked_at(config, ports, partition)) is not None:
        return lost
    owner = secrets.token_hex(8)
    journal = Journal(
        producers[0],
        Partition(config.topics.journal, partition),
        ports.clock,
        intent_validity=config.intent_validity,
        commit_interval=config.journal_commit_interval,
        commit_timeout=config.commit_timeout,
    )
    try:
        async with asyncio.timeout(config.takeover_timeout):
            for producer in producers:
                if (lost := await producer.start()) is not None:
                    return lost
            ports.observer.ownership(partition, "started")
            claimed = ports.clock.boottime()
            claim = await journal.write(Fact(Kind.CLAIM, owner, ports.clock.now()))
    except TimeoutError:
        return Lost(LostWhy.TIMEOUT, "fencing the former owner took longer than the take-over time-out")
    if isinstance(claim, Lost):
        return claim
    ports.faults.hit("after-claim")
    # Its transaction ends here: nothing else would end it while ledger and journal are read, however long that takes.
    if (lost := await journal.commit()) is not None:
        return lost
    known = await _committed(config, ports.admin, partition)
    if isinstance(known, Lost):
        return known
    starts = await _starts(config, ports.admin, partition, known)
    if isinstance(starts, Lost):
        return starts
    floors = tuple(starts.values())
    restored = await restore(ports.reader, config.topics, partition, (floors[0], floors[1]))
    if isinstance(restored, Lost):
        return restored
    ended = restored.ledger_end, restored.journal_end
    if (lost := _forgotten(config, partition, known, restored.header, ended)) is not None:
        return lost
    journal.read_up_to(restored.journal_end)
    header = restored.header or Header(config.group, config.topics, config.partitions, PARTITIONER, os.urandom(32))
    if (stranger := _of_another_worker(config, partition, header)) is not None:
        return stranger
    ownership = Ownership(config, ports, partition, owner, claimed, producers, journal, restored, header, starts)
    # The header is renewed on every take-over, so that retention does not eat it.
    if (lost := await ownership.commits.commit([], with_header=True)) is not None:
        return lost
    ports.faults.hit("after-restore")
    ports.observer.ownership(partition, "restored")
    ports.observer.restored(
        partition, ports.clock.monotonic() - began, restored.ledger_records, restored.journal_records
    )
    return ownership


async def _looked_at(config: OwnershipConfig, ports: Ports, partition: int) -> Lost | None:
    """A look before anything is written; what counts is what is read after the claim.

    A worker of another group that found no header at its start must not fence the right owner over and over; and the
    claims of tries that are refused would make a journal that has lost records long enough.
    """
    # In this order: what the offsets were committed with was there before them.
    known = await _committed(config, ports.admin, partition)
    if isinstance(known, Lost):
        return known
    header = await find_header(ports.reader, config.topics, partition)
    if isinstance(header, Lost):
        return header
    if header is not None and (stranger := _of_another_worker(config, partition, header)) is not None:
        return stranger
    ledger, journal = (Partition(topic, partition) for topic in (config.topics.ledger, config.topics.journal))
    ends = await ports.admin.latest((ledger, journal))
    if isinstance(ends, Lost):
        return ends
    return _forgotten(config, partition, known, header, (ends[ledger], ends[journal]))


def _of_another_worker(config: OwnershipConfig, partition: int, header: Header) -> Lost | None:
    differences = header.differences(config.group, config.topics, config.partitions)
    if not differences:
        return None
    return Lost(LostWhy.REFUSED, f"ledger partition {partition} belongs to another worker: " + "; ".join(differences))


async def _committed(config: OwnershipConfig, admin: LogAdmin, partition: int) -> dict[str, Committed | None] | Lost:
    """What the group has committed of each input."""
    inputs = [Partition(topic, partition) for topic in config.topics.inputs]
    committed = await admin.committed(config.group, inputs)
    return committed if isinstance(committed, Lost) else {input_.topic: committed[input_] for input_ in inputs}


def _forgotten(
    config: OwnershipConfig,
    partition: int,
    committed: Mapping[str, Committed | None],
    header: Header | None,
    ends: tuple[int, int],
) -> Lost | None:
    """Refused when ledger or journal lack what the offsets were committed with. `ends`: the ledger's, the journal's."""
    try:
        lacks = forgotten(marks(committed), config.topics, header, *ends)
    except UnreadableRecordError as error:
        return Lost(LostWhy.REFUSED, f"partition {partition}: {error}")
    if not lacks:
        return None
    return Lost(
        LostWhy.REFUSED,
        f"partition {partition} was settled with more than is there: {'; '.join(lacks)}. What is missing would be "
        "billed again: see docs/how-to/restore.md before the group's offsets are set anew",
    )


async def _starts(
    config: OwnershipConfig, admin: LogAdmin, partition: int, committed: Mapping[str, Committed | None]
) -> dict[str, int] | Lost:
    """Where each input begins: its committed offset, else its earliest record. Refused when retention was faster."""
    inputs = [Partition(topic, partition) for topic in config.topics.inputs]
    earliest = await admin.earliest(inputs)
    if isinstance(earliest, Lost):
        return earliest
    starts: dict[str, int] = {}
    for input_ in inputs:
        known = committed[input_.topic]
        offset = None if known is None else known.offset
        if offset is not None and offset < earliest[input_]:
            return Lost(
                LostWhy.REFUSED,
                f"{input_.topic}/{input_.number}: records {offset} to {earliest[input_] - 1} were deleted before they "
                "were settled; see docs/how-to/out-of-range.md before the group's offset is moved",
            )
        starts[input_.topic] = earliest[input_] if offset is None else offset
    return starts
