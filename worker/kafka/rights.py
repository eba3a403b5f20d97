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
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaError,
    NodeNotReadyError,
    for_code,
)
from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from worker.kafka.security import Connection
from worker.kafka.topic_state import Unavailable
from worker.kafka.topics import admin_client
from worker.model import TopicNames

_NOT_TOLD: Final = -(2**31)
_TRIES, _PAUSE = 20, 0.25
_RETRIABLE: Final = frozenset({14, 15, 16, 51})
"""Coordinator loading, not available, moved; concurrent transactions: Kafka's error codes."""
_SESSION: Final = ("group.min.session.timeout.ms", "group.max.session.timeout.ms")


class Operation(IntEnum):
    """Kafka's ACL operations (`AclOperation`), those that the worker needs."""

    READ = 3
    WRITE = 4
    DELETE = 6
    DESCRIBE = 8
    DESCRIBE_CONFIGS = 10


@dataclass(frozen=True, slots=True)
class Told:
    """What the brokers told. A topic or group that maps to None: nothing; one that is not there may not be described.

    `transactional`: why the probe's id could not be initialised, as Kafka's error; None: it could. `session`: bounds
    of a member's session time-out in milliseconds, where this user may read them.
    """

    topics: Mapping[str, frozenset[Operation] | None] = field(default_factory=dict)
    group: frozenset[Operation] | None = None
    group_error: str | None = None
    transactional: str | None = None
    session: Mapping[str, int] = field(default_factory=dict)


class _MetadataResponseV8(Response):  # type: ignore[misc]  # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class _MetadataRequestV8(RequestStruct):  # type: ignore[misc]  # as above
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _MetadataResponseV8
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class _AuthorizedTopics(Request[_MetadataRequestV8]):  # type: ignore[misc]  # as above
    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:
        """See aiokafka's `Request`. Asking by name must not make a topic."""
        return request_struct_class(self._topics, False, False, True)


class _DescribeGroupsV3(RequestStruct):  # type: ignore[misc]  # as above
    """aiokafka 0.14 reads the answer to its own version 3 as version 2, which has no operations."""

    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(String("utf-8"))), ("include_authorized_operations", Boolean))


class _AuthorizedGroup(Request[_DescribeGroupsV3]):  # type: ignore[misc]  # as above
    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: Any) -> Any:
        """See aiokafka's `Request`."""
        return request_struct_class([self._group], True)


async def ask_rights(
    connection: Connection, names: TopicNames, topics: list[str], group: str, transaction_timeout: float
) -> Told | Unavailable:
    """Ask for all of it. `topics`: those that exist; `transaction_timeout` in seconds."""
    try:
        async with admin_client(connection) as admin:
            operations = await _topics(admin, topics)
            group_rights = await _group(admin, group)
            return Told(
                operations,
                group_rights if not isinstance(group_rights, str) else None,
                group_rights if isinstance(group_rights, str) else None,
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
    if not topics:
        return {}
    try:
        answer = await _send(admin, _AuthorizedTopics(topics))
    except IncompatibleBrokerVersion:
        return dict.fromkeys(topics)
    return {row[1]: operations_of(row[4]) for row in answer.topics if row[0] == 0}


async def _group(admin: AIOKafkaAdminClient, group: str) -> frozenset[Operation] | str | None:
    try:
        node = await _coordinator(admin, group, 0)
        answer = await _send(admin, _AuthorizedGroup(group), node)
    except IncompatibleBrokerVersion:
        return None
    except GroupAuthorizationFailedError as error:
        return type(error).__name__
    [row] = answer.groups
    if row[0]:
        return str(for_code(row[0]).__name__)
    return operations_of(row[6])


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
