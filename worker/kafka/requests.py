"""Requests that aiokafka does not send, in its own classes: they tell rights (KIP-430) and groups' types (KIP-848).

Field by field from Kafka's `MetadataRequest.json` (version 8), `DescribeGroupsRequest.json` (versions 3 and 4),
`ListGroupsRequest.json` (version 5) and their responses.
"""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion, TopicAuthorizationFailedError
from aiokafka.protocol.admin import DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    Bytes,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)


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


class NamedTopics(Request[_MetadataRequestV8]):  # type: ignore[misc]  # as above
    """These topics, by name, and what this user may do with each. Asking makes none. Kafka 2.3 or later."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:
        """See aiokafka's `Request`."""
        return request_struct_class(self._topics, False, False, True)


class _DescribeGroupsV3(RequestStruct):  # type: ignore[misc]  # as above
    """aiokafka 0.14 reads the answer to its own version 3 as version 2, which has no operations."""

    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(String("utf-8"))), ("include_authorized_operations", Boolean))


class _DescribeGroupsResponseV4(Response):  # type: ignore[misc]  # as above
    API_KEY = 15
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", String("utf-8")),
                ("state", String("utf-8")),
                ("protocol_type", String("utf-8")),
                ("protocol", String("utf-8")),
                (
                    "members",
                    Array(
                        ("member_id", String("utf-8")),
                        ("group_instance_id", String("utf-8")),
                        ("client_id", String("utf-8")),
                        ("client_host", String("utf-8")),
                        ("member_metadata", Bytes),
                        ("member_assignment", Bytes),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    )


class _DescribeGroupsV4(RequestStruct):  # type: ignore[misc]  # as above
    """Names static members too. Kafka 2.4 or later."""

    API_KEY = 15
    API_VERSION = 4
    RESPONSE_TYPE = _DescribeGroupsResponseV4
    SCHEMA = _DescribeGroupsV3.SCHEMA


class DescribedGroup(Request[_DescribeGroupsV3 | _DescribeGroupsV4]):  # type: ignore[misc]  # as above
    """A consumer group: its members, and what this user may do with it. Kafka 2.3 or later."""

    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: Any) -> Any:
        """See aiokafka's `Request`."""
        return request_struct_class([self._group], True)


class _ListGroupsResponseV5(Response):  # type: ignore[misc]  # as above
    API_KEY = 16
    API_VERSION = 5
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        (
            "groups",
            CompactArray(
                ("group", CompactString("utf-8")),
                ("protocol_type", CompactString("utf-8")),
                ("state", CompactString("utf-8")),
                ("type", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _ListGroupsV5(RequestStruct):  # type: ignore[misc]  # as above
    FLEXIBLE_VERSION = True
    API_KEY = 16
    API_VERSION = 5
    RESPONSE_TYPE = _ListGroupsResponseV5
    SCHEMA = Schema(
        ("states", CompactArray(CompactString("utf-8"))),
        ("types", CompactArray(CompactString("utf-8"))),
        ("tags", TaggedFields),
    )


class TypedGroups(Request[_ListGroupsV5]):  # type: ignore[misc]  # as above
    """The groups that a broker coordinates and this user may describe, each with its type. Kafka 3.8 or later.

    Without it nobody tells that a group follows the newer protocol: DescribeGroups calls it dead, or not found.
    """

    API_KEY = 16

    def build(self, request_struct_class: Any) -> Any:
        """See aiokafka's `Request`."""
        return request_struct_class([], [], {})


async def hidden_topics(admin: AIOKafkaAdminClient, absent: list[str]) -> frozenset[str]:
    """Those that this user may not describe; a listing of all topics leaves them out as if they were missing."""
    if not absent:
        return frozenset()
    try:
        answer = await admin._send_request(NamedTopics(absent))  # noqa: SLF001 - no public method asks by name
    except (IncompatibleBrokerVersion, NotImplementedError):
        return frozenset()  # an old broker: nobody tells
    return frozenset(row[1] for row in answer.topics if row[0] == TopicAuthorizationFailedError.errno)
