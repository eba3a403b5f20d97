"""What every member of the group does as `ports.Intake`, and what it tells its sink."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest_asyncio

from tests.brokers.waiting import equals, until
from tests.contract import log_backends
from tests.contract.conftest import Real
from tests.contract.intake_backends import IntakeBackend, Joined, OnBroker, Simulated
from worker.model import Partition
from worker.ports import Committed


@pytest_asyncio.fixture
async def intake(real: Real | None, group: str) -> AsyncIterator[IntakeBackend]:
    backend: IntakeBackend
    if real is None:
        backend = Simulated()
    else:
        broker, make_topics, clients = real
        backend = OnBroker(broker.bootstrap, await make_topics(log_backends.PARTITIONS), group, clients)
    yield backend
    await backend.close()


async def seen(look: Callable[[], bool]) -> None:
    """Wait until `look` holds."""

    async def now() -> bool:
        return look()

    await until(now, bool)


def all_of(intake: IntakeBackend) -> set[Partition]:
    return {Partition(topic, number) for topic in intake.topics.inputs for number in range(log_backends.PARTITIONS)}


async def alone(intake: IntakeBackend) -> Joined:
    """The only member, with everything assigned."""
    member = await intake.join("pod-0")
    await seen(lambda: member.sink.held == all_of(intake))
    return member


def flow(member: Joined, partition: Partition, offset: int = 0) -> None:
    member.sink.room.add(partition)
    assert member.intake.release(partition, offset)


async def test_nothing_flows_before_it_is_released(intake: IntakeBackend) -> None:
    member = await alone(intake)
    held, released = Partition(intake.topics.requests, 0), Partition(intake.topics.requests, 1)
    for partition in (held, released):
        await intake.write(partition, b"a", b"b")
    member.sink.room.add(held)
    flow(member, released)
    await seen(lambda: member.sink.values(released) == [b"a", b"b"])
    assert member.sink.values(held) == []


async def test_a_release_says_where_to_go_on(intake: IntakeBackend) -> None:
    member = await alone(intake)
    requests = Partition(intake.topics.requests, 0)
    await intake.write(requests, b"a", b"b", b"c")
    flow(member, requests, 1)
    await seen(lambda: member.sink.values(requests) == [b"b", b"c"])
    assert [record.offset for record in member.sink.records[requests]] == [1, 2]
    flow(member, requests, 0)
    await seen(lambda: member.sink.values(requests) == [b"b", b"c", b"a", b"b", b"c"])


async def test_what_is_held_stops(intake: IntakeBackend) -> None:
    member = await alone(intake)
    held, other = Partition(intake.topics.requests, 0), Partition(intake.topics.replays, 1)
    await intake.write(held, b"a")
    flow(member, held)
    await seen(lambda: member.sink.values(held) == [b"a"])
    member.intake.hold(held)
    await intake.write(held, b"b")
    await intake.write(other, b"c")
    flow(member, other)
    await seen(lambda: member.sink.values(other) == [b"c"])
    assert member.sink.values(held) == [b"a"]
    flow(member, held, 1)
    await seen(lambda: member.sink.values(held) == [b"a", b"b"])


async def test_without_room_nothing_is_taken(intake: IntakeBackend) -> None:
    member = await alone(intake)
    full, other = Partition(intake.topics.requests, 0), Partition(intake.topics.requests, 1)
    await intake.write(full, b"a")
    await intake.write(other, b"b")
    assert member.intake.release(full, 0)
    flow(member, other)
    await seen(lambda: member.sink.values(other) == [b"b"])
    assert member.sink.values(full) == []
    member.sink.room.add(full)
    await seen(lambda: member.sink.values(full) == [b"a"])


async def test_aborted_records_never_come_and_the_position_moves_past_them(intake: IntakeBackend) -> None:
    member = await alone(intake)
    requests = Partition(intake.topics.requests, 0)
    flow(member, requests)
    await intake.write(requests, b"a")
    await intake.write(requests, b"given up", abort=True)
    # A record and a marker each.
    await seen(lambda: member.sink.advanced.get(requests) == 4)
    assert member.sink.values(requests) == [b"a"]


async def test_what_is_not_assigned_can_not_be_released(intake: IntakeBackend) -> None:
    member = await alone(intake)
    unknown = Partition(intake.topics.requests, 9)
    assert not member.intake.release(unknown, 0)
    member.intake.hold(unknown)


async def test_a_member_proves_that_it_is_one_and_changes_nothing_by_it(intake: IntakeBackend) -> None:
    member = await alone(intake)
    both = [Partition(topic, 0) for topic in intake.topics.inputs]
    for partition in both:
        await intake.write(partition, b"a", b"b")
    assert await member.intake.prove_membership(both) is None
    # Nothing was committed, so everything is: from the beginning.
    assert await intake.admin.committed(intake.group, both) == dict.fromkeys(both, Committed(0))
    assert await member.intake.prove_membership(both) is None
    assert await intake.admin.committed(intake.group, both) == dict.fromkeys(both, Committed(0))


async def test_what_stands_beside_an_offset_stays_there(intake: IntakeBackend) -> None:
    member = await alone(intake)
    requests = Partition(intake.topics.requests, 0)
    await intake.write(requests, b"a")
    settled = Committed(1, "what the owner wrote beside it")
    owner = intake.settler()
    assert await owner.start() is None
    assert await owner.begin() is None
    assert await owner.send_offsets(intake.group, {requests: settled}) is None
    assert await owner.commit() is None
    await equals(lambda: intake.admin.committed(intake.group, [requests]), {requests: settled})
    assert await member.intake.prove_membership([requests]) is None
    assert await intake.admin.committed(intake.group, [requests]) == {requests: settled}
    await owner.close()


async def test_a_second_member_takes_half_of_each_topic(intake: IntakeBackend) -> None:
    first = await alone(intake)
    second = await intake.join("pod-1")
    await seen(lambda: len(first.sink.held) == len(second.sink.held) == 2)
    assert first.sink.held | second.sink.held == all_of(intake)
    for member in (first, second):
        assert len({partition.number for partition in member.sink.held}) == 1, "both inputs of a partition together"
    assert first.sink.revocations == 1
    gone = next(iter(second.sink.held))
    assert not first.intake.release(gone, 0)


async def test_who_leaves_hands_over_at_once(intake: IntakeBackend) -> None:
    first, second = await asyncio.gather(intake.join("pod-0"), intake.join("pod-1"))
    await seen(lambda: len(first.sink.held) == len(second.sink.held) == 2)
    await first.stop()
    await seen(lambda: second.sink.held == all_of(intake))
