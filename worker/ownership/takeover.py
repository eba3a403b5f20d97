"""Becoming the owner of a partition.

The order is the protocol's: both producers start (Kafka ends the former owner's transactions and fences it for good),
the journal's writes a claim (it is still ours after the second began), only then offsets, ledger and journal are read.
"""

import asyncio
import os
import secrets

from worker.facts import Fact, Kind
from worker.model import Partition
from worker.ownership.config import OwnershipConfig, Ports
from worker.ownership.journal import Journal
from worker.ownership.ownership import Ownership
from worker.ownership.restore import find_header, restore
from worker.ports import LogAdmin, LogProducer, Lost, LostWhy
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
    # Looked at first: a worker of another group that found no header at its start must not fence the right owner over
    # and over. What counts is what is read after the claim.
    found = await find_header(ports.reader, config.topics, partition)
    if isinstance(found, Lost):
        return found
    if found is not None and (stranger := _of_another_worker(config, partition, found)) is not None:
        return stranger
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
    starts = await _starts(config, ports.admin, partition)
    if isinstance(starts, Lost):
        return starts
    floors = tuple(starts.values())
    restored = await restore(ports.reader, config.topics, partition, (floors[0], floors[1]))
    if isinstance(restored, Lost):
        return restored
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


def _of_another_worker(config: OwnershipConfig, partition: int, header: Header) -> Lost | None:
    differences = header.differences(config.group, config.topics, config.partitions)
    if not differences:
        return None
    return Lost(LostWhy.REFUSED, f"ledger partition {partition} belongs to another worker: " + "; ".join(differences))


async def _starts(config: OwnershipConfig, admin: LogAdmin, partition: int) -> dict[str, int] | Lost:
    """Where each input begins: its committed offset, else its earliest record. Refused when retention was faster."""
    inputs = [Partition(topic, partition) for topic in config.topics.inputs]
    committed = await admin.committed(config.group, inputs)
    if isinstance(committed, Lost):
        return committed
    earliest = await admin.earliest(inputs)
    if isinstance(earliest, Lost):
        return earliest
    starts: dict[str, int] = {}
    for input_ in inputs:
        offset = committed[input_]
        if offset is not None and offset < earliest[input_]:
            return Lost(
                LostWhy.REFUSED,
                f"{input_.topic}/{input_.number}: records {offset} to {earliest[input_] - 1} were deleted before they "
                "were settled; see docs/how-to/out-of-range.md before the group's offset is moved",
            )
        starts[input_.topic] = earliest[input_] if offset is None else offset
    return starts
