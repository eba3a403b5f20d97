"""What this user may do, as the brokers tell it, without touching anything that is live.

Topics and the group: the authorized operations that Kafka reports on request (KIP-430; Metadata from version 8 on,
DescribeGroups from version 3 on). Transactional ids: no request tells; an id of its own beside the live ones is
initialised, which fences nobody. Deleting: everything before the log's start is deleted, which is nothing.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaError,
    NodeNotReadyError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.transaction import InitProducerIdRequest

from worker.kafka.requests import DescribedGroup, NamedTopics, TypedGroups
from worker.kafka.security import Connection
from worker.kafka.topic_state import Unavailable, all_topics
from worker.kafka.topics import admin_client
from worker.model import TopicNames

_NOT_TOLD: Final = -(2**31)
_TRIES, _PAUSE = 20, 0.25
_RETRIABLE: Final = frozenset({14, 15, 16, 51})
"""Coordinator loading, not available, moved; concurrent transactions: Kafka's error codes."""
_SESSION: Final = ("group.min.session.timeout.ms", "group.max.session.timeout.ms")


class Operation(IntEnum):
    """Kafka's ACL operations (`AclOperation`), those that the worker or its people need."""

    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10

    @property
    def told(self) -> str:
        """As Kafka's documents and commands write it."""
        return self.name.title().replace("_", "")


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the group. `topics` None: it is no consumer, or its subscription can't be read."""

    client_id: str
    host: str
    instance_id: str | None
    topics: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class GroupUse:
    """Who uses the group. `protocol` is empty in a group that nobody has joined; `consumer` for consumers.

    `newer`: `consumer`, `share` or `streams`, where it is a group of that type, of the protocol that brokers lead
    (KIP-848) and this client does not follow; no members are told of one, only its `state` (`Empty`, `Stable`, …).
    """

    protocol: str = ""
    members: tuple[Member, ...] = ()
    newer: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What the brokers told. A topic or group that maps to None: nothing; a topic that is not there is left out.

    `group_error`: the group may not be described. `transactional`: why the probe's id could not be initialised, as
    Kafka's error; None: it could. `session`: bounds of a member's session time-out in milliseconds, where this user may
    read them.
    """

    topics: Mapping[str, frozenset[Operation] | None] = field(default_factory=dict)
    group: frozenset[Operation] | None = None
    group_error: str | None = None
    use: GroupUse = GroupUse()
    transactional: str | None = None
    session: Mapping[str, int] = field(default_factory=dict)


async def ask_rights(
    connection: Connection, names: TopicNames, group: str, transaction_timeout: float
) -> Told | Unavailable:
    """Ask for all of it. `transaction_timeout` in seconds."""
    try:
        async with admin_client(connection) as admin:
            operations = await _topics(admin, list(all_topics(names)))
            group_rights, group_error, use = await _group(admin, group)
            return Told(
                operations,
                group_rights,
                group_error,
                use,
                await _transactional(admin, f"{names.ledger}.doctor", transaction_timeout),
                await _session_bounds(admin),
            )
    except (KafkaError, OSError, TimeoutError) as error:
        return Unavailable(f"{connection.bootstrap_servers}: {str(error) or type(error).__name__}")


def operations_of(bits: int) -> frozenset[Operation] | None:
    """Kafka's bit field; None when the broker does not tell."""
    return None if bits == _NOT_TOLD else frozenset(op for op in Operation if bits >> op & 1)


async def _send(admin: AIOKafkaAdminClient, request: Any, node: int | None = None) -> Any:
    for _ in range(_TRIES):
        try:
            return await admin._send_request(request, node)  # noqa: SLF001 - its public methods leave the rights out
        except NodeNotReadyError:
            await asyncio.sleep(_PAUSE)
    return await admin._send_request(request, node)  # noqa: SLF001 - as above


async def _topics(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, frozenset[Operation] | None]:
    try:
        answer = await _send(admin, NamedTopics(topics))
    except (IncompatibleBrokerVersion, NotImplementedError):
        return dict.fromkeys(topics)
    rights = {row[1]: operations_of(row[4]) for row in answer.topics if row[0] == 0}
    # Who may not even describe a topic can't have Read, Write or Delete: each of them would bring Describe along.
    hidden = [row[1] for row in answer.topics if row[0] == TopicAuthorizationFailedError.errno]
    return rights | {name: await _configs_only(admin, name) for name in hidden}


async def _configs_only(admin: AIOKafkaAdminClient, topic: str) -> frozenset[Operation]:
    """DescribeConfigs, where that is allowed: it comes alone."""
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    codes = {resource[0] for answer in answers for resource in answer.resources}
    return frozenset() if TopicAuthorizationFailedError.errno in codes else frozenset({Operation.DESCRIBE_CONFIGS})


async def _group(admin: AIOKafkaAdminClient, group: str) -> tuple[frozenset[Operation] | None, str | None, GroupUse]:
    """Rights, or the error that it may not be described with; and who uses it."""
    try:
        node = await _coordinator(admin, group, 0)
        answer = await _send(admin, DescribedGroup(group), node)
    except (IncompatibleBrokerVersion, NotImplementedError):
        return None, None, GroupUse()
    except GroupAuthorizationFailedError as error:
        return None, type(error).__name__, GroupUse()
    row = answer.to_object()["groups"][0]
    if row["error_code"]:
        return None, str(for_code(row["error_code"]).__name__), GroupUse()
    operations = operations_of(row["authorized_operations"])
    if not row["protocol_type"]:
        return operations, None, await _newer(admin, group, node)
    return operations, None, GroupUse(row["protocol_type"], _members(row), state=row["state"])


async def _newer(admin: AIOKafkaAdminClient, group: str, node: int) -> GroupUse:
    """A group that can't be described is not there, or is of a type that only a listing tells (Kafka 3.8 or later)."""
    try:
        answer = (await _send(admin, TypedGroups(), node)).to_object()
    except (IncompatibleBrokerVersion, NotImplementedError):
        return GroupUse()
    listed = [row for row in answer["groups"] if row["group"] == group and row["type"].casefold() != "classic"]
    return GroupUse(newer=listed[0]["type"].casefold(), state=listed[0]["state"]) if listed else GroupUse()


def _members(row: Mapping[str, Any]) -> tuple[Member, ...]:
    return tuple(
        Member(
            member["client_id"],
            member["client_host"].lstrip("/"),
            member.get("group_instance_id"),
            _subscription(member["member_metadata"]) if row["protocol_type"] == "consumer" else None,
        )
        for member in row["members"]
    )


def _subscription(metadata: bytes) -> frozenset[str] | None:
    """The topics that a consumer asked for; None while the group rebalances, and for what can't be read."""
    try:
        return frozenset(ConsumerProtocolMemberMetadata.decode(metadata).subscription) if metadata else None
    except ValueError:
        return None


async def _transactional(admin: AIOKafkaAdminClient, name: str, timeout: float) -> str | None:
    code = 0
    for _ in range(_TRIES):
        try:
            node = await _coordinator(admin, name, 1)
            answer = await _send(admin, InitProducerIdRequest(name, int(timeout * 1000)), node)
        except KafkaError as error:
            if error.errno not in _RETRIABLE:
                return type(error).__name__
            code = error.errno
        else:
            code = answer.error_code
            if code not in _RETRIABLE:
                return str(for_code(code).__name__) if code else None
        await asyncio.sleep(_PAUSE)
    return str(for_code(code).__name__)


async def _coordinator(admin: AIOKafkaAdminClient, name: str, kind: int) -> int:
    for _ in range(_TRIES):
        try:
            return int(await admin.find_coordinator(name, kind))
        except KafkaError as error:
            # A cluster's first coordinator makes the topic that it keeps its state in.
            if error.errno not in _RETRIABLE and not isinstance(error, NodeNotReadyError):
                raise
            await asyncio.sleep(_PAUSE)
    return int(await admin.find_coordinator(name, kind))


async def _session_bounds(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """Empty where this user may not read a broker's configs."""
    cluster = await admin.describe_cluster()
    node = str(cluster["brokers"][0]["node_id"])
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.BROKER, node)])
    except KafkaError:
        return {}
    found: dict[str, int] = {}
    for answer in answers:
        for code, _message, _kind, _name, entries in answer.resources:
            if code == 0:
                found |= {entry[0]: int(entry[1]) for entry in entries if entry[0] in _SESSION and entry[1]}
    return found
